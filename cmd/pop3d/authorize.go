package main

import (
	"errors"
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
	if err := auth.Find(argv[0]); err != nil {
		io.WriteString(s.conn, "-ERR [SYS/TEMP] nobody can log in now, try again later\r\n")
		return fmt.Errorf("AUTH program %s: %w; give the path of one behind --", argv[0], err)
	}
	loginOK, err := frame.Libexec("login-ok")
	if err != nil {
		return err
	}
	var id auth.Identity
	a := &pop3.Authorization{
		Conn:      s.conn,
		Log:       s.log.Event,
		Plaintext: s.flags.plaintext || s.peer.TLS || s.peer.IsLocal(),
		Early:     s.conn.Pending,
		Check: func(mechanism, name, password, stamp string) (err error) {
			id, err = auth.Check(argv, loginOK, name, password, stamp, s.environ())
			s.report(mechanism, name, err)
			return err
		},
	}
	if a.Stamp, err = s.stamp(); err != nil {
		return err
	}
	if offer, ok := ucspi.TLSOffer(os.Getenv); ok {
		a.StartTLS = func() (pop3.Conn, error) { return s.startTLS(offer) }
	}
	// Nobody needs longer than that to say who he is.
	s.conn.Deadline = time.Now().Add(s.flags.timeout)
	if ok, err := a.Authorize(); !ok {
		return s.over(err)
	}
	err = login.Exec(id, s.secondHalf(id), offeredEnv+"="+a.Offered())
	s.log.Event("login-failed", "user", a.Login, "err", err)
	io.WriteString(s.conn, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n")
	return frame.Exit(frame.Server.Temporary)
}

// environ is our environment, with the peer in UCSPI's words where inetd or
// systemd has not put it so.
func (s *server) environ() []string {
	if os.Getenv("PROTO") != "" {
		return os.Environ()
	}
	return append(os.Environ(), s.peer.Environ()...)
}

// report logs how a login went.
func (s *server) report(mechanism, name string, err error) {
	tls := ""
	if s.peer.TLS {
		tls = "yes"
	}
	pairs := []any{"user", name, "peer", s.peer.RemoteIP(), "mech", mechanism, "tls", tls}
	switch {
	case err == nil:
		s.log.Event("login", pairs...)
	case errors.Is(err, auth.ErrRefused):
		s.log.Event("login-refused", pairs...)
	default:
		s.log.Event("login-failed", append(pairs, "err", err)...)
	}
}

// stamp is the timestamp of APOP: never twice the same (RFC 1939 section 7).
func (s *server) stamp() (string, error) {
	if !s.flags.apop {
		return "", nil
	}
	me, err := control.Open(s.flags.etc).Me()
	return fmt.Sprintf("<%d.%d@%s>", os.Getpid(), time.Now().UnixNano(), me), err
}

// startTLS lets the wrapper start TLS, and returns the connection through it.
func (s *server) startTLS(offer ucspi.Offer) (pop3.Conn, error) {
	if err := offer.Start(); err != nil {
		return nil, err
	}
	deadline := s.conn.Deadline
	s.conn = stdio(s.flags.timeout)
	s.conn.Deadline = deadline
	s.peer.TLS = true
	return s.conn, nil
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

// over logs why a session ended before login.
func (s *server) over(err error) error {
	switch {
	case err == nil:
		s.log.Event("quit", "peer", s.peer.RemoteIP())
	default:
		s.log.Event("gone", "peer", s.peer.RemoteIP(), "err", err)
	}
	return nil
}
