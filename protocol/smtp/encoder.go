package smtp

import "bytes"

// Encoder turns a message at rest into the form of the wire. An LF becomes CRLF
// unless a CR stands before it already; with Dots, a dot at the start of a line
// is doubled. The zero value encodes the chunks of BDAT.
type Encoder struct {
	Dots bool // the message will follow DATA

	cr     bool // the last byte was a CR
	inLine bool
}

// Append appends the next piece of the message to b.
func (e *Encoder) Append(b, text []byte) []byte {
	for len(text) > 0 {
		if e.Dots && !e.inLine && text[0] == '.' {
			b = append(b, '.')
		}
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			e.inLine = true
			e.cr = text[len(text)-1] == '\r'
			return append(b, text...)
		}
		if i > 0 {
			e.cr = text[i-1] == '\r'
		}
		b = append(b, text[:i]...)
		if !e.cr {
			b = append(b, '\r')
		}
		b = append(b, '\n')
		text = text[i+1:]
		e.cr, e.inLine = false, false
	}
	return b
}

// AppendEnd appends what ends DATA: a line end if the message lacks its last,
// then the dot.
func (e *Encoder) AppendEnd(b []byte) []byte {
	if e.inLine {
		b = append(b, '\r', '\n')
	}
	return append(b, '.', '\r', '\n')
}
