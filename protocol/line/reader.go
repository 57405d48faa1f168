// Package line reads and writes the lines that mail protocols are made of: one
// read buffer, one write buffer, every read bounded.
//
// Replies gather in a Writer and leave in one write when the input is drained,
// so a pipelining client costs one system call a batch and nobody meets Nagle.
package line

import (
	"bytes"
	"errors"
	"io"
)

// ErrTooLong is a line above the bound. The rest of it has been read and
// dropped, so the next line can be read.
var ErrTooLong = errors.New("line too long")

// ErrFlood is a line so long that reading on for its end would be a service to
// an attacker. The session should end.
var ErrFlood = errors.New("line without end")

// keptOfDropped is how many bytes are kept of each end of a line that is too long.
const keptOfDropped = 32

// maxDrain is how many bytes of a line that is too long are read and dropped, after
// a buffer full of it, before it counts as a flood.
const maxDrain = 64 << 10

// Reader reads lines and counted bytes from one source.
type Reader struct {
	src  io.Reader
	raw  io.Reader
	buf  []byte
	r, w int
	bare bool
	head []byte // of the last line that was too long
	tail []byte
	err  error // came with the last bytes from the source
	// BeforeFill, if set, runs before each read of the source: the place to
	// flush replies, since the peer may be waiting for them.
	BeforeFill func() error
}

// NewReader returns a Reader with a buffer of size bytes, which bounds the
// longest line it can return.
func NewReader(src io.Reader, size int) *Reader {
	return &Reader{src: src, raw: src, buf: make([]byte, size)}
}

// ExactLines makes the reader take its lines from exact, which must never read
// past an LF (ucspi.Conn.ReadLineBytes), so that nothing is ever left in the
// buffer between two lines and another program can take over the descriptor.
func (r *Reader) ExactLines(exact io.Reader) { r.src = exact }

// ReadAhead ends ExactLines.
func (r *Reader) ReadAhead() { r.src = r.raw }

// Buffered is the number of bytes read from the source and not yet returned.
func (r *Reader) Buffered() int { return r.w - r.r }

// Discard drops what is buffered and returns how much that was.
func (r *Reader) Discard() int {
	n := r.w - r.r
	r.r, r.w = 0, 0
	return n
}

// HasLine reports whether a whole line is in the buffer, so that the next
// ReadLine needs no read.
func (r *Reader) HasLine() bool { return bytes.IndexByte(r.buf[r.r:r.w], '\n') >= 0 }

// ReadLine returns the next line without its line end, at most limit bytes long.
// The slice is valid until the next call. BareLF tells how it ended. An end of
// input within a line is io.ErrUnexpectedEOF, between lines io.EOF.
func (r *Reader) ReadLine(limit int) ([]byte, error) {
	limit = min(limit, len(r.buf)-2)
	seen := 0 // bytes already searched
	for {
		if i := bytes.IndexByte(r.buf[r.r+seen:r.w], '\n'); i >= 0 {
			l := r.buf[r.r : r.r+seen+i]
			r.r += seen + i + 1
			r.bare = true
			if n := len(l); n > 0 && l[n-1] == '\r' {
				l, r.bare = l[:n-1], false
			}
			if len(l) > limit {
				r.head, r.tail = head(l), tail(nil, l)
				return nil, ErrTooLong
			}
			return l, nil
		}
		seen = r.w - r.r
		if seen > limit+1 {
			return nil, r.drain()
		}
		if err := r.fill(); err != nil {
			if err == io.EOF && seen > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// BareLF reports whether the line that ReadLine returned last ended in an LF
// without a CR; after ErrTooLong, how the line that was dropped ended.
func (r *Reader) BareLF() bool { return r.bare }

// Dropped returns the first and the last bytes, some 32, without the line end, of the
// line for which ReadLine returned ErrTooLong last: in IMAP the first say who
// asked, and the last what follows.
func (r *Reader) Dropped() (head, tail []byte) { return r.head, r.tail }

// drain drops the rest of a line that is too long.
func (r *Reader) drain() error {
	r.head, r.tail = head(r.buf[r.r:r.w]), nil
	for dropped := -r.Buffered(); dropped <= maxDrain; {
		if i := bytes.IndexByte(r.buf[r.r:r.w], '\n'); i >= 0 {
			r.tail = tail(r.tail, r.buf[r.r:r.r+i])
			r.r += i + 1
			n := len(r.tail)
			if r.bare = r.tail[n-1] != '\r'; !r.bare {
				r.tail = r.tail[:n-1]
			}
			return ErrTooLong
		}
		r.tail = tail(r.tail, r.buf[r.r:r.w])
		dropped += r.Discard()
		if err := r.fill(); err != nil {
			return err
		}
	}
	return ErrFlood
}

// Read returns counted bytes: from the buffer first, then straight from the
// source, never more than len(p).
func (r *Reader) Read(p []byte) (int, error) {
	if r.r < r.w {
		n := copy(p, r.buf[r.r:r.w])
		r.r += n
		return n, nil
	}
	if r.BeforeFill != nil {
		if err := r.BeforeFill(); err != nil {
			return 0, err
		}
	}
	if err := r.err; err != nil {
		r.err = nil
		return 0, err
	}
	return r.raw.Read(p)
}

// Peek returns what is buffered, reading once from the source if that is
// nothing. The slice is valid until the next call; Skip consumes it.
func (r *Reader) Peek() ([]byte, error) {
	if r.r == r.w {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	return r.buf[r.r:r.w], nil
}

// More reads once more from the source behind what is buffered, for a scanner
// that needs to see further; with a full buffer it returns io.ErrShortBuffer.
func (r *Reader) More() ([]byte, error) {
	if r.r == 0 && r.w == len(r.buf) {
		return nil, io.ErrShortBuffer
	}
	if err := r.fill(); err != nil {
		return nil, err
	}
	return r.buf[r.r:r.w], nil
}

// Skip consumes n bytes of what Peek returned.
func (r *Reader) Skip(n int) { r.r += n }

func (r *Reader) fill() error {
	if r.BeforeFill != nil {
		if err := r.BeforeFill(); err != nil {
			return err
		}
	}
	if r.r == r.w {
		r.r, r.w = 0, 0
	} else if r.w == len(r.buf) {
		copy(r.buf, r.buf[r.r:r.w])
		r.w -= r.r
		r.r = 0
	}
	if err := r.err; err != nil {
		r.err = nil
		return err
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		r.err = err // bytes first; a peer that is too slow says so with them
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// head copies the first bytes of a line.
func head(l []byte) []byte { return append([]byte(nil), l[:min(len(l), keptOfDropped)]...) }

// tail appends l to what is kept of the line before it, and keeps the last bytes;
// one more than promised, since the last may be the CR of the line end.
func tail(kept, l []byte) []byte {
	if n := len(l) - keptOfDropped - 1; n >= 0 {
		kept, l = kept[:0], l[n:]
	}
	kept = append(kept, l...)
	return kept[max(0, len(kept)-keptOfDropped-1):]
}
