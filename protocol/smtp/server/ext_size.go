package server

import (
	"strconv"

	"rohrpost/protocol/smtp"
)

// size is RFC 1870. What is declared only helps to refuse early; what comes is
// counted in any case.
var size = extension{
	offer: func(s *Session) (string, bool) {
		if s.conf.Limits.MessageBytes == 0 {
			return "SIZE", true
		}
		return "SIZE " + strconv.FormatInt(s.conf.Limits.MessageBytes, 10), true
	},
	mail: []param[Mail]{{"SIZE", setSize}},
}

func setSize(s *Session, m *Mail, value string) smtp.Reply {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || value[0] == '+' {
		return replySyntax
	}
	if limit := s.conf.Limits.MessageBytes; limit > 0 && int64(n) > limit {
		return replyTooBig
	}
	m.Size = int64(n)
	return smtp.Reply{}
}
