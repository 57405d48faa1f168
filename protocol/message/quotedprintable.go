package message

// quotedPrintable decodes what is ahead, as far as it fits into p and its meaning
// does not hang on bytes not read yet.
func (d *Decoder) quotedPrintable(p []byte) (n int) {
	for n < len(p) && len(d.ahead) > 0 {
		if plain := plainLength(d.ahead); plain > 0 {
			k := copy(p[n:], d.ahead[:plain])
			n += k
			d.ahead = d.ahead[k:]
			continue
		}
		var k int
		if d.ahead[0] == '=' {
			k = d.escape(p[n:])
		} else {
			k = d.blanks(p[n:])
		}
		if k < 0 {
			return n
		}
		n += k
	}
	return n
}

// plainLength is how many bytes stand for themselves.
func plainLength(s []byte) int {
	for i, c := range s {
		if c == '=' || c == ' ' || c == '\t' {
			return i
		}
	}
	return len(s)
}

// needMore is returned where the bytes ahead do not suffice.
const needMore = -1

// escape decodes at an equals sign.
func (d *Decoder) escape(p []byte) int {
	a := d.ahead
	if len(a) >= 3 {
		if c, ok := hexByte(a[1], a[2]); ok {
			p[0] = c
			d.ahead = a[3:]
			return 1
		}
	}
	end := d.lineEndBehindBlanks(a[1:])
	switch {
	case end == notSeen, len(a) < 3 && d.hasMore():
		return needMore
	case end >= 0: // a soft line break
		d.ahead = a[1+end:]
		return 0
	}
	p[0] = '='
	d.ahead = a[1:]
	return 1
}

// blanks drops blanks at the end of a line, and hands on others.
func (d *Decoder) blanks(p []byte) int {
	n := 0
	for n < len(d.ahead) && (d.ahead[n] == ' ' || d.ahead[n] == '\t') {
		n++
	}
	switch end := d.lineEndBehindBlanks(d.ahead); {
	case end == notSeen:
		return needMore
	case end >= 0:
		d.ahead = d.ahead[n:]
		return 0
	}
	k := copy(p, d.ahead[:n])
	d.ahead = d.ahead[k:]
	return k
}

// hasMore says that reading on would show what follows the bytes ahead. Where it
// would not, the text ends there, or the run of blanks is longer than the window
// and taken for text.
func (d *Decoder) hasMore() bool { return d.err == nil && len(d.ahead) < len(d.window) }

const (
	noLineEnd = -1
	notSeen   = -2 // more has to be read first
)

// lineEndBehindBlanks returns the length of the blanks and the line end that a
// begins with, or one of the above. The end of the text ends a line.
func (d *Decoder) lineEndBehindBlanks(a []byte) int {
	n := 0
	for n < len(a) && (a[n] == ' ' || a[n] == '\t') {
		n++
	}
	rest := a[n:]
	switch {
	case len(rest) > 0 && rest[0] == '\n':
		return n + 1
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return n + 2
	case len(rest) > 1 || len(rest) == 1 && rest[0] != '\r':
		return noLineEnd
	case d.hasMore():
		return notSeen
	case len(rest) == 0 && d.err != nil:
		return n
	}
	return noLineEnd
}
