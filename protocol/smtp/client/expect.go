package client

import (
	"fmt"

	"rohrpost/protocol/smtp"
)

// expected is the command that a coming reply answers. One lastReply stands for
// all the verdicts that LMTP gives after the last chunk.
type expected struct {
	kind kind
	t    *sending // nil for QUIT
}

type kind int

const (
	mailReply kind = iota
	rcptReply
	chunkReply
	lastReply
	resetReply
	quitReply
)

// expect notes that a command is about to be written.
func (c *Conn) expect(e ...expected) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.closed {
		return fmt.Errorf("session is being closed")
	}
	if len(c.queue) == 0 {
		c.deadline(true)
	}
	c.queue = append(c.queue, e...)
	c.closed = e[0].kind == quitReply
	return nil
}

// expectCommands notes MAIL and each RCPT.
func (c *Conn) expectCommands(s *sending) error {
	var few [8]expected
	all := append(few[:0], expected{mailReply, s})
	for range s.replies {
		all = append(all, expected{rcptReply, s})
	}
	return c.expect(all...)
}

// answer gives a reply to the command it answers.
func (c *Conn) answer(reply smtp.Reply) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return fmt.Errorf("%w: %q answers nothing", ErrReply, reply)
	}
	e := c.queue[0]
	if e.kind == quitReply || e.t.take(e.kind, reply) {
		c.pop()
	}
	c.deadline(len(c.queue) > 0)
	return nil
}

// pop removes the first, and gives the room back when all are gone.
func (c *Conn) pop() {
	c.queue[0] = expected{}
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
}

// take notes a reply, and reports whether the command is answered by it.
func (t *sending) take(k kind, reply smtp.Reply) bool {
	switch k {
	case mailReply:
		if !reply.OK() {
			t.refused = reply
		}
	case rcptReply:
		if t.refused.Code != 0 {
			reply = t.refused // the server only says that there was no MAIL
		}
		t.replies[t.next] = reply
		if t.next++; t.next == len(t.replies) {
			t.next = 0
		}
	case chunkReply:
		// The first refusal says why; what follows it is its consequence.
		if !reply.OK() && t.refused.Code == 0 {
			t.refused = reply
		}
	case lastReply:
		return t.takeVerdict(reply)
	}
	return true
}

// takeVerdict notes a reply to the last chunk. There is one for each recipient
// that was accepted (RFC 2033 section 4.2), or a single one if the server has no
// transaction any more.
func (t *sending) takeVerdict(reply smtp.Reply) (all bool) {
	if t.refused.Code != 0 {
		verdictOf(t.replies, t.refused)
		t.end(nil)
		return true
	}
	if !t.skip() {
		t.end(nil) // no recipient was accepted, and this says so once more
		return true
	}
	t.replies[t.next] = reply
	t.next++
	if t.skip() {
		return false
	}
	t.end(nil)
	return true
}

// skip goes to the next recipient that was accepted at RCPT, if there is one.
func (t *sending) skip() bool {
	for t.next < len(t.replies) && !t.replies[t.next].OK() {
		t.next++
	}
	return t.next < len(t.replies)
}
