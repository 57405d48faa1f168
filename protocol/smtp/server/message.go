package server

import (
	"errors"
	"io"
	"time"

	"rohrpost/protocol/smtp"
)

// message is a message on its way in.
type message struct {
	dec     smtp.Decoder
	size    int64      // as stored, in bytes
	deaf    bool       // the backend has failed to write and is told no more
	refusal smtp.Reply // why it was refused before it came; zero: it was not
}

// take hands the next piece to the backend, as long as the message can still be
// accepted.
func (s *Session) take(m *message, text []byte) {
	m.size += int64(len(text))
	if len(text) == 0 || m.deaf || m.refusal.Code != 0 || m.dec.Err() != nil || s.overfull(m) {
		return
	}
	if _, err := s.tx.Write(text); err != nil {
		m.deaf = true
	}
}

// overfull reports whether the message is larger than we take.
func (s *Session) overfull(m *message) bool {
	limit := s.conf.Limits.MessageBytes
	return limit > 0 && m.size > limit
}

// finish ends the transaction of a message that has been read to its end: it
// goes to the backend for judgement, or is refused for what the engine saw.
func (s *Session) finish(m *message) {
	s.counts.junk = 0
	if r := s.fault(m); r.Code != 0 {
		s.refuse(r)
		return
	}
	v := s.out.expect()
	tx := s.tx
	s.forget()
	tx.End(v.is)
	s.out.settle(s.conf.InFlight)
}

// fault is the reply to a message that cannot be accepted whatever the backend
// thinks of it; the zero Reply: there is none.
func (s *Session) fault(m *message) smtp.Reply {
	switch {
	case m.refusal.Code != 0:
		return m.refusal
	case errors.Is(m.dec.Err(), smtp.ErrBareLF):
		return replyMessageLF
	case errors.Is(m.dec.Err(), smtp.ErrBareCR):
		return replyMessageCR
	case m.dec.Err() != nil:
		return replyMessageNUL
	case s.overfull(m):
		return replyTooBig
	}
	return smtp.Reply{}
}

// refuse drops the transaction and says why: once, or in LMTP once for each
// recipient (RFC 2033 section 4.2).
func (s *Session) refuse(r smtp.Reply) {
	s.event("refused", "from", "<"+s.mail.From.String()+">", "reply", r.String())
	n := 1
	if s.conf.LMTP && s.recipients > 0 {
		n = s.recipients
	}
	s.abort()
	for range n - 1 {
		s.reply(r)
	}
	s.answer(r)
}

// pace sets how a message must come: each wait bounded, and in all fast enough
// that no client can hold a session for ever by a trickle.
func (s *Session) pace(on bool) {
	s.conn.MinRate = 0
	s.conn.ReadTimeout = 0
	if on {
		s.conn.Deadline = time.Time{}
		s.conn.ReadTimeout = s.conf.Limits.Timeout
		s.conn.MinRate = s.conf.Limits.MinRate
		s.conn.RateWindow = s.conf.Limits.RateWindow
	}
}

// truncated is the error for input that ended within a message.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
