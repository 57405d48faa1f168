package imap

import "time"

// Appended is one message of an APPEND, up to its literal.
type Appended struct {
	Flags   []Flag    // nil if there was no list
	Date    time.Time // zero if there was none
	UTF8    bool      // UTF8 (...): headers may be UTF-8 (RFC 6855 section 4)
	Literal *Literal
}

// ParseAppend reads the mailbox of an APPEND. Then NextAppended reads its messages.
func ParseAppend(d *Decoder) (mailbox string, err error) {
	d.SP()
	mailbox = d.Mailbox()
	return mailbox, d.err
}

// NextAppended reads the flags and the date of the first message of an APPEND, or of
// a further one (MULTIAPPEND, RFC 3502). The literal must be accepted and read to its
// end before the next call; ok is false behind the last message, when the whole
// command has been right to its CRLF. Only then may a message come into the mailbox
// (RFC 3502 section 6.3.11: all or none).
func (d *Decoder) NextAppended() (a Appended, ok bool, err error) {
	first := d.stream.d == nil
	d.endStream()
	if d.inUTF8 {
		d.expect(')', ") expected")
		d.inUTF8 = false
	}
	if !first && d.peek() == 0 {
		d.stream = Literal{}
		return a, false, d.End()
	}
	d.SP()
	if d.peek() == '(' {
		a.Flags = d.flagList()
		d.SP()
	}
	if d.peek() == '"' {
		a.Date = d.DateTime()
		d.SP()
	}
	if a.UTF8 = d.acceptWord("UTF8 ("); a.UTF8 {
		d.inUTF8 = true
	}
	a.Literal = d.newStream()
	if a.Literal != nil && a.UTF8 && !a.Literal.Binary {
		d.fail("UTF8 needs a literal8")
	}
	return a, d.err == nil, d.err
}
