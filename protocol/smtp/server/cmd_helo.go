package server

import (
	"net/netip"
	"strings"

	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
)

// helo is HELO (RFC 5321 section 4.1.1.1), for clients from before ESMTP.
func (s *Session) helo(args string) smtp.Reply {
	if s.conf.LMTP {
		return replyUnknown // RFC 2033 section 4.1
	}
	if !s.setHelo(args, false) {
		return replyHeloName
	}
	return smtp.Reply{Code: 250, Text: s.conf.Host}
}

// ehlo is EHLO, the beginning of everything newer.
func (s *Session) ehlo(args string) smtp.Reply {
	if s.conf.LMTP {
		return replyUnknown
	}
	return s.offer(args)
}

// lhlo is LHLO, which LMTP has instead of both (RFC 2033 section 4.1).
func (s *Session) lhlo(args string) smtp.Reply {
	if !s.conf.LMTP {
		return replyUnknown
	}
	return s.offer(args)
}

// offer answers with what this session can do.
func (s *Session) offer(name string) smtp.Reply {
	if !s.setHelo(name, true) {
		return replyHeloName
	}
	text := s.conf.Host
	for _, x := range extensions {
		if l, ok := x.offer(s); ok {
			text += "\n" + l
		}
	}
	return smtp.Reply{Code: 250, Text: text}
}

// setHelo takes the client's name, which drops any transaction as RSET does.
func (s *Session) setHelo(name string, extended bool) bool {
	helo, ok := heloName(name)
	if !ok {
		return false
	}
	s.abort()
	s.client.Helo = helo
	s.extended = extended
	s.nameProtocol()
	return true
}

// heloName checks what a client calls itself. It will stand in a Received line,
// so it must be a domain or an address literal.
//
// QUIRK: an address without its brackets is common enough to be understood.
func heloName(name string) (string, bool) {
	if ip, err := netip.ParseAddr(name); err == nil && ip.Zone() == "" {
		if ip.Is6() {
			return "[IPv6:" + ip.String() + "]", true
		}
		return "[" + ip.String() + "]", true
	}
	name = strings.TrimSuffix(name, ".") // a root dot is a resolver's habit
	d, err := address.ParseDomain(name, false)
	return d, err == nil
}

// nameProtocol finds the word for a Received line (RFC 3848).
func (s *Session) nameProtocol() {
	word := "SMTP"
	switch {
	case s.conf.LMTP:
		word = "LMTP"
	case s.extended:
		word = "ESMTP"
	}
	s.client.With = word + s.protocolSuffix()
}

func (s *Session) protocolSuffix() string {
	suffix := ""
	if s.conf.TLS {
		suffix = "S"
	}
	if s.client.Login != "" {
		suffix += "A"
	}
	return suffix
}
