package pop3

// user is USER: every name is welcome, so that nobody learns which exist.
func (s *session) user(name string) {
	if !s.passwords() {
		return
	}
	if name == "" {
		s.no("USER needs a name")
		return
	}
	s.account.pending = name
	s.ok("send the password")
}

// pass is PASS. RFC 1939 section 7: blanks may belong to the password.
func (s *session) pass(password string) {
	if !s.passwords() {
		return
	}
	if s.account.pending == "" {
		s.no("USER comes first")
		return
	}
	s.login("USER", s.account.pending, password, "")
}
