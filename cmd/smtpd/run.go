package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/protocol/smtp/server"
	"rohrpost/protocol/ucspi"
)

// checkArgs allows words only behind --, where they are a program.
func checkArgs(dash int, args []string) error {
	switch {
	case dash < 0 && len(args) > 0:
		return fmt.Errorf("unexpected argument %q; a checkpassword program goes behind --", args[0])
	case dash == 0 && len(args) == 0:
		return errors.New("-- without a checkpassword program behind it")
	}
	return nil
}

// run is one connection, and those that listen hands on after it.
func run(o options) error {
	next, more := ucspi.NextOffer(os.Getenv)
	for n := 1; ; n++ {
		clean, err := serve(o, connectionName(n))
		if err != nil || !clean || !more {
			return err
		}
		if err := next.Wait(); err != nil {
			return nil // listen has no use for us, or is no more
		}
	}
}

// connectionName is what the log calls the nth connection of this process.
func connectionName(n int) string {
	name := strconv.Itoa(os.Getpid())
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// serve is one connection. It reports whether the process is as it was before,
// so that it may serve a stranger again: the client has said goodbye, nobody has
// logged in, and nothing of the session lives on.
func serve(o options, name string) (clean bool, err error) {
	set, err := load(o)
	if err != nil {
		return false, turnAway(o, err)
	}
	peer := ucspi.PeerOf(os.Getenv, 0)
	log := maillog.New("smtpd").With("c", name)
	b := &backend{set: set, peer: peer, log: log, now: time.Now}
	if err := b.open(); err != nil {
		return false, turnAway(o, err)
	}
	defer b.close()
	conn := ucspi.Stdio()
	conn.WriteTimeout = set.timeout
	c := b.config()
	lingered := false
	var s *server.Session
	c.Lingering = func() {
		lingered = true
		stopOnSignal(conn, func() { s.Stop() })
	}
	s = server.New(conn, b, c)
	err = s.Serve()
	clean = err == nil && !lingered && !set.lmtp && !s.LoggedIn()
	return clean, b.ended(err)
}

// turnAway tells the client, in place of a greeting, that we cannot serve it,
// and the log why. Misuse of the command line is between us and who typed it.
func turnAway(o options, err error) error {
	if !frame.IsUsage(err) {
		unix.Write(1, replyClosed.Append(nil))
	}
	return control.Open(o.etc).Within(err)
}

// stopOnSignal ends the session at a command boundary when a supervisor says so.
// The three threads that Go needs to listen for a signal cost an eighth of a
// session's memory and more time than a small message has. So only a transaction
// that takes long is worth them; else the signal ends us as it is, and what was
// not acknowledged is sent again.
func stopOnSignal(conn *ucspi.Conn, stop func()) {
	if conn.EnableInterrupt() != nil {
		return // no descriptor left: the signal will end us at once
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTERM)
	go func() {
		<-c
		stop()
	}()
}

// ended logs what happened to a connection that did not end as it should. It is
// the client's doing, so it is no failure of ours.
func (b *backend) ended(err error) error {
	switch {
	case err == nil:
	case errors.Is(err, ucspi.ErrTimeout):
		b.log.Event("timeout", "peer", b.peer.RemoteIP())
	case errors.Is(err, ucspi.ErrTooSlow):
		b.log.Event("too-slow", "peer", b.peer.RemoteIP())
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.log.Event("lost", "peer", b.peer.RemoteIP(), "err", "input ended within a command or message")
	default:
		b.log.Event("lost", "peer", b.peer.RemoteIP(), "err", err)
	}
	return nil
}

// config is how the engine is to behave for this client.
func (b *backend) config() server.Config {
	set := b.set
	c := server.Config{
		Host:          set.me,
		Greeting:      set.greeting,
		LMTP:          set.lmtp,
		Submission:    set.submission,
		TLS:           b.peer.TLS,
		LoginNeedsTLS: !set.plaintextLogin && !b.peer.IsLocal(),
		GreetDelay:    set.greetDelay,
		Event:         b.event,
		Limits: server.Limits{
			MessageBytes: set.databytes,
			Recipients:   set.maxRecipients,
			Timeout:      set.timeout,
			MinRate:      minRate,
		},
	}
	if set.lmtp {
		c.InFlight, c.NoDSN = lmtpInFlight, true
	}
	if len(set.auth) > 0 {
		c.Login = b.login
	}
	return c
}

// event logs what the engine reports, with the peer.
func (b *backend) event(event string, pairs ...any) {
	b.log.Event(event, append(pairs, "peer", b.peer.RemoteIP())...)
}
