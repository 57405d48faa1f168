package server

import "rohrpost/protocol/smtp"

// rset is RSET (RFC 5321 section 4.1.1.5): the transaction is dropped, chunks of
// its message included.
func (s *Session) rset(string) smtp.Reply {
	s.abort()
	return replyOK
}
