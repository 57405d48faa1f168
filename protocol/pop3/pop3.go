// Package pop3 serves mail by the Post Office Protocol, version 3 (RFC 1939),
// with CAPA and response codes (RFC 2449, RFC 3206), STLS (RFC 2595), SASL
// (RFC 5034), UTF8 and LANG (RFC 6856).
//
// A session has two halves, which may be two programs one after the other:
// Authorize speaks with a stranger until he has proved who he is and never reads
// a byte further than that; Transact serves one Maildir to its owner.
//
// Invariants of a session:
//  1. Message numbers are given once, when the Maildir is listed. They stay,
//     whatever other programs do to the files; if the list is lost, the session
//     ends.
//  2. Nothing is deleted before QUIT, and QUIT says +OK only when no power cut
//     brings a deleted message back.
//  3. A message is sent as it lies in the file that was opened, with lines ended
//     by CRLF; if the file cannot be read to its end, the client sees no final
//     dot and so no message.
//  4. Replies hold nothing of what the client sent, and nothing of why we failed.
//
// LOGIN-DELAY and the exclusive lock of RFC 1939 section 4 are left out on
// purpose: a Maildir needs no lock, and several sessions at once are usual.
//
// Start reading at commands in command.go.
package pop3

import (
	"errors"
	"io"

	"rohrpost/protocol/line"
)

// Bounds on what a client sends in one line, in bytes without the line end.
const (
	// maxLine holds a batch of pipelined commands; one must be able to have the
	// 255 octets of RFC 2449 section 4.
	maxLine = 4 << 10
	// maxAuthLine is for the responses of SASL, whose length RFC 5034 section 4
	// leaves to the mechanism.
	maxAuthLine = 8 << 10
)

// Conn is the peer. ReadLineBytes reads like Read, but never past an LF.
type Conn interface {
	io.ReadWriter
	ReadLineBytes(p []byte) (int, error)
}

// Log takes events: a word, and keys and values in turn.
type Log func(event string, pairs ...any)

// state is where a session is (RFC 1939 section 3). A command is allowed in one
// state or in both.
type state uint8

const (
	authorization state = 1 << iota
	transaction
	ended
)

// session is one half of a session; which one, its state tells.
type session struct {
	state state
	r     *line.Reader
	w     *line.Writer
	log   Log

	offer   capabilities
	limit   int            // of a command line
	account *Authorization // in the authorization state
	drop    *maildrop      // in the transaction state
	err     error          // why the session ended, if not by QUIT or login
}

// newSession is a session whose lines are at most limit bytes long.
func newSession(c Conn, log Log, limit int) *session {
	s := &session{r: line.NewReader(c, limit+2), w: line.NewWriter(c), log: log, limit: limit}
	s.r.BeforeFill = s.w.Flush
	return s
}

// run reads and obeys commands until the session ends.
func (s *session) run() error {
	for s.state != ended {
		l, err := s.r.ReadLine(s.limit)
		switch {
		case errors.Is(err, line.ErrTooLong):
			s.unknown("line too long")
		case err != nil:
			s.end(err)
		default:
			s.obey(l)
		}
		if err := s.w.Err(); err != nil && s.state != ended {
			s.end(err) // nobody reads what is answered
		}
	}
	if err := s.w.Flush(); err != nil && s.err == nil {
		s.err = err
	}
	return s.err
}

// end ends the session; err is nil after QUIT.
func (s *session) end(err error) {
	s.state, s.err = ended, err
}

// ok answers +OK and a text for people.
func (s *session) ok(text string) {
	s.w.String("+OK ")
	s.w.Line(text)
}

// no answers -ERR and a text for people, which may begin with a response code
// (RFC 2449 section 8) and begins with "[" only then.
func (s *session) no(text string) {
	s.w.String("-ERR ")
	s.w.Line(text)
}

// dot ends a multi-line answer.
func (s *session) dot() { s.w.Line(".") }
