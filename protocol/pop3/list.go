package pop3

// list is LIST.
func (s *session) list(arg string) {
	if arg != "" {
		if i, ok := s.message(arg); ok {
			s.w.String("+OK ")
			s.scanListing(i)
		}
		return
	}
	s.ok("scan listings follow")
	for i := range s.drop.list.Len() {
		if !s.drop.deleted.has(i) {
			s.scanListing(i)
		}
	}
	s.dot()
}

// scanListing is number and size in one line.
func (s *session) scanListing(i int) {
	s.w.Int(int64(i + 1))
	s.w.String(" ")
	s.w.Int(s.drop.size(i))
	s.w.Line("")
}
