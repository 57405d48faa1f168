package dsn

import (
	"bytes"
	"io"
)

// MaxReturned is how much of a message goes back to its sender, in bytes. Of a
// larger one it is only the header, up to the same size.
const MaxReturned = 50_000

// content is what of the message goes back.
type content struct {
	text     string
	whole    bool
	eightBit bool
}

// read reads what goes back: all of a small message, else its header.
func read(msg io.Reader, full bool) (content, error) {
	b, err := io.ReadAll(io.LimitReader(msg, MaxReturned+1))
	if err != nil {
		return content{}, err
	}
	c := content{whole: full && len(b) <= MaxReturned}
	if !c.whole {
		b = headerOf(b)
	}
	b = tame(b)
	c.text, c.eightBit = string(b), !ascii(string(b))
	return c, nil
}

// headerOf is the header of what was read of a message, in whole lines.
func headerOf(b []byte) []byte {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			if len(b) > MaxReturned {
				return b[:at] // cut within a line
			}
			return b
		}
		if len(bytes.TrimRight(b[at:at+i], "\r")) == 0 {
			return b[:at]
		}
		at += i + 1
	}
}

// tame makes CRLF an LF, and replaces NUL and other CR by a question mark: a
// report that somebody refuses helps nobody.
func tame(b []byte) []byte {
	if bytes.IndexByte(b, '\r') < 0 && bytes.IndexByte(b, 0) < 0 {
		return b
	}
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	for i, c := range b {
		if c == '\r' || c == 0 {
			b[i] = '?'
		}
	}
	return b
}

// mediaType is RFC 3462's for what goes back.
func (c content) mediaType() string {
	if c.whole {
		return "message/rfc822"
	}
	return "text/rfc822-headers"
}
