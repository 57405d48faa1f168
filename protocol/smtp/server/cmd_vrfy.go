package server

import "rohrpost/protocol/smtp"

// vrfy is VRFY, and expn is EXPN (RFC 5321 sections 4.1.1.6 and 4.1.1.7). Who
// has a mailbox here is nobody's business, and 252 is the answer that RFC 5321
// section 7.3 has for that; it is the same for every argument.
func (s *Session) vrfy(args string) smtp.Reply {
	if args == "" {
		return replySyntax
	}
	return replyVerify
}

func (s *Session) expn(args string) smtp.Reply { return s.vrfy(args) }
