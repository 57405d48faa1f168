package server

import "rohrpost/protocol/imap"

// close is CLOSE (RFC 9051 section 6.4.1): what is flagged \Deleted goes without a
// word.
func (s *Session) close(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	if !s.box.readOnly {
		if err := s.remove(s.box.deleted(nil)); err != nil {
			return s.failed("CLOSE", err), nil
		}
	}
	s.leave()
	return ok("closed"), nil
}

// unselect is UNSELECT (RFC 9051 section 6.4.2): nothing goes.
func (s *Session) unselect(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	s.leave()
	return ok("unselected"), nil
}
