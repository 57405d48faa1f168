package smtp

import (
	"bytes"
	"errors"
)

// What makes a message unacceptable on the wire. Line ends are CRLF and nothing
// else is one (RFC 5321 section 2.3.8): a server that takes another byte for a
// line end can be made to see two messages where its neighbour saw one.
var (
	ErrBareLF = errors.New("bare LF in message")
	ErrBareCR = errors.New("bare CR in message")
	ErrNUL    = errors.New("NUL in message")
)

// Decoder turns a message from the form of the wire into the form at rest, LF
// line ends, in place and without a buffer of its own. The zero value decodes
// the chunks of BDAT; with Dots set it decodes what follows DATA.
//
// Invariants, whatever is sent and however it is cut into pieces:
//  1. Only CRLF.CRLF ends DATA, and CRLF alone becomes LF.
//  2. After a bare LF, a bare CR or a NUL, Err says so for good, decoding goes
//     on to the same end as without it, and the text is worth nothing.
type Decoder struct {
	Dots bool // the message follows DATA: dots are stuffed, CRLF.CRLF is the end
	Keep bool // keep NUL, bare CR and bare LF as bytes (BINARYMIME, RFC 3030)

	state decodeState
	err   error
}

type decodeState int

const (
	lineStart decodeState = iota
	inLine
	afterCR  // a CR that may begin a line end
	afterDot // a dot at the start of a line
	dotCR    // the same and a CR
	ended
)

// Err is the first thing that made the message unacceptable, or nil.
func (d *Decoder) Err() error { return d.err }

// Decode takes the next piece of the message and returns its text, which lies in
// p and replaces it. used is how much of p has been taken: all of it, unless the
// end of DATA has been seen (done), or the next call must see the rest again.
func (d *Decoder) Decode(p []byte) (text []byte, used int, done bool) {
	w := 0 // the text so far is p[:w], and w never passes r
	r := 0
	for r < len(p) && d.state != ended {
		switch d.state {
		case lineStart:
			if d.Dots && p[r] == '.' {
				d.state = afterDot
				r++
				continue
			}
			d.state = inLine
		case inLine:
			n, m := d.line(p[w:], p[r:])
			r, w = r+n, w+m
		case afterCR:
			if p[r] == '\n' {
				p[w] = '\n'
				r, w = r+1, w+1
				d.state = lineStart
				continue
			}
			d.bareCR()
			if r == 0 {
				return crAlone, 0, false
			}
			p[w] = '\r'
			w++
		case afterDot:
			d.state = inLine // any dot but the last is stuffing
			if p[r] == '\r' {
				d.state = dotCR
				r++
			}
		case dotCR:
			if p[r] == '\n' {
				d.state = ended
				r++
				continue
			}
			d.bareCR()
			if r == 0 {
				return crAlone, 0, false
			}
			p[w] = '\r'
			w++
		}
	}
	return p[:w], r, d.state == ended
}

// crAlone is the text of a CR that came at the end of the piece before, where it
// could still have been half a line end.
var crAlone = []byte{'\r'}

// End tells the decoder of chunks that the last one has been decoded, and
// returns what it had kept back.
func (d *Decoder) End() (text []byte) {
	if d.state != afterCR {
		return nil
	}
	d.bareCR()
	return crAlone
}

// bareCR says that the last CR began no line end.
func (d *Decoder) bareCR() {
	d.fail(ErrBareCR)
	d.state = inLine
}

// line decodes from within a line as far as src goes or something other than a
// whole line comes up, and returns how much it read and wrote. dst and src are
// parts of one buffer, dst before or at src.
func (d *Decoder) line(dst, src []byte) (read, wrote int) {
	for read < len(src) {
		rest := src[read:]
		if d.Dots && d.state == lineStart && rest[0] == '.' {
			return read, wrote
		}
		i := bytes.IndexByte(rest, '\n')
		whole := i > 0 && rest[i-1] == '\r'
		text := rest
		switch {
		case whole:
			text = rest[:i-1]
		case i >= 0:
			text = rest[:i]
		}
		if cr := bytes.IndexByte(text, '\r'); cr >= 0 {
			text = text[:cr]
			whole = false
			i = -1
		}
		d.checkNUL(text)
		wrote += copy(dst[wrote:], text)
		read += len(text)
		switch {
		case whole:
			dst[wrote] = '\n'
			wrote, read = wrote+1, read+2
			d.state = lineStart
		case read < len(src) && src[read] == '\r':
			d.state = afterCR
			return read + 1, wrote
		case i >= 0:
			// No line end, so a dot behind it is text.
			d.fail(ErrBareLF)
			dst[wrote] = '\n'
			wrote, read = wrote+1, read+1
			d.state = inLine
		default:
			d.state = inLine
		}
	}
	return read, wrote
}

func (d *Decoder) checkNUL(text []byte) {
	if !d.Keep && d.err == nil && bytes.IndexByte(text, 0) >= 0 {
		d.err = ErrNUL
	}
}

func (d *Decoder) fail(err error) {
	if !d.Keep && d.err == nil {
		d.err = err
	}
}
