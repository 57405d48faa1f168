package pop3

import (
	"bytes"
	"strings"
)

// top is the state of TOP: it lets pass the header, the blank line and some
// lines of the body.
type top struct {
	left  int // lines of the body that may still pass
	body  bool
	blank bool // the current line holds nothing so far, or only a CR
	done  bool
}

// top is TOP.
func (s *session) top(arg string) {
	msg, lines, _ := strings.Cut(arg, " ")
	n, ok := number(lines)
	if !ok {
		s.no("TOP needs a message and a number of lines")
		return
	}
	if i, ok := s.message(msg); ok && s.send(i, &top{left: n, blank: true}) {
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
			t.blank = t.blank && onlyCR(p[i:])
			return p
		}
		switch {
		case t.body:
			t.left--
		case t.blank && onlyCR(p[i:i+end]):
			t.body = true
		}
		t.blank = true
		i += end + 1
	}
	t.done = t.body && t.left == 0
	return p
}

func onlyCR(p []byte) bool { return len(p) == 0 || len(p) == 1 && p[0] == '\r' }
