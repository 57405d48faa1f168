package message

import (
	"bytes"
	"io"
)

// Wire reads stored bytes as they go over the wire: with CRLF for each LF that
// has no CR before it. The zero value is at the end of nothing; Reset it.
type Wire struct {
	src    io.Reader
	window []byte
	ahead  []byte // of the window, not handed on yet
	lf     bool   // the CR of the LF that ahead begins with has been handed on
	cr     bool   // the last byte handed on was a CR
	offset int64
	err    error
}

// wireWindow is in bytes.
const wireWindow = 16 << 10

// Reset begins to read src, for example an io.SectionReader over a Range. The
// buffer is kept.
func (w *Wire) Reset(src io.Reader) {
	if w.window == nil {
		w.window = make([]byte, wireWindow)
	}
	*w = Wire{src: src, window: w.window}
}

// Offset is how many octets have been read or discarded.
func (w *Wire) Offset() int64 { return w.offset }

// Read fills p as far as the source has something.
func (w *Wire) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if !w.fill() {
			if n == 0 {
				return 0, w.err
			}
			break
		}
		n += w.convert(p[n:])
	}
	w.offset += int64(n)
	return n, nil
}

// Discard reads n octets without handing them on, fewer if there are no more:
// then the error is io.EOF.
func (w *Wire) Discard(n int64) (discarded int64, err error) {
	for discarded < n {
		if !w.fill() {
			return discarded, w.err
		}
		k := w.pass(n - discarded)
		discarded += k
		w.offset += k
	}
	return discarded, nil
}

// Size discards all that is left and returns how much that was.
func (w *Wire) Size() (int64, error) {
	n, err := w.Discard(1<<63 - 1)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// fill makes sure of a byte to hand on.
func (w *Wire) fill() bool {
	for len(w.ahead) == 0 && w.err == nil {
		var n int
		n, w.err = w.src.Read(w.window)
		w.ahead = w.window[:n]
	}
	return len(w.ahead) > 0
}

// line returns the bytes ahead up to the next LF, and whether that needs a CR.
func (w *Wire) line() (text []byte, needsCR bool) {
	i := bytes.IndexByte(w.ahead, '\n')
	switch {
	case i < 0:
		return w.ahead, false
	case i > 0 && w.ahead[i-1] == '\r', i == 0 && (w.cr || w.lf):
		return w.ahead[:i+1], false
	}
	return w.ahead[:i], true
}

// convert hands on as much as fits into p: at least a byte.
func (w *Wire) convert(p []byte) (n int) {
	for n < len(p) && len(w.ahead) > 0 {
		text, needsCR := w.line()
		k := copy(p[n:], text)
		n += k
		w.take(k)
		if k == len(text) && needsCR && n < len(p) {
			p[n] = '\r'
			n++
			w.lf = true
		}
	}
	return n
}

// pass is convert to nowhere.
func (w *Wire) pass(limit int64) (n int64) {
	for n < limit && len(w.ahead) > 0 {
		text, needsCR := w.line()
		k := int(min(int64(len(text)), limit-n))
		n += int64(k)
		w.take(k)
		if k == len(text) && needsCR && n < limit {
			n++
			w.lf = true
		}
	}
	return n
}

// take moves on by k bytes of the source.
func (w *Wire) take(k int) {
	if k > 0 {
		w.cr = w.ahead[k-1] == '\r'
		w.lf = false
		w.ahead = w.ahead[k:]
	}
}
