package pop3

import "strings"

// capabilities is what CAPA announces beyond what is always there. RFC 2449
// section 5: what is announced before login is announced after it too.
type capabilities struct {
	passwords bool // USER, and AUTH with PLAIN
	stls      bool
}

// always are the capabilities that do not depend on anything.
var always = [...]string{
	"TOP",
	"UIDL",
	"RESP-CODES",
	"AUTH-RESP-CODE",
	"PIPELINING",
	"EXPIRE NEVER",
	"UTF8",
	"LANG",
	"IMPLEMENTATION rohrpost",
}

// capa is CAPA (RFC 2449 section 5).
func (s *session) capa(string) {
	s.ok("capabilities follow")
	for _, c := range always {
		s.w.Line(c)
	}
	if s.offer.passwords {
		s.w.Line("USER")
		s.w.Line("SASL PLAIN")
	}
	if s.offer.stls {
		s.w.Line("STLS")
	}
	s.dot()
}

// String is the capabilities as words, to hand them to the second half.
func (c capabilities) String() string {
	var words []string
	if c.passwords {
		words = append(words, "USER")
	}
	if c.stls {
		words = append(words, "STLS")
	}
	return strings.Join(words, " ")
}

func parseCapabilities(s string) (c capabilities) {
	for _, w := range strings.Fields(s) {
		c.passwords = c.passwords || w == "USER"
		c.stls = c.stls || w == "STLS"
	}
	return c
}
