// Package charset turns text of mail into UTF-8: the charsets that RFC 2978
// registers, under the names that mail uses for them, as far as golang.org/x/text
// has their tables. It is apart from package message so that programs which
// decode nothing do not carry the tables.
//
// What it does not do: guess. UTF-7 and the charsets that switch by escape
// sequences, other than ISO-2022-JP and HZ-GB-2312, are not known.
//
// Start reading at Append.
package charset

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"rohrpost/protocol/message"
)

// Append appends src, which is in the charset of this name, to dst as UTF-8. It
// is a message.Charset. It returns dst as it was and message.ErrCharset if the
// charset is not known, or if src has bytes that mean nothing in it.
//
// QUIRK: US-ASCII may be UTF-8, since the two are mixed up in mail. ISO-8859-1 is
// windows-1252, which has characters where the other has controls that nobody
// sends.
func Append(dst, name, src []byte) ([]byte, error) {
	e, ok := find(name)
	switch {
	case !ok:
		return dst, message.ErrCharset
	case e == nil:
		return message.BasicCharset(dst, []byte("utf-8"), src)
	}
	out, n, err := transform.Append(e.NewDecoder(), dst, src)
	if err != nil || n < len(src) || bytes.Contains(out[len(dst):], []byte("\uFFFD")) {
		return dst, message.ErrCharset
	}
	return out, nil
}

// NewReader returns a reader of what r holds in the charset of this name, in
// UTF-8; bytes that mean nothing become U+FFFD, in UTF-8 they stay. It reports
// false, and returns r, if the charset is not known.
func NewReader(name []byte, r io.Reader) (io.Reader, bool) {
	e, ok := find(name)
	if e == nil {
		return r, ok
	}
	return transform.NewReader(r, e.NewDecoder()), true
}

// Known reports whether Append knows a charset of this name.
func Known(name []byte) bool {
	_, ok := find(name)
	return ok
}

// maxName bounds the names that are looked up, in bytes. RFC 2978 section 2.3
// allows 40.
const maxName = 64

// find returns the encoding of a charset, nil if it is UTF-8 already.
func find(name []byte) (encoding.Encoding, bool) {
	if len(name) > maxName {
		return nil, false
	}
	folded := fold(name)
	if folded == "  " {
		return nil, false
	}
	if strings.Contains(utf8Names, folded) {
		return nil, true
	}
	for i := range charsets {
		if strings.Contains(charsets[i].names, folded) {
			return charsets[i].encoding, true
		}
	}
	return nil, false
}

// fold leaves of a name what tells it from others: its letters in lower case and
// its digits, without the year of ISO_8859-1:1987. There is a space on either
// side.
func fold(name []byte) string {
	var b [maxName + 2]byte
	out := append(b[:0], ' ')
	name, _, _ = bytes.Cut(name, []byte(":"))
	for _, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			out = append(out, c)
		}
	}
	return string(append(out, ' '))
}
