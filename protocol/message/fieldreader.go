package message

import (
	"bytes"
	"io"
)

// FieldSet is a set of field names, in any case.
type FieldSet map[string]struct{}

// NewFieldSet returns the set of these names. Names that no field can have
// (rule 2) do no harm.
func NewFieldSet(names ...string) FieldSet {
	set := make(FieldSet, len(names))
	for _, n := range names {
		if len(n) <= MaxName {
			set[string(appendLower(nil, []byte(n)))] = struct{}{}
		}
	}
	return set
}

// has looks a name up without allocating.
func (set FieldSet) has(name []byte) bool {
	var lower [MaxName]byte
	_, ok := set[string(appendLower(lower[:0], name))]
	return ok
}

func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// fieldWindow is how much of a header is held, in bytes. It must exceed MaxName.
const fieldWindow = 8 << 10

// FieldReader reads a header and hands on the fields of a set, or those that are
// not in it, as they are stored, with the empty line that ends the header: the
// HEADER.FIELDS and HEADER.FIELDS.NOT of RFC 9051 section 6.4.5.1. A header
// without that line gets none. Lines that are no field (rule 4) are handed on
// with Not.
type FieldReader struct {
	src    io.Reader
	set    FieldSet
	not    bool
	window []byte
	ahead  []byte // of the window, not looked at yet
	keep   []byte // in front of ahead, to be handed on

	wanted  bool // this line, and those that continue it
	midLine bool
	err     error
}

// Reset begins to read the header src, which ends where the header does. The
// buffer is kept.
func (r *FieldReader) Reset(src io.Reader, set FieldSet, not bool) {
	if r.window == nil {
		r.window = make([]byte, fieldWindow)
	}
	*r = FieldReader{src: src, set: set, not: not, window: r.window, wanted: not}
}

// Read hands on the next bytes wanted.
func (r *FieldReader) Read(p []byte) (int, error) {
	for len(r.keep) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.keep)
	r.keep = r.keep[n:]
	return n, nil
}

// next looks at a line, or at a piece of a long one.
func (r *FieldReader) next() error {
	i := bytes.IndexByte(r.ahead, '\n') + 1
	if i == 0 && r.err == nil {
		have := copy(r.window, r.ahead)
		var n int
		n, r.err = fill(r.src, r.window[have:])
		r.ahead = r.window[:have+n]
		i = bytes.IndexByte(r.ahead, '\n') + 1
	}
	if i == 0 {
		i = len(r.ahead)
	}
	if i == 0 {
		return r.err
	}
	line := r.ahead[:i]
	r.ahead = r.ahead[i:]
	if !r.midLine {
		r.wanted = r.wants(line)
	}
	r.midLine = line[i-1] != '\n'
	if r.wanted {
		r.keep = line
	}
	return nil
}

func (r *FieldReader) wants(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return r.wanted
	}
	if line[0] == '\n' || len(line) == 2 && line[0] == '\r' && line[1] == '\n' {
		return true
	}
	name, ok := fieldName(line)
	return (ok && r.set.has(name)) != r.not
}
