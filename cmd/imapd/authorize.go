package main

import (
	"io"
	"os"
	"time"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	"rohrpost/protocol/auth"
	imap "rohrpost/protocol/imap/server"
	"rohrpost/protocol/ucspi"
)

// tagEnv carries the tag of the login from the first half to the second, which
// answers it.
const tagEnv = "IMAPLOGINTAG"

// authorize is the first half: it serves a stranger until a login is right, and
// then becomes the second half.
func (s *server) authorize(argv []string) error {
	judge, err := s.client.Authenticator(argv)
	if err != nil {
		io.WriteString(s.client.Conn, "* BYE [UNAVAILABLE] nobody can log in now, try again later\r\n")
		return err
	}
	a := &imap.Authorization{
		Conn:      s.client.Conn,
		Log:       s.client.Log.Event,
		Version:   frame.Version,
		Plaintext: s.client.Plaintext(s.flags.plaintext),
		Early:     s.client.Conn.Pending,
		Check: func(mechanism, name, password string) error {
			return judge.Check(mechanism, name, password, "")
		},
	}
	if offer, ok := ucspi.TLSOffer(os.Getenv); ok {
		a.StartTLS = func() (imap.Conn, error) {
			err := s.client.StartTLS(offer)
			return s.client.Conn, err
		}
	}
	s.client.Conn.Deadline = time.Now().Add(s.flags.loginTimeout)
	if ok, err := a.Authorize(); !ok {
		s.client.Over(err)
		return nil
	}
	err = login.Exec(judge.ID, s.secondHalf(judge.ID), tagEnv+"="+a.Tag)
	s.client.Log.Event("login-failed", "user", a.Login, "err", err)
	io.WriteString(s.client.Conn, a.Tag+" NO [UNAVAILABLE] cannot open the mailbox now, try again later\r\n")
	return frame.Exit(frame.Server.Temporary)
}

// secondHalf is the command line of the second half.
func (s *server) secondHalf(id auth.Identity) []string {
	return []string{
		"--etc=" + s.flags.etc,
		"--timeout=" + s.flags.timeout.String(),
		"--create",
		login.Maildir(id.Env, id.Dir),
	}
}
