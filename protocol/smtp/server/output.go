package server

import (
	"sync"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// maxHeldBack is how many bytes of replies may wait behind an outstanding
// verdict before no more input is read.
const maxHeldBack = 64 << 10

// output keeps the replies in the order of the commands, although the verdict on
// a message may come after the commands behind it have been read.
//
// Whoever completes the first outstanding verdict moves what it held back to the
// writer. It flushes too if the session is waiting for input just then; else the
// session does before it waits.
type output struct {
	mu      sync.Mutex
	arrived sync.Cond // a verdict came in
	w       *line.Writer
	pending []*verdict // in the order of their messages
	held    int        // bytes of replies behind the first of them
	waiting bool       // the session is blocked in a read
	err     error      // of the last flush
}

// verdict is the place in the order of replies that a message's verdict will
// take, and the replies to the commands after it.
type verdict struct {
	out     *output
	replies []smtp.Reply
	in      bool
	after   []byte
}

func newOutput(conn *ucspi.Conn) *output {
	o := &output{w: line.NewWriter(conn)}
	o.arrived.L = &o.mu
	return o
}

// reply appends a reply behind all that came before.
func (o *output) reply(r smtp.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.pending); n > 0 {
		v := o.pending[n-1]
		before := len(v.after)
		v.after = r.Append(v.after)
		o.held += len(v.after) - before
		return
	}
	o.write(r)
}

func (o *output) write(r smtp.Reply) {
	var room [256]byte
	o.w.Write(r.Append(room[:0]))
}

// expect makes a place for a verdict.
func (o *output) expect() *verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := &verdict{out: o}
	o.pending = append(o.pending, v)
	return v
}

// settle waits until fewer than n verdicts are outstanding.
func (o *output) settle(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waitBelow(n)
}

// waitBelow flushes before it waits, for the client may be waiting as well.
func (o *output) waitBelow(n int) {
	for len(o.pending) >= n {
		o.flush()
		o.waiting = true
		o.arrived.Wait()
		o.waiting = false
	}
}

// is records a verdict, once.
func (v *verdict) is(replies ...smtp.Reply) {
	o := v.out
	o.mu.Lock()
	defer o.mu.Unlock()
	v.replies, v.in = replies, true
	if o.pending[0] != v {
		return
	}
	for len(o.pending) > 0 && o.pending[0].in {
		o.release(o.pending[0])
		o.pending = o.pending[1:]
	}
	if o.waiting {
		o.flush()
	}
	o.arrived.Signal()
}

func (o *output) release(v *verdict) {
	for _, r := range v.replies {
		o.write(r)
	}
	o.w.Write(v.after)
	o.held -= len(v.after)
}

// beginWait is called before a read that may block: what is ready leaves first,
// and verdicts that come in meanwhile leave at once.
func (o *output) beginWait() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.held > maxHeldBack {
		o.waitBelow(len(o.pending))
	}
	o.flush()
	o.waiting = true
	return o.err
}

func (o *output) endWait() {
	o.mu.Lock()
	o.waiting = false
	o.mu.Unlock()
}

// finish waits for all verdicts and writes everything.
func (o *output) finish() error {
	o.settle(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	return o.err
}

func (o *output) flush() {
	if err := o.w.Flush(); err != nil {
		o.err = err
	}
}
