package server

import "rohrpost/protocol/smtp"

// smtpUTF8 is RFC 6531: addresses and header fields in UTF-8. The parameter is
// for MAIL and covers the whole transaction.
var smtpUTF8 = extension{
	offer: always("SMTPUTF8"),
	mail:  []param[Mail]{{"SMTPUTF8", setUTF8}},
}

func setUTF8(_ *Session, m *Mail, value string) smtp.Reply {
	if value != "" {
		return replySyntax
	}
	m.UTF8 = true
	return smtp.Reply{}
}
