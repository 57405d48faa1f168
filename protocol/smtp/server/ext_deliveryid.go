package server

import "rohrpost/protocol/smtp"

// maxDeliveryID is the longest base name, in bytes; a file name has 255 for
// everything.
const maxDeliveryID = 150

// deliveryID is ours, for the pipe between relay and deliver --lmtp: the sender
// names the message that a recipient gets, so that a second attempt can find the
// first one's and deliver nothing twice.
var deliveryID = extension{
	offer: func(s *Session) (string, bool) { return "XDELIVERYID", s.conf.LMTP && s.conf.DeliveryID },
	rcpt:  []param[Rcpt]{{"XDELIVERYID", setDeliveryID}, {"XAGAIN", setAgain}},
}

func setDeliveryID(_ *Session, r *Rcpt, value string) smtp.Reply {
	if value == "" || len(value) > maxDeliveryID || value[0] == '.' {
		return replySyntax
	}
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c <= ' ', c >= 0x7f, c == '/', c == ',', c == ':':
			return replySyntax
		}
	}
	r.DeliveryID = value
	return smtp.Reply{}
}

func setAgain(_ *Session, r *Rcpt, value string) smtp.Reply {
	if value != "1" {
		return replySyntax
	}
	r.Again = true
	return smtp.Reply{}
}
