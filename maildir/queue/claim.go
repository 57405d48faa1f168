package queue

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// firstRead is how much of a file is read at once: the whole of a common
// message, in bytes.
const firstRead = 64 << 10

var (
	// ErrGone means that none of the names is there any more.
	ErrGone = errors.New("entry is gone")
	// ErrBusy means that somebody else handles the recipients.
	ErrBusy = errors.New("entry is handled by another process")
	// ErrForeign is a file that no program of ours put there.
	ErrForeign = errors.New("file is not the queue's own")
)

// Claim is the right to handle some recipients of one entry. It ends with
// Close, or with the process.
type Claim struct {
	Envelope Envelope
	// Entries are the names that were claimed, of those that were asked for.
	Entries []Entry
	Body    int64 // where the message begins in the file
	Size    int64 // of the message, in bytes as stored

	q    *Queue
	file *os.File
	dev  uint64
	ino  uint64
	head []byte // what was read of the file at first
}

// Claim claims recipients of one entry: entries with the same ID, or one with
// R 0. Those that others handle or that have gone are left out, and so are
// copies of the file with another inode, which need a claim of their own; if none
// is left, the error is ErrBusy or ErrGone. An *EnvelopeError, ErrForeign or
// disk.ErrNotRegular means that the file cannot be used, now or later. buf, which
// may be nil, is used to read; the claim keeps it.
func (q *Queue) Claim(entries []Entry, buf []byte) (*Claim, error) {
	c := &Claim{q: q, head: buf}
	var last error = ErrGone
	for _, e := range entries {
		if err := c.take(e); err != nil {
			last = worse(last, err)
		}
	}
	if len(c.Entries) == 0 {
		c.Close()
		return nil, last
	}
	if err := c.read(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// worse is the error to tell of two: gone is the least of them.
func worse(a, b error) error {
	if errors.Is(b, ErrGone) {
		return a
	}
	return b
}

// take claims one name.
func (c *Claim) take(e Entry) error {
	if err := c.open(e); err != nil {
		return err
	}
	if err := lock(c.file, e.R, 1); err != nil {
		return err
	}
	// The name may have gone while we came to the lock.
	st, err := c.q.places()[e.where].Stat(e.name)
	if err != nil {
		return gone(err)
	}
	if st.Ino != c.ino || st.Dev != c.dev {
		// A copy, from a backup without hard links: it needs a claim of its own.
		return ErrBusy
	}
	c.Entries = append(c.Entries, e)
	return nil
}

// open opens the file at the first name that is there, and makes sure that it
// is an entry's.
func (c *Claim) open(e Entry) error {
	if c.file != nil {
		return nil
	}
	f, err := c.q.places()[e.where].OpenForLock(e.name)
	if err != nil {
		return gone(err)
	}
	c.file = f
	var st unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &st); err == nil && st.Uid != c.q.uid {
		err = fmt.Errorf("%w: its owner is uid %d", ErrForeign, st.Uid)
	}
	if err != nil {
		c.Close()
		return err
	}
	c.Size, c.dev, c.ino = st.Size, st.Dev, st.Ino
	return nil
}

// lock takes the locks on length bytes from first on, or none of them. They
// belong to the open file, so they die with the process, and two claims in one
// process exclude each other too.
func lock(f *os.File, first, length int) error {
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: int64(first), Len: int64(length)}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return ErrBusy
	case err != nil:
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// read reads the envelope.
func (c *Claim) read() error {
	if cap(c.head) < firstRead {
		c.head = make([]byte, firstRead)
	}
	var err error
	head := c.head[:cap(c.head)]
	if head, c.Envelope, c.Body, err = readEnvelope(c.file, head, c.Size); err != nil {
		return err
	}
	c.head = head
	c.Size -= c.Body
	for _, e := range c.Entries {
		if e.R > len(c.Envelope.Recipients) {
			return badEnvelope("%d recipients, but the name says R=%d", len(c.Envelope.Recipients), e.R)
		}
	}
	return nil
}

// readEnvelope reads the start of a file of that size into buf, which grows as
// far as the bounds allow, and parses the envelope block.
func readEnvelope(f *os.File, buf []byte, size int64) (head []byte, env Envelope, body int64, err error) {
	n := 0
	for {
		want := buf[n:min(int64(len(buf)), size)]
		m, err := f.ReadAt(want, int64(n))
		n += m
		if err != nil && err != io.EOF {
			return nil, env, 0, err
		}
		if end := blockEnd(buf[:n]); end >= 0 {
			env, err := parseEnvelope(buf[:end])
			return buf[:n], env, int64(end), err
		}
		switch {
		case m < len(want) || int64(n) == size:
			return nil, env, 0, badEnvelope("the file ends within it")
		case n > maxBlock:
			return nil, env, 0, badEnvelope("larger than %d bytes", maxBlock)
		}
		buf = append(buf, make([]byte, len(buf))...)
	}
}

// Message is the message: LF line ends, from its first byte. Each call returns
// a reader of its own; all end with Close.
func (c *Claim) Message() io.Reader {
	head := c.head[min(c.Body, int64(len(c.head))):]
	return &messageReader{head: head, file: c.file, at: c.Body + int64(len(head)), end: c.Body + c.Size}
}

// messageReader gives what is in memory first, then the rest of the file.
type messageReader struct {
	head []byte
	file *os.File
	at   int64
	end  int64
}

func (r *messageReader) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.at >= r.end {
		return 0, io.EOF
	}
	n, err := r.file.ReadAt(p[:min(int64(len(p)), r.end-r.at)], r.at)
	r.at += int64(n)
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}

// Close ends the claim.
func (c *Claim) Close() error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file = nil
	return err
}

// Buffer gives the buffer back for another Claim. Only after Close, when no
// Message is in use any more.
func (c *Claim) Buffer() []byte { return c.head[:0] }

// Read opens an entry to look at: the envelope, the file positioned at the
// message, and the message's size in bytes. It claims nothing.
func (q *Queue) Read(e Entry) (Envelope, *os.File, int64, error) {
	f, err := q.places()[e.where].Open(e.name)
	if err != nil {
		return Envelope{}, nil, 0, err
	}
	var env Envelope
	var body int64
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, env, body, err = readEnvelope(f, make([]byte, firstRead), size)
	}
	if err == nil {
		_, err = f.Seek(body, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return Envelope{}, nil, 0, err
	}
	return env, f, size - body, nil
}
