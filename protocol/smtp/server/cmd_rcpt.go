package server

import "rohrpost/protocol/smtp"

// rcptTo is RCPT (RFC 5321 section 4.1.1.3).
func (s *Session) rcptTo(args string) smtp.Reply {
	switch {
	case s.message != nil:
		return replyNotNow // chunks of the message have come already
	case s.recipients >= s.conf.Limits.Recipients:
		return s.tooMany()
	}
	rcpt, refusal := s.parseRcpt(args)
	if refusal.Code != 0 {
		return refusal
	}
	r := s.tx.Rcpt(rcpt)
	if r.Code == 0 {
		r = replyRcptOK
	}
	if r.OK() {
		s.recipients++
	}
	return r
}

// tooMany refuses a recipient beyond those that we take. That is no error of the
// client, who is to send the rest in another transaction (RFC 5321 section
// 4.5.3.1.10), so it is not counted as one before there are as many again.
func (s *Session) tooMany() smtp.Reply {
	if s.surplus++; s.surplus > s.conf.Limits.Recipients {
		return replyTooManyRcpts
	}
	s.reply(replyTooManyRcpts)
	return smtp.Reply{}
}

func (s *Session) parseRcpt(args string) (*Rcpt, smtp.Reply) {
	path, rest, err := parsePathOf("TO:", args)
	switch {
	case err != nil || path.Null():
		return nil, replyBadRcpt
	case !s.mail.UTF8 && hasEightBit(args):
		return nil, replyNeedUTF8
	}
	rcpt := &Rcpt{To: path}
	return rcpt, parseParams(s, rest, rcpt, rcptParams)
}
