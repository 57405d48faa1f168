package line

import (
	"io"
	"strconv"
)

// writeAt is the fill level, in bytes, at which a Writer stops gathering.
const writeAt = 32 << 10

// Writer gathers replies and writes them in one go. The first error sticks and
// comes back from Flush; what is written after it goes nowhere.
type Writer struct {
	dst io.Writer
	buf []byte
	err error
}

// NewWriter returns a Writer to dst.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Line appends s and CRLF.
func (w *Writer) Line(s string) {
	w.buf = append(w.buf, s...)
	w.buf = append(w.buf, '\r', '\n')
	w.spill()
}

// String appends s.
func (w *Writer) String(s string) { w.buf = append(w.buf, s...); w.spill() }

// Int appends n in decimal.
func (w *Writer) Int(n int64) { w.buf = strconv.AppendInt(w.buf, n, 10) }

// Write appends p; it makes Writer an io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	w.spill()
	return len(p), w.err
}

// Extend lets f append to what has gathered, for text that is made in place.
func (w *Writer) Extend(f func(b []byte) []byte) {
	w.buf = f(w.buf)
	w.spill()
}

// Buffered is the number of bytes that wait for Flush.
func (w *Writer) Buffered() int { return len(w.buf) }

// Err is the error that stuck, if any.
func (w *Writer) Err() error { return w.err }

// Flush writes what has gathered.
func (w *Writer) Flush() error {
	if len(w.buf) > 0 && w.err == nil {
		_, w.err = w.dst.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}

func (w *Writer) spill() {
	if len(w.buf) >= writeAt {
		w.Flush()
	}
}
