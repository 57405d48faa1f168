package server

import (
	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
)

// authentication is RFC 4954; the command is in cmd_auth.go. The old spelling
// with "=" was for clients that died twenty years ago.
var authentication = extension{
	offer: func(s *Session) (string, bool) { return "AUTH PLAIN LOGIN", s.offersAuth() },
	mail:  []param[Mail]{{"AUTH", setAuth}},
}

// setAuth takes the identity that a trusted client vouches for (RFC 4954 section
// 5). It is checked and handed on, never believed.
func setAuth(_ *Session, m *Mail, value string) smtp.Reply {
	if value != "<>" {
		text, err := smtp.DecodeXtext(value)
		if err != nil {
			return replySyntax
		}
		if _, err := address.Parse(text, true); err != nil {
			return replySyntax
		}
	}
	m.Auth = value
	return smtp.Reply{}
}
