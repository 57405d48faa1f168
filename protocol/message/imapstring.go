package message

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// appendString appends an IMAP string (RFC 9051 section 4.3): quoted, or a
// literal where it holds what a quoted string cannot. With UTF-8 quoted strings
// may hold that (RFC 9051 and RFC 6855 section 3). NULs, which neither can hold,
// are dropped.
func appendString(dst, s []byte, utf8OK bool) []byte {
	start := len(dst)
	dst = append(dst, '"')
	eightBit := false
	for _, c := range s {
		switch {
		case c == '\r' || c == '\n' || c >= 0x80 && !utf8OK:
			return appendLiteral(dst[:start], s)
		case c == 0:
			continue
		case c >= 0x80:
			eightBit = true
		case c == '"' || c == '\\':
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	if eightBit && !utf8.Valid(s) {
		return appendLiteral(dst[:start], s)
	}
	return append(dst, '"')
}

func appendLiteral(dst, s []byte) []byte {
	nuls := bytes.Count(s, []byte{0})
	dst = append(dst, '{')
	dst = strconv.AppendInt(dst, int64(len(s)-nuls), 10)
	dst = append(dst, "}\r\n"...)
	for nuls > 0 {
		i := bytes.IndexByte(s, 0)
		dst = append(dst, s[:i]...)
		s = s[i+1:]
		nuls--
	}
	return append(dst, s...)
}

func appendNString(dst, s []byte, present, utf8OK bool) []byte {
	if !present {
		return append(dst, "NIL"...)
	}
	return appendString(dst, s, utf8OK)
}
