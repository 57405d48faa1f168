package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	"rohrpost/protocol/auth"
	"rohrpost/protocol/pop3"
	"rohrpost/protocol/ucspi"
)

// offeredEnv carries from the first half to the second what CAPA announced.
const offeredEnv = "POP3CAPA"

// authorize is the first half: it serves a stranger until a login is right, and
// then becomes the second half.
func (s *server) authorize(argv []string) error {
	judge, err := s.client.Authenticator(argv)
	if err != nil {
		io.WriteString(s.client.Conn, "-ERR [SYS/TEMP] nobody can log in now, try again later\r\n")
		return err
	}
	a := &pop3.Authorization{
		Conn:      s.client.Conn,
		Log:       s.client.Log.Event,
		Plaintext: s.client.Plaintext(s.flags.plaintext),
		Early:     s.client.Conn.Pending,
		Check:     judge.Check,
	}
	if a.Stamp, err = s.stamp(); err != nil {
		return err
	}
	if offer, ok := ucspi.TLSOffer(os.Getenv); ok {
		a.StartTLS = func() (pop3.Conn, error) {
			err := s.client.StartTLS(offer)
			return s.client.Conn, err
		}
	}
	// Nobody needs longer than that to say who he is.
	s.client.Conn.Deadline = time.Now().Add(s.flags.timeout)
	if ok, err := a.Authorize(); !ok {
		s.client.Over(err)
		return nil
	}
	err = login.Exec(judge.ID, s.secondHalf(judge.ID), offeredEnv+"="+a.Offered())
	s.client.Log.Event("login-failed", "user", a.Login, "err", err)
	io.WriteString(s.client.Conn, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n")
	return frame.Exit(frame.Server.Temporary)
}

// stamp is the timestamp of APOP: never twice the same (RFC 1939 section 7).
func (s *server) stamp() (string, error) {
	if !s.flags.apop {
		return "", nil
	}
	me, err := control.Open(s.flags.etc).Me()
	return fmt.Sprintf("<%d.%d@%s>", os.Getpid(), time.Now().UnixNano(), me), err
}

// secondHalf is the command line of the second half.
func (s *server) secondHalf(id auth.Identity) []string {
	return []string{
		"--uidl=" + s.flags.uidl,
		"--keep-flags=" + strconv.FormatBool(s.flags.keepFlags),
		"--timeout=" + s.flags.timeout.String(),
		"--create",
		login.Maildir(id.Env, id.Dir),
	}
}
