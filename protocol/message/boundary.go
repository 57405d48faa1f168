package message

import "bytes"

// maxDelimiter is the longest line that delimits, in bytes without its line end
// (RFC 5322 section 2.1.1). Blanks may follow a boundary, but not without end.
const maxDelimiter = 998

// boundaries are those of the open multiparts, the innermost last.
type boundaries struct {
	list []boundary
	text []byte

	parameters parameters // of the Content-Type last looked at
}

type boundary struct {
	frame      int // index into Scanner.open
	start, end int // in text
}

func (b *boundaries) empty() bool { return len(b.list) == 0 }

// add takes the boundary of a multipart with this Content-Type. It reports
// whether there is one.
func (b *boundaries) add(frame int, contentType []byte) bool {
	start := len(b.text)
	text, ok := b.parameters.append(b.text, contentType, "boundary", nil)
	text = bytes.TrimRight(text, " \t")
	if n := len(text) - start; !ok || n <= 0 || n > MaxBoundary {
		return false
	}
	b.text = text
	b.list = append(b.list, boundary{frame: frame, start: start, end: len(text)})
	return true
}

// keep forgets all boundaries but the first n.
func (b *boundaries) keep(n int) {
	b.list = b.list[:n]
	b.text = b.text[:0]
	if n > 0 {
		b.text = b.text[:b.list[n-1].end]
	}
}

// match finds the multipart that a line delimits, and whether for the last time
// (rule 8).
func (b *boundaries) match(line []byte) (k int, last, ok bool) {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return 0, false, false
	}
	line = trimLineEnd(line[2:])
	if len(line)+2 > maxDelimiter {
		return 0, false, false
	}
	line = bytes.TrimRight(line, " \t")
	for k := len(b.list) - 1; k >= 0; k-- {
		text := b.text[b.list[k].start:b.list[k].end]
		rest, ok := bytes.CutPrefix(line, text)
		if ok && (len(rest) == 0 || string(rest) == "--") {
			return k, len(rest) > 0, true
		}
	}
	return 0, false, false
}
