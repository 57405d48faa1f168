package pop3

import (
	"fmt"
	"strconv"
	"strings"
)

// Format is how unique-ids are made (RFC 1939 section 7, UIDL). A client that
// leaves mail on the server downloads again what gets another unique-id, so who
// moves here keeps the format of the server before. The zero Format is "name".
type Format struct {
	courier bool
	parts   []part // of a template; nil for the others
}

// part is a piece of a template: text, or a variable with the way to print it.
type part struct {
	text     string
	variable byte // u, v, f or g; 0 for text
	hex      bool
	zeros    bool
	width    int
}

// dovecotDefault is Dovecot's setting pop3_uidl_format unless it is set.
const dovecotDefault = "%08Xu%08Xv"

// ParseFormat reads a format:
//
//	name       the file's name without flags and without fields of synchronizers
//	dovecot    %08Xu%08Xv
//	courier    what courierpop3dsizelist says
//	template   as Dovecot's pop3_uidl_format: %u UID, %v UIDVALIDITY, %f the
//	           file's name without flags, %g the message's GUID, with width,
//	           leading 0 and X for hexadecimal, between letters, digits, - and _
func ParseFormat(s string) (Format, error) {
	switch s {
	case "name":
		return Format{}, nil
	case "courier":
		return Format{courier: true}, nil
	case "dovecot":
		s = dovecotDefault
	}
	var f Format
	unique := false
	for rest := s; rest != ""; {
		p, after, err := parsePart(rest)
		if err != nil {
			return f, fmt.Errorf("format of unique-ids %q: %w", s, err)
		}
		unique = unique || p.variable == 'u' || p.variable == 'f' || p.variable == 'g'
		f.parts = append(f.parts, p)
		rest = after
	}
	if !unique {
		return f, fmt.Errorf("format of unique-ids %q: it is neither name, dovecot nor courier and has none of %%u, %%f and %%g", s)
	}
	return f, nil
}

// parsePart reads the piece that s begins with.
func parsePart(s string) (p part, rest string, err error) {
	if s[0] != '%' {
		end := strings.IndexByte(s, '%')
		if end < 0 {
			end = len(s)
		}
		p.text = s[:end]
		if i := strings.IndexFunc(p.text, func(r rune) bool { return !plain(r) }); i >= 0 {
			return p, "", fmt.Errorf("%q is no letter, digit, - or _", p.text[i:])
		}
		return p, s[end:], nil
	}
	s = s[1:]
	s, p.zeros = strings.CutPrefix(s, "0")
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 0 {
		if p.width, err = strconv.Atoi(s[:digits]); err != nil || p.width > maxID {
			return p, "", fmt.Errorf("width %s is more than %d", s[:digits], maxID)
		}
	}
	s, p.hex = strings.CutPrefix(s[digits:], "X")
	if s == "" || strings.IndexByte("uvfg", s[0]) < 0 {
		return p, "", fmt.Errorf("%%%s is none of %%u, %%v, %%f and %%g", s)
	}
	p.variable = s[0]
	return p, s[1:], nil
}

func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

// needs reports whether the format is a template with one of these variables.
func (f Format) needs(variables string) bool {
	for _, p := range f.parts {
		if p.variable != 0 && strings.IndexByte(variables, p.variable) >= 0 {
			return true
		}
	}
	return false
}

// appendNumber appends n as the part prints numbers.
func (p part) appendNumber(b []byte, n uint32) []byte {
	base := 10
	if p.hex {
		base = 16
	}
	digits := strconv.FormatUint(uint64(n), base)
	for i := len(digits); i < p.width; i++ {
		if p.zeros {
			b = append(b, '0')
		} else {
			b = append(b, ' ')
		}
	}
	return append(b, digits...)
}
