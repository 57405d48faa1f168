package pop3

// dele is DELE: a mark that QUIT acts upon.
func (s *session) dele(arg string) {
	i, ok := s.message(arg)
	if !ok {
		return
	}
	octets, ok := s.size(i)
	if !ok {
		return
	}
	d := s.drop
	d.deleted.add(i, d.list.Len())
	d.removed += octets
	s.ok("marked as deleted")
}

// rset is RSET: no message is marked any more.
func (s *session) rset(string) {
	s.drop.deleted.clear()
	s.drop.removed = 0
	s.ok("no message is marked")
}

// noop is NOOP.
func (s *session) noop(string) { s.ok("nothing done") }
