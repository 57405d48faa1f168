package smtp

import (
	"errors"
	"strings"
)

// ErrXtext is a value that is not xtext, or hides a control character in it.
var ErrXtext = errors.New("malformed xtext")

const upperHex = "0123456789ABCDEF"

// EncodeXtext writes s so that it can be the value of a parameter (RFC 3461
// section 4).
func EncodeXtext(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isXchar(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'+', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}

// DecodeXtext reads the value of a parameter. A value that would decode to a
// control character is an error: nothing good ever needs one, and what is
// decoded ends up in headers and logs.
func DecodeXtext(s string) (string, error) {
	if strings.IndexByte(s, '+') < 0 {
		return s, checkXtext(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", ErrXtext
			}
			hi, lo := strings.IndexByte(upperHex, s[i+1]), strings.IndexByte(upperHex, s[i+2])
			if hi < 0 || lo < 0 {
				return "", ErrXtext
			}
			c = byte(hi<<4 | lo)
			i += 2
		} else if !isXchar(c) {
			return "", ErrXtext
		}
		if c < ' ' || c == 0x7f {
			return "", ErrXtext
		}
		b = append(b, c)
	}
	return string(b), nil
}

func checkXtext(s string) error {
	for i := 0; i < len(s); i++ {
		if !isXchar(s[i]) {
			return ErrXtext
		}
	}
	return nil
}

func isXchar(c byte) bool { return '!' <= c && c <= '~' && c != '+' && c != '=' }
