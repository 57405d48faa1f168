package address

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseLocal reads a Dot-string or Quoted-string at the start of s and returns
// what it means and what follows.
func parseLocal(s string, unicodeToo bool) (local, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		local, rest, err = unquote(s)
	} else {
		local, rest, err = dotString(s)
	}
	switch {
	case err != nil:
		return "", "", err
	case local == "":
		return "", "", ErrSyntax
	case len(local) > MaxLocal:
		return "", "", ErrTooBig
	}
	return local, rest, checkText(local, unicodeToo)
}

func dotString(s string) (local, rest string, err error) {
	i := strings.IndexByte(s, '@')
	if i < 0 {
		i = len(s)
	}
	if !isDotString(s[:i]) {
		return "", "", ErrSyntax
	}
	return s[:i], s[i:], nil
}

// unquote reads a Quoted-string. Which octets it may hold is checkText's
// question.
func unquote(s string) (local, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) || s[i] >= utf8.RuneSelf {
				return "", "", ErrSyntax
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", ErrSyntax
}

func quote(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return string(append(b, '"'))
}

// isDotString reports whether s is atoms with single dots between them.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '.' && c < utf8.RuneSelf && !isAtext(c) {
			return false
		}
	}
	return true
}

// isAtext is atext of RFC 5322 section 3.2.3.
func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// checkText refuses what must never reach a header, a log or a terminal:
// control characters, broken UTF-8, and characters that reorder or hide the
// text around them.
func checkText(s string, unicodeToo bool) error {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return ErrSyntax
			}
			i++
			continue
		}
		if !unicodeToo {
			return ErrUTF8
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 || !unicode.IsGraphic(r) {
			return ErrSyntax
		}
		i += n
	}
	return nil
}
