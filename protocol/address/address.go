// Package address reads and writes the addresses of an SMTP envelope: mailboxes
// and paths of RFC 5321 section 4.1.2, with the Unicode of RFC 6531.
//
// An Address is what the address means, not how it was spelled: the local part
// without quotes, the domain in lower case and in A-labels. So two spellings of
// one mailbox compare equal, and a domain that only looks like ours is another
// one. The addresses of header fields, with comments and display names, are not
// this package's business.
//
// Start reading at Parse; ParsePath is the form in angle brackets.
package address

import (
	"errors"
	"strings"
)

// The sizes of RFC 5321 section 4.5.3.1, in octets.
const (
	MaxLocal  = 64
	MaxDomain = 255
	maxLabel  = 63 // RFC 1035 section 2.3.4
)

// The ways in which an address can be wrong. Their texts are for replies and so
// repeat nothing of what the peer sent.
var (
	ErrSyntax = errors.New("address is malformed")
	ErrTooBig = errors.New("address is too long")
	ErrUTF8   = errors.New("address needs SMTPUTF8")
	ErrDomain = errors.New("address has no valid domain")
)

// Address is a mailbox. The zero value is the null reverse-path.
type Address struct {
	Local  string // as meant, without quotes
	Domain string // lower case A-labels, or an address literal with its brackets; "" only for <postmaster>
}

// Null reports whether a is the null reverse-path, the sender of reports.
func (a Address) Null() bool { return a == Address{} }

// String is the address as RFC 5321 writes it, with quotes where the local part
// needs them and without angle brackets. The null reverse-path is "".
func (a Address) String() string {
	s := a.Local
	if s != "" && !isDotString(s) {
		s = quote(s)
	}
	if a.Domain == "" {
		return s
	}
	return s + "@" + a.Domain
}

// ASCII reports whether the address can go to a server without SMTPUTF8.
func (a Address) ASCII() bool {
	for i := 0; i < len(a.Local); i++ {
		if a.Local[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Parse reads local@domain. With utf8 either part may hold what RFC 6531 adds.
// The errors are the four above.
func Parse(s string, utf8 bool) (Address, error) {
	local, rest, err := parseLocal(s, utf8)
	if err != nil {
		return Address{}, err
	}
	domain, ok := strings.CutPrefix(rest, "@")
	if !ok {
		return Address{}, ErrSyntax
	}
	d, err := ParseDomain(domain, utf8)
	if err != nil {
		return Address{}, err
	}
	return Address{Local: local, Domain: d}, nil
}

// ParsePath reads a path in angle brackets at the start of s and returns what
// follows it. "<>" is the null reverse-path, "<postmaster>" has no domain in any
// case of letters (RFC 5321 section 4.1.1.3), and a source route is read and
// forgotten (RFC 5321 appendix C).
func ParsePath(s string, utf8 bool) (a Address, rest string, err error) {
	end := pathEnd(s)
	if end < 0 {
		return Address{}, "", ErrSyntax
	}
	inner, rest := s[1:end], s[end+1:]
	switch {
	case inner == "":
		return Address{}, rest, nil
	case strings.EqualFold(inner, "postmaster"):
		return Address{Local: "postmaster"}, rest, nil
	}
	if inner[0] == '@' {
		if inner, err = dropRoute(inner, utf8); err != nil {
			return Address{}, "", err
		}
	}
	a, err = Parse(inner, utf8)
	return a, rest, err
}

// pathEnd is the index of the > that ends the path which begins s, or -1. A
// quoted string may hold one that does not.
func pathEnd(s string) int {
	if s == "" || s[0] != '<' {
		return -1
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return i
		}
	}
	return -1
}

// dropRoute takes "@a,@b:" off s. Each hop must be a domain, so that nothing
// else hides there.
func dropRoute(s string, utf8 bool) (string, error) {
	route, mailbox, ok := strings.Cut(s, ":")
	if !ok {
		return "", ErrSyntax
	}
	for _, hop := range strings.Split(route, ",") {
		domain, ok := strings.CutPrefix(hop, "@")
		if !ok {
			return "", ErrSyntax
		}
		if _, err := ParseDomain(domain, utf8); err != nil {
			return "", err
		}
	}
	return mailbox, nil
}
