package pop3

import "rohrpost/protocol/ucspi"

// stls is STLS (RFC 2595 section 4). What the client sent behind it came without
// protection and would be taken for protected, so it ends the session.
func (s *session) stls(string) {
	a := s.account
	if a.StartTLS == nil {
		s.no("STLS is not offered")
		return
	}
	if s.r.Buffered() > 0 || a.Early() {
		s.end(ucspi.ErrEarly)
		return
	}
	s.ok("begin TLS now")
	if err := s.w.Flush(); err != nil {
		s.end(err)
		return
	}
	c, err := a.StartTLS()
	if err != nil {
		s.end(err)
		return
	}
	// All that was learned without protection is forgotten.
	*s = *newSession(c, s.log, maxAuthLine)
	s.state, s.account = authorization, a
	s.r.ExactLines(exact{c})
	a.Conn, a.StartTLS, a.Plaintext, a.pending = c, nil, true, ""
	s.offer = capabilities{passwords: true}
}
