package server

import (
	"rohrpost/maildir"
	"rohrpost/protocol/imap"
)

// namespace is NAMESPACE (RFC 2342; RFC 9051 section 6.3.10): one personal namespace
// without a prefix, nobody else's and no shared one.
func (s *Session) namespace(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	s.w.Words("NAMESPACE", `(("" "`+maildir.Separator+`"))`, "NIL", "NIL")
	return ok("that is all"), nil
}
