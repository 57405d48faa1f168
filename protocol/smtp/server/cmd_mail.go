package server

import (
	"strings"

	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
)

// mailFrom is MAIL (RFC 5321 section 4.1.1.2): it opens a transaction.
func (s *Session) mailFrom(args string) smtp.Reply {
	if s.mail != nil {
		return replyNested
	}
	if s.counts.messages >= s.conf.Limits.Messages {
		s.hangUp(replyTooManyMessages)
		return smtp.Reply{}
	}
	m, refusal := s.parseMail(args)
	if refusal.Code != 0 {
		return refusal
	}
	tx, r := s.backend.Mail(m)
	if refuses(r) {
		return r
	}
	s.mail, s.tx = m, tx
	s.linger()
	s.counts.messages++
	if r.Code == 0 {
		r = replyMailOK
	}
	return r
}

func (s *Session) parseMail(args string) (*Mail, smtp.Reply) {
	path, rest, err := parsePathOf("FROM:", args)
	if err != nil || path.Domain == "" && path.Local != "" {
		return nil, replyBadSender
	}
	m := &Mail{From: path, Size: -1, Client: s.client}
	if r := parseParams(s, rest, m, mailParams); r.Code != 0 {
		return nil, r
	}
	if !m.UTF8 && hasEightBit(args) {
		return nil, replyNeedUTF8
	}
	return m, smtp.Reply{}
}

// parsePathOf reads "FROM:<path>" or "TO:<path>" and returns what follows it.
//
// QUIRK: blanks before the path are against RFC 5321 section 3.3 and common.
func parsePathOf(word, args string) (address.Address, string, error) {
	if len(args) < len(word) || !strings.EqualFold(args[:len(word)], word) {
		return address.Address{}, "", address.ErrSyntax
	}
	a, rest, err := address.ParsePath(strings.TrimLeft(args[len(word):], " "), true)
	if err == nil && rest != "" && rest[0] != ' ' {
		err = address.ErrSyntax
	}
	return a, rest, err
}

func hasEightBit(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}
