package address

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseDomain reads a domain or an address literal ([192.0.2.1], [IPv6:…]) and
// returns its one spelling: lower case, A-labels. With utf8 its labels may be
// U-labels. A trailing dot is an error.
//
// QUIRK: an underscore is accepted, because hosts named so do send mail.
//
// A U-label is encoded as it stands: whether it is in normal form would need
// tables larger than the rest of a server. One that is not gets an A-label that
// no registry has, so it matches none of our domains.
func ParseDomain(s string, unicodeToo bool) (string, error) {
	switch {
	case s == "":
		return "", ErrDomain
	case s[0] == '[':
		return parseLiteral(s)
	case len(s) > 2*MaxDomain: // U-labels may shrink, but not from anywhere
		return "", ErrTooBig
	}
	labels := strings.Split(s, ".")
	for i, l := range labels {
		a, err := parseLabel(l, unicodeToo)
		if err != nil {
			return "", err
		}
		labels[i] = a
	}
	d := strings.Join(labels, ".")
	if len(d) > MaxDomain {
		return "", ErrTooBig
	}
	return d, nil
}

func parseLabel(l string, unicodeToo bool) (string, error) {
	ascii := true
	for _, r := range l {
		if r >= utf8.RuneSelf {
			ascii = false
		}
		if !isLabelRune(r) {
			return "", ErrDomain
		}
	}
	l = strings.ToLower(l)
	if !ascii {
		if !unicodeToo {
			return "", ErrUTF8
		}
		l = "xn--" + punycode([]rune(l))
	}
	switch {
	case l == "" || l[0] == '-' || l[len(l)-1] == '-':
		return "", ErrDomain
	case len(l) > maxLabel:
		return "", ErrTooBig
	}
	return l, nil
}

func isLabelRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}

// parseLiteral reads an address literal (RFC 5321 section 4.1.3). Forms that
// nobody has registered are errors.
func parseLiteral(s string) (string, error) {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return "", ErrDomain
	}
	const tag = "IPv6:"
	six := len(inner) > len(tag) && strings.EqualFold(inner[:len(tag)], tag)
	if six {
		inner = inner[len(tag):]
	}
	ip, err := netip.ParseAddr(inner)
	if err != nil || ip.Is6() != six || ip.Zone() != "" {
		return "", ErrDomain
	}
	if six {
		return "[IPv6:" + ip.String() + "]", nil
	}
	return "[" + ip.String() + "]", nil
}
