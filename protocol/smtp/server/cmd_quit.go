package server

import "rohrpost/protocol/smtp"

// quit is QUIT (RFC 5321 section 4.1.1.10). Verdicts still to come are waited
// for: they stand before the farewell.
func (s *Session) quit(string) smtp.Reply {
	s.hangUp(replyBye)
	return smtp.Reply{}
}
