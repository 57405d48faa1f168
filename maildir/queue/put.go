package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"rohrpost/maildir/disk"
)

// putBuffer is how many bytes of an entry gather before a write, so that a
// common message is one system call.
const putBuffer = 32 << 10

// nameTries is how often a taken name is replaced by another before that counts
// as an error.
const nameTries = 3

var putBuffers = sync.Pool{New: func() any { b := make([]byte, 0, putBuffer); return &b }}

// Put is an entry on its way into the queue.
type Put struct {
	q       *Queue
	entry   Entry
	tmp     string // its name in tmp
	derived bool   // it may be there already
	file    disk.File
	buf     *[]byte
	err     error // the first error; it sticks
}

// Begin starts an entry under a new name. The message follows by Write, with LF
// line ends and its Received line on top; then Commit or Abort. An envelope
// that the file format cannot hold is an *EnvelopeError.
func (q *Queue) Begin(env Envelope) (*Put, error) {
	block, err := env.encode()
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		id, err := q.namer.Next()
		if err != nil {
			return nil, err
		}
		p, err := q.begin(id, &env, block)
		if err == nil || try == nameTries || !errors.Is(err, fs.ErrExist) {
			return p, err
		}
	}
}

func (q *Queue) begin(id string, env *Envelope, block []byte) (*Put, error) {
	first := Entry{ID: id, Domain: domainField(env.Recipients[0].Address), Next: env.Arrived}
	p := &Put{q: q, entry: fresh(first), tmp: id}
	file, err := q.fs.Create(q.tmp, id)
	if err != nil {
		return nil, fmt.Errorf("queue entry: %w", err)
	}
	p.file, p.buf = file, putBuffers.Get().(*[]byte)
	*p.buf = append((*p.buf)[:0], block...)
	return p, nil
}

// ID names the entry, and the message in all logs.
func (p *Put) ID() string { return p.entry.ID }

// Entry is the entry as it will be in new.
func (p *Put) Entry() Entry { return p.entry }

// Write adds to the message.
func (p *Put) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if len(*p.buf)+len(b) > putBuffer {
		p.flush()
	}
	if len(b) >= putBuffer && p.err == nil {
		_, p.err = p.file.Write(b)
	} else {
		*p.buf = append(*p.buf, b...)
	}
	if p.err != nil {
		return 0, p.err
	}
	return len(b), nil
}

func (p *Put) flush() {
	if p.err == nil && len(*p.buf) > 0 {
		_, p.err = p.file.Write(*p.buf)
	}
	*p.buf = (*p.buf)[:0]
}

// Commit publishes the entry. When it returns nil, the entry survives a power
// cut. After an error there may still be an entry, but the caller must say no:
// a duplicate is allowed, a lie is not.
func (p *Put) Commit() error {
	if p.buf == nil {
		return p.err
	}
	p.flush()
	if p.err == nil {
		p.err = p.file.Sync()
	}
	if err := p.file.Close(); p.err == nil {
		p.err = err
	}
	if p.err == nil {
		p.err = p.published(disk.Publish(p.q.fs, p.q.tmp, p.tmp, p.q.fresh, p.entry.name))
	}
	err := p.err
	if err != nil {
		p.q.fs.Remove(p.q.tmp, p.tmp) // debris at worst
	}
	p.end()
	if err != nil {
		return fmt.Errorf("queue entry: %w", err)
	}
	return nil
}

// Abort drops the entry. After Commit it does nothing.
func (p *Put) Abort() {
	if p.buf == nil {
		return
	}
	p.file.Close()
	p.q.fs.Remove(p.q.tmp, p.tmp) // debris at worst
	p.end()
}

// end makes every later call an error.
func (p *Put) end() {
	if p.buf != nil {
		putBuffers.Put(p.buf)
		p.buf = nil
	}
	p.err = fs.ErrClosed
}
