package main

import (
	"strings"

	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp/server"
)

// dateFormat is date-time of RFC 5322 section 3.3.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// received is our trace line (RFC 5321 section 4.4):
//
//	Received: from mail.example.org (host.example.org [192.0.2.7])
//	  by mx.example.net with ESMTPSA id 1767323045.M5P77Q1R0a.mx
//	  for <al@example.net>; Fri, 02 Jan 2026 03:04:05 +0000
//
// Nothing in it is the client's free text: its name for itself is a domain or a
// literal, and what DNS says of it counts only if it is a domain.
func (b *backend) received(m *server.Mail, id, onlyRcpt string) []byte {
	l := append(make([]byte, 0, 512), "Received: from "...)
	l = append(l, b.client(m)...)
	l = append(l, "\n\tby "...)
	l = append(l, b.set.me...)
	l = append(l, " with "...)
	l = append(l, m.With()...)
	l = append(l, " id "...)
	l = append(l, id...)
	if onlyRcpt != "" {
		l = append(l, "\n\tfor <"...)
		l = append(l, onlyRcpt...)
		l = append(l, '>')
	}
	l = append(l, ";\n\t"...)
	l = b.now().UTC().AppendFormat(l, dateFormat)
	return append(l, '\n')
}

// client is the client in the words of a Received line: what it calls itself,
// then in brackets what the network says.
func (b *backend) client(m *server.Mail) string {
	return m.Client.Helo + " (" + b.peerText() + ")"
}

// peerText is the client's name, if DNS has one that is a name, and its address.
func (b *backend) peerText() string {
	ip := b.peer.RemoteIP()
	if ip == "" {
		return "local"
	}
	if strings.Contains(ip, ":") {
		ip = "IPv6:" + ip
	}
	text := "[" + ip + "]"
	if host, err := address.ParseDomain(b.peer.RemoteHost, false); err == nil && host[0] != '[' {
		text = host + " " + text
	}
	return text
}
