package imap

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rohrpost/maildir"
)

// Inbox is the name of the mailbox that every user has. RFC 9051 section 5.1: it is
// the only name whose case does not matter.
const Inbox = "INBOX"

// DecodeMailbox reads the name of a mailbox, in modified UTF-7 (RFC 3501 section
// 5.1.3) or, if the client has enabled that, in UTF-8. The result is UTF-8 without
// control characters, "INBOX" for each of its spellings. A second encoding of a
// name is refused, so two names are two mailboxes, and no encoding hides a slash.
//
// It says nothing about which directory the name may lead to: a separator, a
// slash, dots may be anywhere in it. Package maildir refuses those names.
func DecodeMailbox(name string, inUTF8 bool) (string, bool) {
	name, ok := decodeName(name, inUTF8)
	if ok && equalFold(name, Inbox) {
		return Inbox, true
	}
	return name, ok
}

func decodeName(name string, inUTF8 bool) (string, bool) {
	if !inUTF8 {
		var err error
		if name, err = maildir.DecodeUTF7(name); err != nil {
			return "", false
		}
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", false
	}
	return name, true
}

// Mailbox reads the name of a mailbox; see DecodeMailbox.
func (d *Decoder) Mailbox() string {
	name, ok := DecodeMailbox(d.AString(), d.UTF8)
	if !ok {
		d.fail("not a mailbox name")
	}
	return name
}

// AppendMailbox appends the name of a mailbox as an astring.
func AppendMailbox(b []byte, name string, inUTF8 bool) []byte {
	if !inUTF8 {
		name = maildir.EncodeUTF7(name)
	}
	return AppendAString(b, name, inUTF8)
}
