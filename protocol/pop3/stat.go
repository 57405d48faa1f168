package pop3

// stat is STAT.
func (s *session) stat(string) {
	d := s.drop
	s.w.String("+OK ")
	s.w.Int(int64(d.count()))
	s.w.String(" ")
	s.w.Int(d.list.Octets() - d.removed)
	s.w.Line("")
}
