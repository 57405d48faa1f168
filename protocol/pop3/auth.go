package pop3

import (
	"errors"
	"strings"

	"rohrpost/protocol/auth"
	"rohrpost/protocol/line"
)

// auth is AUTH (RFC 5034), with PLAIN as the one mechanism.
func (s *session) auth(arg string) {
	if arg == "" {
		// QUIRK: several clients ask for the mechanisms by a bare AUTH.
		s.mechanisms()
		return
	}
	mechanism, response, initial := strings.Cut(arg, " ")
	if !equalFold([]byte(mechanism), "PLAIN") {
		s.no("unknown mechanism")
		return
	}
	if !s.passwords() {
		return
	}
	if !initial {
		var ok bool
		if response, ok = s.challenge(""); !ok {
			return
		}
	} else if response == "=" {
		response = "" // RFC 5034 section 4: an initial response of no bytes
	}
	login, password, err := auth.Plain(response)
	if err != nil {
		s.no("malformed response")
		s.account.strike(s)
		return
	}
	s.login("PLAIN", login, password, "")
}

func (s *session) mechanisms() {
	s.ok("mechanisms follow")
	if s.account.Plaintext {
		s.w.Line("PLAIN")
	}
	s.dot()
}

// challenge sends a challenge of SASL, in base64, and reads the response. It
// answers itself if there is none.
func (s *session) challenge(text string) (response string, ok bool) {
	s.w.String("+ ")
	s.w.Line(text)
	l, err := s.r.ReadLine(maxAuthLine)
	switch {
	case errors.Is(err, line.ErrTooLong):
		s.no("malformed response")
		s.account.strike(s)
	case err != nil:
		s.end(err)
	case string(l) == "*":
		s.no("authentication cancelled")
	default:
		return string(l), true
	}
	return "", false
}
