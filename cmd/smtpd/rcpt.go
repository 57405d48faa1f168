package main

import (
	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

// judgeRcpt decides whether a recipient is accepted and returns the address that
// goes into the queue. The zero Reply accepts.
func (b *backend) judgeRcpt(m *server.Mail, to address.Address) (address.Address, smtp.Reply) {
	to, err := b.rewrite(to)
	if err != nil {
		b.log.Event("relayclient-failed", "to", "<"+to.String()+">", "err", err)
		return to, replyLater
	}
	target, err := b.set.table.Resolve(to)
	if err != nil {
		b.log.Event("route-failed", "to", "<"+to.String()+">", "err", err)
		return to, replyLater
	}
	to = target.Address
	switch {
	case target.Kind == route.Remote && !target.Relay && !b.mayRelay(m):
		return to, replyNoRelay
	case b.set.rcptCheck != "":
		return to, b.askRcptCheck(m, to)
	case target.Kind == route.Unknown:
		return to, replyNoUser
	}
	return to, smtp.Reply{}
}

// mayRelay reports whether this client may send to anybody.
func (b *backend) mayRelay(m *server.Mail) bool {
	return m.Client.Login != "" || b.set.relayClient != nil
}

// rewrite appends the value of RELAYCLIENT, as qmail-smtpd does.
func (b *backend) rewrite(to address.Address) (address.Address, error) {
	if b.set.relayClient == nil || *b.set.relayClient == "" {
		return to, nil
	}
	a, err := address.Parse(to.String()+*b.set.relayClient, true)
	if err != nil {
		return to, err
	}
	return a, nil
}
