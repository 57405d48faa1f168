package message

import "bytes"

// quotedPrintable decodes what is ahead, as far as it fits into p and its meaning
// does not hang on bytes not read yet.
func (d *Decoder) quotedPrintable(p []byte) (n int) {
	for n < len(p) && len(d.ahead) > 0 {
		plain := bytes.IndexAny(d.ahead, "= \t")
		if plain < 0 {
			plain = len(d.ahead)
		}
		if plain > 0 {
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
	end, known := lineEndBehindBlanks(a[1:], d.final())
	switch {
	case !known || len(a) < 3 && !d.final():
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
	end, known := lineEndBehindBlanks(d.ahead, d.final())
	if !known {
		return needMore
	}
	if end >= 0 {
		d.ahead = d.ahead[n:]
		return 0
	}
	k := copy(p, d.ahead[:n])
	d.ahead = d.ahead[k:]
	return k
}

// final says that what is ahead is all there will be, or all there is room for.
func (d *Decoder) final() bool { return d.err != nil || len(d.ahead) == len(d.window) }

// lineEndBehindBlanks returns the length of the blanks and the line end that a
// begins with, -1 if no line ends behind the blanks. The end of the text counts
// as one.
func lineEndBehindBlanks(a []byte, final bool) (n int, known bool) {
	for n < len(a) && (a[n] == ' ' || a[n] == '\t') {
		n++
	}
	switch rest := a[n:]; {
	case len(rest) == 0:
		return n, final
	case rest[0] == '\n':
		return n + 1, true
	case rest[0] != '\r':
		return -1, true
	case len(rest) > 1 && rest[1] == '\n':
		return n + 2, true
	case len(rest) == 1 && !final:
		return 0, false
	}
	return -1, true
}
