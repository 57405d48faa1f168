package pop3

// list is LIST.
func (s *session) list(arg string) { s.listing(arg, "scan listings follow", s.scanListing) }

// listing answers LIST and UIDL, which have one form: a line about one message,
// or after title a line about each that is not marked as deleted (RFC 1939
// sections 5 and 7). write writes such a line, unless the session is over.
func (s *session) listing(arg, title string, write func(i int)) {
	if arg != "" {
		if i, ok := s.message(arg); ok {
			s.w.String("+OK ")
			write(i)
		}
		return
	}
	s.ok(title)
	for i := range s.drop.list.Len() {
		if !s.drop.deleted.has(i) {
			write(i)
		}
		if s.state == ended {
			return
		}
	}
	s.dot()
}

// scanListing is number and size in one line.
func (s *session) scanListing(i int) {
	octets, ok := s.size(i)
	if !ok {
		return
	}
	s.w.Int(int64(i + 1))
	s.w.String(" ")
	s.w.Int(octets)
	s.w.Line("")
}
