package server

import (
	"strings"

	"rohrpost/protocol/smtp"
)

// The values of BODY.
const (
	bodySeven  = "7BIT"
	bodyEight  = "8BITMIME"
	bodyBinary = "BINARYMIME"
)

// eightBitMIME is RFC 6152.
var eightBitMIME = extension{
	offer: always("8BITMIME"),
	mail:  []param[Mail]{{"BODY", setBody}},
}

// binaryMIME is the second half of RFC 3030, for messages that came in by other
// ways and have bytes in them that SMTP's lines cannot carry.
var binaryMIME = extension{
	offer: func(s *Session) (string, bool) { return "BINARYMIME", s.conf.BinaryMIME },
}

// chunking is the first half of RFC 3030: BDAT.
var chunking = extension{offer: always("CHUNKING")}

func setBody(s *Session, m *Mail, value string) smtp.Reply {
	v := strings.ToUpper(value)
	if v != bodySeven && v != bodyEight && !(v == bodyBinary && s.conf.BinaryMIME) {
		return replySyntax
	}
	m.Body = v
	return smtp.Reply{}
}
