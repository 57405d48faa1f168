package pop3

import (
	"bytes"
	"strings"
)

// top is the state of TOP: it lets pass the header, the blank line and some
// lines of the body.
type top struct {
	left int // lines of the body that may still pass
	body bool
	line lineStart // the current line so far
	done bool
}

// lineStart is what a line of the header holds so far. It may come in pieces.
type lineStart uint8

const (
	nothing lineStart = iota
	oneCR             // which belongs to the line end if the LF follows
	something
)

func (l lineStart) add(p []byte) lineStart {
	switch {
	case len(p) == 0:
		return l
	case l == nothing && len(p) == 1 && p[0] == '\r':
		return oneCR
	}
	return something
}

// top is TOP.
func (s *session) top(arg string) {
	msg, lines, _ := strings.Cut(arg, " ")
	n, ok := number(lines)
	if !ok {
		s.no("TOP needs a message and a number of lines")
		return
	}
	if i, ok := s.message(msg); ok && s.send(i, &top{left: n}) {
		s.drop.Stats.Tops++
	}
}

// cut is the part of the next bytes of a message that passes.
func (t *top) cut(p []byte) []byte {
	for i := 0; i < len(p); {
		if t.body && t.left == 0 {
			t.done = true
			return p[:i]
		}
		end := bytes.IndexByte(p[i:], '\n')
		if end < 0 {
			t.line = t.line.add(p[i:])
			return p
		}
		switch {
		case t.body:
			t.left--
		case t.line.add(p[i:i+end]) != something:
			t.body = true
		}
		t.line = nothing
		i += end + 1
	}
	t.done = t.body && t.left == 0
	return p
}
