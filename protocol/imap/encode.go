package imap

import (
	"strconv"
	"unicode/utf8"
)

// maxQuoted is the longest string that is quoted, in bytes; a longer one becomes a
// literal. RFC 2683 section 3.2.1.5 has lines of 1,000 bytes at most.
const maxQuoted = 500

// stringForm is how a string can be written.
type stringForm uint8

const (
	asAtom stringForm = iota // also as an astring without quotes
	asQuoted
	asQuotedUTF8
	asLiteral
)

func formOf[T string | []byte](s T) stringForm {
	if len(s) > maxQuoted {
		return asLiteral
	}
	form := asAtom
	for i := range len(s) {
		switch c := s[i]; {
		case c == 0 || c == '\r' || c == '\n':
			return asLiteral
		case c >= 0x80:
			form = asQuotedUTF8
		case form == asAtom && classes[c]&isAstring == 0:
			form = asQuoted
		}
	}
	if len(s) == 0 {
		return asQuoted
	}
	if form == asQuotedUTF8 && !utf8.ValidString(string(s)) {
		return asLiteral
	}
	return form
}

// AppendString appends s as a string: quoted if it can be, else as a literal. UTF-8
// is quoted only for a client that has enabled it (inUTF8). A NUL, which no string
// can hold (RFC 9051 section 4.3), becomes "?".
func AppendString[T string | []byte](b []byte, s T, inUTF8 bool) []byte {
	switch form := formOf(s); {
	case form <= asQuoted, form == asQuotedUTF8 && inUTF8:
		return appendQuoted(b, s)
	}
	b = AppendLiteral(b, int64(len(s)))
	start := len(b)
	b = append(b, s...)
	for i, c := range b[start:] {
		if c == 0 {
			b[start+i] = '?'
		}
	}
	return b
}

func appendQuoted[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// AppendAString appends s as an astring: as it is if that can be, else as a string.
func AppendAString(b []byte, s string, inUTF8 bool) []byte {
	if formOf(s) == asAtom && !equalFold(s, "NIL") {
		return append(b, s...)
	}
	return AppendString(b, s, inUTF8)
}

// AppendNIL appends NIL.
func AppendNIL(b []byte) []byte { return append(b, "NIL"...) }

// AppendLiteral appends the announcement of a literal of size bytes, which must
// follow.
func AppendLiteral(b []byte, size int64) []byte {
	b = append(b, '{')
	b = strconv.AppendInt(b, size, 10)
	return append(b, "}\r\n"...)
}

// AppendLiteral8 is AppendLiteral for bytes among which may be NUL (RFC 3516).
func AppendLiteral8(b []byte, size int64) []byte { return AppendLiteral(append(b, '~'), size) }

// AppendNumber appends a number.
func AppendNumber[N ~uint32 | ~int64 | ~uint64](b []byte, n N) []byte {
	return strconv.AppendUint(b, uint64(n), 10)
}
