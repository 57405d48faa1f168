package server

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// readBuffer is the size of the one read buffer, in bytes. Memory that no client
// fills is never touched.
const readBuffer = 64 << 10

// Session is one connection.
type Session struct {
	conn    *ucspi.Conn
	in      *line.Reader
	out     *output
	backend Backend
	conf    Config
	client  *Client

	stopping atomic.Bool
	closing  bool  // the last reply has been queued
	lost     error // what ended the connection in the middle of a command
	extended bool  // EHLO or LHLO was said

	mail       *Mail // of the transaction that is open, or nil
	tx         Transaction
	recipients int      // accepted in it
	surplus    int      // refused in it since there were too many
	message    *message // its message, if it comes in chunks

	counts struct{ errors, junk, unknown, tries, messages int }
}

// Serve greets the client and answers it until QUIT, the end of input, a timeout
// or Stop. Verdicts still outstanding are waited for. The error is nil if the
// client ended the session, or we did, in one of the ways that the protocol
// knows; else it says what happened to the connection.
func (s *Session) Serve() error {
	err := s.greet()
	for err == nil && !s.closing {
		err = s.command()
	}
	s.abort()
	s.conn.Deadline = time.Time{}
	if err != nil {
		s.farewell(err)
	}
	if e := s.out.finish(); err == nil {
		err = e
	}
	if errors.Is(err, io.EOF) || errors.Is(err, ucspi.ErrInterrupted) {
		return nil
	}
	return err
}

// Stop ends the session at the next command boundary: at once if it waits for a
// command, else when the current one has its verdict. Any goroutine may call it.
func (s *Session) Stop() {
	s.stopping.Store(true)
	s.conn.Interrupt()
}

// LoggedIn reports whether the client has logged in.
func (s *Session) LoggedIn() bool { return s.client.Login != "" }

// greet says who we are, unless the client could not wait for it.
func (s *Session) greet() error {
	if s.conf.GreetDelay > 0 {
		early, err := s.conn.ReadableWithin(s.conf.GreetDelay)
		if err != nil {
			return err
		}
		if early {
			s.event("early-talker")
			s.hangUp(replyEarly)
			return nil
		}
	}
	word := " ESMTP"
	if s.conf.LMTP {
		word = " LMTP"
	}
	s.reply(smtp.Reply{Code: 220, Text: s.conf.Greeting + word})
	return nil
}

// command reads one command line and answers it.
func (s *Session) command() error {
	if s.stopping.Load() {
		return ucspi.ErrInterrupted
	}
	l, err := s.readLine(maxCommandLine)
	switch {
	case errors.Is(err, line.ErrTooLong):
		s.answer(replyLineTooLong)
		return nil
	case err != nil:
		return err
	case s.in.BareLF():
		s.answer(replyBareLF)
		return nil
	}
	s.dispatch(l)
	return s.lost
}

// readLine waits for one line, which must be whole within the timeout. Stop may
// end the wait.
func (s *Session) readLine(limit int) ([]byte, error) {
	s.setDeadline()
	s.conn.Interruptible = true
	l, err := s.in.ReadLine(limit)
	s.conn.Interruptible = false
	return l, err
}

// linger makes the connection call Lingering if the transaction that begins is
// one that waits.
func (s *Session) linger() {
	if s.conf.Lingering == nil {
		return
	}
	s.conn.Patience = time.Second
	s.conn.OnWait = func() {
		s.conf.Lingering()
		s.conf.Lingering = nil
	}
}

func (s *Session) setDeadline() {
	if t := s.conf.Limits.Timeout; t > 0 {
		s.conn.Deadline = s.now().Add(t)
	}
}

func (s *Session) now() time.Time {
	if s.conn.Now != nil {
		return s.conn.Now()
	}
	return time.Now()
}

// answer queues the reply to a command and holds the client to the number of
// errors it may make. The zero Reply says that the command has been answered; a
// backend's 421 ends the session (RFC 5321 section 3.8).
func (s *Session) answer(r smtp.Reply) {
	switch {
	case r.Code == 0:
		return
	case r.Code == 421:
		s.hangUp(r)
		return
	case r.Code < 400:
		s.reply(r)
		return
	}
	s.reply(r)
	if s.counts.errors++; s.counts.errors >= s.conf.Limits.Errors && !s.closing {
		s.event("too-many-errors", "last", r.String())
		s.hangUp(replyTooManyErrors)
	}
}

// hangUp queues a last reply.
func (s *Session) hangUp(r smtp.Reply) {
	s.reply(r)
	s.closing = true
}

// farewell tells the client why the session ends, if there is a reason that it
// can still read.
func (s *Session) farewell(err error) {
	switch {
	case errors.Is(err, ucspi.ErrInterrupted):
		s.reply(replyShutdown)
	case errors.Is(err, ucspi.ErrTimeout):
		s.reply(replyTimeout)
	case errors.Is(err, ucspi.ErrTooSlow):
		s.reply(replyTooSlow)
	case errors.Is(err, line.ErrFlood):
		s.reply(replyLineTooLong)
	}
}

// abort drops the open transaction.
func (s *Session) abort() {
	if s.tx != nil {
		s.tx.Abort()
	}
	s.forget()
}

// forget clears the transaction, which has been given away or dropped.
func (s *Session) forget() {
	s.mail, s.tx, s.recipients, s.surplus, s.message = nil, nil, 0, 0, nil
	s.conn.OnWait = nil
}

func (s *Session) event(event string, pairs ...any) {
	if s.conf.Event != nil {
		s.conf.Event(event, pairs...)
	}
}

// input lets replies leave before it waits for the client.
type input struct {
	conn *ucspi.Conn
	out  *output
}

func newInput(conn *ucspi.Conn, out *output) *line.Reader {
	return line.NewReader(input{conn, out}, readBuffer)
}

func (i input) Read(p []byte) (int, error) {
	if err := i.out.beginWait(); err != nil {
		return 0, err
	}
	n, err := i.conn.Read(p)
	i.out.endWait()
	return n, err
}
