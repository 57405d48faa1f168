package main

import (
	"errors"
	"os"
	"strings"

	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
	"rohrpost/protocol/auth"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

// login asks the checkpassword program.
func (b *backend) login(login, password string) server.LoginVerdict {
	env := append(os.Environ(), b.peer.Environ()...)
	_, err := auth.Check(b.set.auth, b.set.loginOK, login, password, "", env)
	switch {
	case err == nil:
		b.log.Event("login", "login", login, "peer", b.peer.RemoteIP())
		return server.LoginGranted
	case errors.Is(err, auth.ErrRefused):
		b.log.Event("login-refused", "login", login, "peer", b.peer.RemoteIP())
		return server.LoginDenied
	}
	b.log.Event("login-failed", "login", login, "peer", b.peer.RemoteIP(), "err", err)
	return server.LoginUnknown
}

// judgeLoggedIn binds the sender to the login: its own mailbox, with any
// extension, and what senders lists for it. The null reverse-path is for reports
// that a mail reader makes.
func (b *backend) judgeLoggedIn(m *server.Mail) smtp.Reply {
	login := strings.ToLower(m.Client.Login)
	if m.From.Null() || b.set.senders[login].match(m.From) {
		return smtp.Reply{}
	}
	own, err := b.ownAddress(login, m.From)
	switch {
	case err != nil:
		b.log.Event("route-failed", "from", "<"+m.From.String()+">", "err", err)
		return replyLater
	case !own:
		return replyNotYours
	}
	return smtp.Reply{}
}

// ownAddress reports whether an address is the login's own: the login itself,
// for users whom only the checkpassword program knows, or an address that leads
// into the mailbox of the login's user.
func (b *backend) ownAddress(login string, from address.Address) (bool, error) {
	addr := strings.ToLower(from.String())
	if addr == login || addr == login+"@"+b.set.me {
		return true, nil
	}
	user, ok, err := b.set.table.Login(login)
	if err != nil || !ok {
		return false, err
	}
	target, err := b.set.table.Resolve(from)
	return target.Kind == route.Mailbox && target.User.Name == user.Name, err
}
