package server

import "rohrpost/protocol/smtp"

// help is HELP (RFC 5321 section 4.1.1.8).
func (s *Session) help(string) smtp.Reply { return replyHelp }
