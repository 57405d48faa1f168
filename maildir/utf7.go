package maildir

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Modified UTF-7 (RFC 3501 section 5.1.3) is how folders are named on disk:
// printable ASCII stands for itself, & is written &-, and everything else is
// UTF-16 in a base64 of its own between & and -.

// errUTF7 is the error for a name that is no modified UTF-7, or not in the one
// form that our encoder would give it: a second spelling would be a second name
// for one folder, and could hide a slash.
var errUTF7 = errors.New("not canonical modified UTF-7")

// base64 alphabet of RFC 3501: a comma in place of the slash.
const utf7Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"

// EncodeUTF7 writes a name in modified UTF-7. s must be valid UTF-8.
func EncodeUTF7(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '&':
			b.WriteString("&-")
			i++
		case direct(c):
			b.WriteByte(c)
			i++
		default:
			end := i
			for end < len(s) && !direct(s[end]) {
				end++
			}
			encodeRun(&b, s[i:end])
			i = end
		}
	}
	return b.String()
}

// direct reports whether c stands for itself (and & for the beginning of a run).
func direct(c byte) bool { return ' ' <= c && c <= '~' }

// encodeRun writes what cannot stand for itself: 16 bits a unit, 6 bits a
// digit, the last digit filled with zeros.
func encodeRun(b *strings.Builder, s string) {
	b.WriteByte('&')
	var bits uint32
	var n uint
	put := func(unit uint16) {
		bits = bits<<16 | uint32(unit)
		for n += 16; n >= 6; {
			n -= 6
			b.WriteByte(utf7Digits[bits>>n&63])
		}
	}
	for _, r := range s {
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			put(uint16(hi))
			put(uint16(lo))
		} else {
			put(uint16(r))
		}
	}
	if n > 0 {
		b.WriteByte(utf7Digits[bits<<(6-n)&63])
	}
	b.WriteByte('-')
}

// DecodeUTF7 reads a name in modified UTF-7. It accepts exactly what EncodeUTF7
// gives, but for NUL, which is in no name.
func DecodeUTF7(s string) (string, error) {
	var b strings.Builder
	for rest := s; rest != ""; {
		if rest[0] != '&' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		run, after, ok := strings.Cut(rest[1:], "-")
		if !ok {
			return "", errUTF7
		}
		if run == "" {
			b.WriteByte('&')
		}
		if err := decodeRun(&b, run); err != nil {
			return "", err
		}
		rest = after
	}
	// What is left to refuse is told by the way back: ASCII in base64, two runs
	// in a row, bits behind the end, bytes that are not printable.
	if name := b.String(); EncodeUTF7(name) == s && !strings.Contains(name, "\x00") {
		return name, nil
	}
	return "", errUTF7
}

func decodeRun(b *strings.Builder, run string) error {
	var units []uint16
	var bits uint32
	var n uint
	for i := range len(run) {
		digit := strings.IndexByte(utf7Digits, run[i])
		if digit < 0 {
			return errUTF7
		}
		bits = bits<<6 | uint32(digit)
		if n += 6; n >= 16 {
			n -= 16
			units = append(units, uint16(bits>>n))
		}
	}
	for _, r := range utf16.Decode(units) {
		b.WriteRune(r)
	}
	return nil
}
