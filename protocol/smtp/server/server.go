// Package server is the receiving side of SMTP, message submission and LMTP over
// one connection: RFC 5321, RFC 6409, RFC 2033, and the extensions that the list
// in extension.go names. It knows no queue and no mailbox: those are the Backend.
//
// One Serve call is one connection. Commands are a table (command.go), each in a
// file of its own; so are extensions, one file and one line in the list.
//
// Invariants of a session:
//  1. Only CRLF ends a command line or a line of a message, only CRLF.CRLF ends
//     DATA, and a chunk of BDAT is as long as announced. What is refused is read
//     to its end first, so no byte of a message is ever taken for a command.
//  2. A message is given to Transaction.End only if every byte of it has
//     arrived. A client that goes away in the middle leaves nothing behind.
//  3. Replies leave in the order of the commands. They gather while input is
//     there to be worked on and are written before the engine waits for more.
//  4. No bytes of a client appear in a reply.
//  5. Lines, counts, errors and waits are bounded (Limits).
//
// Start reading at Session.Serve.
package server

import (
	"math"
	"time"

	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// Config is how a session behaves.
type Config struct {
	Host       string // our name, for the greeting and EHLO
	Greeting   string // what follows 220; "" for Host
	LMTP       bool   // RFC 2033: LHLO, and one verdict per recipient
	Submission bool   // RFC 6409: MAIL only after AUTH
	BinaryMIME bool   // offer BINARYMIME: such messages keep every byte but CRLF
	DeliveryID bool   // know XDELIVERYID and XAGAIN, if LMTP
	NoDSN      bool   // do not offer DSN: its reports stay the client's to make (RFC 3461 section 5.2)
	TLS        bool   // the bytes come out of TLS

	// Login checks a login and its password. nil: AUTH is not offered.
	Login func(login, password string) LoginVerdict

	// LoginNeedsTLS offers AUTH only where nobody can listen.
	LoginNeedsTLS bool

	// InFlight is how many messages may await their verdicts while the next
	// ones are read; 0 means 1: none is read before the verdict on the last.
	InFlight int

	// GreetDelay is how long the greeting waits for a client that talks first,
	// which is refused; 0 greets at once.
	GreetDelay time.Duration

	Limits Limits

	// Lingering, if set, is called once, when the client has a transaction open
	// and lets it wait for a second: the place for what most sessions, which
	// are quick or idle, need not pay for.
	Lingering func()

	// Event reports what the log should know; nil means nobody asks. The
	// events and their keys are in maillog(5).
	Event func(event string, pairs ...any)
}

// Limits bounds a session. For counts 0 is the default and -1 no bound.
type Limits struct {
	MessageBytes int64         // one message as stored; 0: no bound
	Recipients   int           // of one message; default 1000
	Messages     int           // transactions in one session; default 10000
	Errors       int           // commands answered with 4xx or 5xx; default 20
	Junk         int           // commands that do nothing, between two messages; default 100
	Tries        int           // failed logins; default 3
	Timeout      time.Duration // for one command line, and between pieces of a message; 0: for ever
	MinRate      int           // bytes per second within a message; 0: any
	RateWindow   time.Duration // over which MinRate is averaged; default 30 s
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Recipients, 1000)
	setDefault(&l.Messages, 10000)
	setDefault(&l.Errors, 20)
	setDefault(&l.Junk, 100)
	setDefault(&l.Tries, 3)
	if l.RateWindow == 0 {
		l.RateWindow = 30 * time.Second
	}
	return l
}

func setDefault(n *int, def int) {
	switch {
	case *n == 0:
		*n = def
	case *n < 0:
		*n = math.MaxInt
	}
}

// LoginVerdict is what a check of login and password found.
type LoginVerdict int

const (
	LoginUnknown LoginVerdict = iota // could not be checked now
	LoginDenied
	LoginGranted
)

// New makes a session of a connection. Serve runs it.
func New(conn *ucspi.Conn, b Backend, c Config) *Session {
	c.Limits = c.Limits.withDefaults()
	if c.InFlight == 0 {
		c.InFlight = 1
	}
	if c.Greeting == "" {
		c.Greeting = c.Host
	}
	s := &Session{conn: conn, backend: b, conf: c, out: newOutput(conn)}
	s.in = newInput(conn, s.out)
	s.client = &Client{With: "SMTP"}
	return s
}

// reply queues a reply in its turn.
func (s *Session) reply(r smtp.Reply) { s.out.reply(r) }

// refuses reports whether a backend's reply is a no. The zero Reply is a yes.
func refuses(r smtp.Reply) bool { return r.Code != 0 && !r.OK() }
