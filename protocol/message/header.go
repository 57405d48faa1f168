package message

import "bytes"

// Bounds of one field, in bytes. A longer name makes no field; of a longer
// value the first MaxValue bytes are kept.
const (
	MaxName  = 256
	MaxValue = 8 << 10
)

// Field is one header field. Its slices are valid only during the call that
// hands it over.
type Field struct {
	Name []byte // as written, without blanks before the colon
	// Value is what follows the colon, unfolded (RFC 5322 section 2.2.3)
	// and without blanks at either end, at most MaxValue bytes of it.
	Value []byte
	// Cut says that the value was longer.
	Cut bool
}

// Is reports whether the field bears this name, which no letter's case changes.
func (f Field) Is(name string) bool { return bytes.EqualFold(f.Name, []byte(name)) }

// Header scans the header of a message that is written to it in pieces of any
// size. The zero value with a Field function is ready.
type Header struct {
	// Field is called for each field, in order, once its last line is known.
	Field func(Field)

	state state
	name  []byte
	value []byte
	cut   bool
	limit int // bytes of a value that are kept; 0 means MaxValue
}

// reset makes the scanner ready for another header; its buffers stay.
func (h *Header) reset() {
	h.state, h.name, h.value, h.cut = atStart, h.name[:0], h.value[:0], false
}

type state int

const (
	atStart state = iota // of a line
	afterCR              // a CR at the start of a line: an empty line or an odd one
	inName
	inValue
	inOther // a line that is no field
	inBody
)

// Done reports whether the header is over, so that nothing more will be looked
// at.
func (h *Header) Done() bool { return h.state == inBody }

// Write scans the next piece of the message. It takes all of p and never fails;
// what lies behind the header costs nothing.
func (h *Header) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && h.state != inBody {
		p = p[h.step(p):]
	}
	return n, nil
}

// Close tells the scanner that the message has ended: a field that ends with it
// is handed over.
func (h *Header) Close() error {
	if h.state != inBody {
		h.end()
	}
	return nil
}

// step takes one byte or more of p, within one line.
func (h *Header) step(p []byte) int {
	switch h.state {
	case atStart:
		return h.start(p[0])
	case afterCR:
		if p[0] == '\n' {
			h.end()
			return 1
		}
		h.flush() // the CR was the first byte of a line, so the line is no field
		h.state = inOther
		return 0
	case inName:
		return h.readName(p)
	case inValue:
		n, end := upToLF(p)
		h.keep(p[:n])
		if end {
			h.endOfValueLine()
		}
		return n
	default:
		n, end := upToLF(p)
		if end {
			h.state = atStart
		}
		return n
	}
}

// start looks at the first byte of a line. The field before is over unless this
// line continues it.
func (h *Header) start(c byte) int {
	switch c {
	case '\n':
		h.end()
		return 1
	case '\r':
		h.state = afterCR
		return 1
	case ' ', '\t':
		h.state = inOther
		if h.open() {
			h.state = inValue
		}
		return 0
	}
	h.flush()
	h.state = inName
	return 0
}

// open reports whether a field awaits its continuation lines.
func (h *Header) open() bool { return len(h.name) > 0 }

func (h *Header) readName(p []byte) int {
	for i, c := range p {
		switch {
		case c == ':':
			h.name = bytes.TrimRight(h.name, " \t")
			h.state = inValue
			if !validName(h.name) {
				h.drop()
			}
			return i + 1
		case c == '\n':
			h.drop()
			h.state = atStart
			return i + 1
		case len(h.name) == MaxName:
			h.drop()
			return i
		}
		h.name = append(h.name, c)
	}
	return len(p)
}

// drop makes the current line one that is no field.
func (h *Header) drop() {
	h.name = h.name[:0]
	h.state = inOther
}

func (h *Header) keep(p []byte) {
	limit := h.limit
	if limit == 0 {
		limit = MaxValue
	}
	if room := limit - len(h.value); len(p) > room {
		p, h.cut = p[:room], true
	}
	h.value = append(h.value, p...)
}

func (h *Header) endOfValueLine() {
	if !h.cut {
		h.value = trimLineEnd(h.value)
	}
	h.state = atStart
}

// flush hands over the open field, if there is one.
func (h *Header) flush() {
	if h.open() && h.Field != nil {
		h.Field(Field{Name: h.name, Value: bytes.Trim(h.value, " \t\r\n"), Cut: h.cut})
	}
	h.name, h.value, h.cut = h.name[:0], h.value[:0], false
}

func (h *Header) end() {
	if h.state == inName {
		h.drop() // the message ended within a name
	}
	h.flush()
	h.state = inBody
}

// FirstIsField reports whether a message that begins with these bytes begins
// with a header field. Bytes beyond the first line do not matter; a line longer
// than MaxName counts as far as its name goes.
func FirstIsField(p []byte) bool {
	_, ok := fieldName(p)
	return ok
}

// fieldName returns the name of the field that p begins with, if it does.
func fieldName(p []byte) (name []byte, ok bool) {
	name, _, ok = bytes.Cut(p[:min(len(p), MaxName+1)], []byte(":"))
	name = bytes.TrimRight(name, " \t")
	return name, ok && validName(name)
}

func validName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(name) > 0
}

// upToLF is the length of p's first line with its LF, or of p without one.
func upToLF(p []byte) (n int, end bool) {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return i + 1, true
	}
	return len(p), false
}

func trimLineEnd(p []byte) []byte {
	if p, ok := bytes.CutSuffix(p, []byte("\n")); ok {
		return bytes.TrimSuffix(p, []byte("\r"))
	}
	return p
}
