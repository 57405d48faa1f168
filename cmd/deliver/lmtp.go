package main

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/route"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
	"rohrpost/protocol/ucspi"
)

// Bounds of deliver --lmtp.
const (
	// inFlight is how many messages are stored at a time. A small message is
	// mostly two waits for the disk, and waits overlap.
	inFlight = 16
	// maxRecipients is how many copies one message may need. A large message is
	// written into all of them as it comes, with a descriptor for each.
	maxRecipients = 100
	// lmtpTimeout is how long a client on a socket may be silent. On a pipe the
	// client is the program that started us, and its end is our end of input.
	lmtpTimeout = 5 * time.Minute
)

// lmtp is the backend of the session: many messages, each to recipients that
// users(5) knows.
type lmtp struct {
	table *route.Table
	boxes *boxes
	work  chan func()
	log   *maillog.Logger
	over  verdict // for a mailbox that is full
}

// serveLMTP is deliver --lmtp.
func serveLMTP(o options) error {
	etc := control.Open(o.etc)
	mail, err := etc.Mail(o.mail)
	if err != nil {
		return err
	}
	table, err := route.Load(etc, mail)
	if err != nil {
		return err
	}
	host, err := etc.Me()
	if err != nil {
		return err
	}
	log := maillog.New("deliver")
	b := &lmtp{table: table, boxes: newBoxes(disk.Shared(disk.OS), mail), work: startPool(inFlight), log: log, over: o.over()}
	conn := ucspi.Stdio()
	limits := server.Limits{Recipients: maxRecipients, Messages: -1, Errors: -1, Junk: -1}
	if isSocket(conn.InFd()) {
		limits.Timeout, conn.WriteTimeout = lmtpTimeout, lmtpTimeout
	}
	s := server.New(conn, b, server.Config{
		Host: host, LMTP: true, DeliveryID: true, NoDSN: true, BinaryMIME: true, InFlight: inFlight,
		Limits: limits, Event: func(event string, pairs ...any) { log.Event(event, pairs...) },
	})
	stopOnSignal(s, conn)
	if err := s.Serve(); err != nil {
		log.Event("lost", "err", err)
		return frame.Exit(frame.Delivery.Temporary)
	}
	return nil
}

// stopOnSignal ends the session between two commands: messages that are whole
// get their verdicts, one that is still coming is dropped.
func stopOnSignal(s *server.Session, conn *ucspi.Conn) {
	if err := conn.EnableInterrupt(); err != nil {
		return // a signal then ends us at once, which loses nothing either
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	go func() {
		defer exitOnPanic()
		<-c
		s.Stop()
	}()
}

func isSocket(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}

// startPool starts n workers for the jobs sent to the channel.
func startPool(n int) chan func() {
	work := make(chan func())
	for range n {
		go func() {
			defer exitOnPanic()
			for job := range work {
				job()
			}
		}()
	}
	return work
}

// Mail opens a transaction. Any sender is fine: who may send was decided before.
func (b *lmtp) Mail(m *server.Mail) (server.Transaction, smtp.Reply) {
	return &transaction{lmtp: b, returnPath: "Return-Path: <" + m.From.String() + ">"}, smtp.Reply{}
}

// resolve finds the mailbox of a recipient. The error is a refusal, or one of
// the configuration.
func (b *lmtp) resolve(a address.Address) (route.Target, error) {
	t, err := b.table.Resolve(a)
	if err != nil {
		return t, &refusal{misconfigured, err}
	}
	switch t.Kind {
	case route.Mailbox:
		if uid := os.Geteuid(); t.User.UID != -1 && t.User.UID != uid {
			return t, misconfigured.because("%s:%d: mail of %s belongs to uid %d, deliver runs as uid %d; leave the uid empty, or run a deliver as that uid",
				t.User.File, t.User.Line, t.User.Name, t.User.UID, uid)
		}
		return t, nil
	case route.Unknown:
		return t, unknownUser.because("%s", t.Why[len(t.Why)-1])
	case route.Alias:
		return t, misconfigured.because("%s is an alias; whoever feeds deliver expands them", a)
	}
	return t, misconfigured.because("%s is not a domain of this host; see locals and virtualdomains", t.Domain)
}

// smtp is the verdict as the client hears it: no paths, no reasons.
func (v verdict) smtp() smtp.Reply { return smtp.Reply{Code: v.reply, Enhanced: v.code, Text: v.text} }
