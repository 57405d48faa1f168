package main

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"rohrpost/maildir"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

// transaction is one message of an LMTP session: an envelope, then the message,
// then a verdict for each recipient.
//
// The session's goroutine gathers the message. What fits into firstPiece is
// written by the workers at the end, one job for each copy; a larger message is
// written into all its copies as it comes, and the workers only commit.
type transaction struct {
	*lmtp
	returnPath string
	to         []*copyTo
	trace      *trace
	first      []byte // the message so far, until it is begun
	begun      bool

	verdict func(...smtp.Reply)
	replies []smtp.Reply
	left    atomic.Int32
}

// copyTo is one recipient and the copy of the message it gets.
type copyTo struct {
	address string // as Delivered-To names it
	inbox   *box
	box     *box // inbox, or a folder of it
	quota   string
	base    string // given by the client, or ""
	again   bool   // an earlier attempt may have stored it

	d      *maildir.Delivery
	failed error
}

// pieces recycles the first pieces of messages.
var pieces = sync.Pool{New: func() any { b := make([]byte, 0, firstPiece); return &b }}

// Rcpt finds the mailbox and opens it, so that most of what can go wrong is said
// before the message comes.
func (t *transaction) Rcpt(r *server.Rcpt) smtp.Reply {
	target, err := t.resolve(r.To)
	if err != nil {
		return t.refuse(r.To.String(), err)
	}
	c := &copyTo{address: target.Address.String(), quota: target.User.Quota, base: r.DeliveryID, again: r.Again}
	if err := t.openBoxes(c, target.User.Maildir(), target.Ext); err != nil {
		return t.refuse(c.address, err)
	}
	t.to = append(t.to, c)
	return smtp.Reply{}
}

func (t *transaction) refuse(to string, err error) smtp.Reply {
	r := judge(err)
	t.log.Event("refused", "to", "<"+to+">", "code", r.code, "err", r.why)
	return r.smtp()
}

func (t *transaction) openBoxes(c *copyTo, path, ext string) (err error) {
	if c.inbox, err = t.boxes.inbox(path); err != nil {
		return err
	}
	c.box = c.inbox
	if ext == "" {
		return nil
	}
	switch folder, err := t.boxes.folder(c.inbox, ext); {
	case err == nil:
		c.box = folder
	case !noFolder(err):
		t.boxes.release(c.inbox, true)
		return err
	}
	return nil
}

// Begin starts the message.
func (t *transaction) Begin() smtp.Reply {
	addresses := make([]string, len(t.to))
	for i, c := range t.to {
		addresses[i] = c.address
	}
	t.trace = newTrace(addresses...)
	t.first = (*pieces.Get().(*[]byte))[:0]
	return smtp.Reply{}
}

// Write takes the next piece. Trouble with one copy is that copy's alone.
func (t *transaction) Write(p []byte) (int, error) {
	t.trace.Write(p)
	if !t.begun && len(t.first)+len(p) <= firstPiece {
		t.first = append(t.first, p...)
		return len(p), nil
	}
	for i, c := range t.to {
		if !t.begun {
			t.begin(i)
		}
		if c.d != nil && c.failed == nil {
			_, c.failed = c.d.Write(p)
		}
	}
	t.begun = true
	return len(p), nil
}

// begin opens copy i and writes what has come of the message.
func (t *transaction) begin(i int) {
	c := t.to[i]
	if c.failed = t.trace.refusal(i); c.failed != nil {
		return
	}
	if c.d, c.failed = c.box.Begin(c.base); c.failed != nil {
		return
	}
	head := t.trace.prologue(t.first, i, t.returnPath, "Delivered-To: "+c.address)
	_, c.failed = c.d.Write(append(head, t.first...))
}

// End hands each copy to a worker; the last one to be done gives the verdicts.
func (t *transaction) End(verdict func(...smtp.Reply)) {
	t.trace.Close()
	t.verdict = verdict
	t.replies = make([]smtp.Reply, len(t.to))
	t.left.Store(int32(len(t.to)))
	for i := range t.to {
		t.work <- func() { t.finish(i) }
	}
}

// finish stores copy i and notes the reply.
func (t *transaction) finish(i int) {
	c := t.to[i]
	name, err := t.store(i)
	if err != nil {
		t.replies[i] = t.refuse(c.address, err)
	} else {
		t.replies[i] = stored.smtp()
		t.log.Event("delivered", "q", c.base, "to", "<"+c.address+">", "maildir", c.box.Path(), "name", name)
	}
	t.drop(c, err != nil)
	if t.left.Add(-1) == 0 {
		t.verdict(t.replies...)
		t.recycle()
	}
}

// store commits copy i and returns its name in new. A panic is a bug, and no
// reason to bounce or to lose anything, nor to end the other deliveries.
func (t *transaction) store(i int) (name string, err error) {
	defer func() {
		if e := recover(); e != nil {
			t.log.Event("panic", "err", fmt.Sprint(e), "stack", string(debug.Stack()))
			err = notStored.because("panic: %v", e)
		}
	}()
	c := t.to[i]
	if c.again {
		if there, err := c.has(); there || err != nil {
			return c.base, err
		}
	}
	if !t.begun {
		t.begin(i)
	}
	if c.failed == nil {
		c.failed = t.trace.refusal(i)
	}
	if c.failed != nil {
		return "", c.failed
	}
	return commit(c.d, c.inbox.Maildir, c.quota, t.over)
}

// has reports whether an earlier attempt has stored this copy: in the folder, or
// in the inbox if there was no folder then.
func (c *copyTo) has() (bool, error) {
	now := time.Now()
	there, err := c.box.has(c.base, now)
	if !there && err == nil && c.box != c.inbox {
		there, err = c.inbox.has(c.base, now)
	}
	return there, err
}

// Abort drops the message.
func (t *transaction) Abort() {
	for _, c := range t.to {
		t.drop(c, false)
	}
	t.recycle()
}

// drop gives back what a copy holds. What it has committed stays.
func (t *transaction) drop(c *copyTo, failed bool) {
	if c.d != nil {
		c.d.Abort()
	}
	if c.box != c.inbox {
		t.boxes.release(c.box, failed)
	}
	t.boxes.release(c.inbox, failed)
}

func (t *transaction) recycle() {
	if piece := t.first; piece != nil {
		t.first = nil
		pieces.Put(&piece)
	}
}
