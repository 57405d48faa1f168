package server

import "rohrpost/protocol/smtp"

// noop is NOOP (RFC 5321 section 4.1.1.9). Its argument, if any, means nothing.
func (s *Session) noop(string) smtp.Reply { return replyOK }
