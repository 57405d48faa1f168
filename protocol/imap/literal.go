package imap

import (
	"bytes"
	"io"
	"math"
)

// Literals (RFC 9051 section 4.3): a line ends in {n}, n bytes follow, then the
// command goes on in the next line. The client sends them when it is told to,
// or, with {n+}, at once (RFC 7888). ~{n} may hold NUL (RFC 3516).

// announcement is what a line says of the literal behind it.
type announcement struct {
	at     int // where in the line it stands, to its end
	size   int64
	binary bool
	sync   bool
}

// literalAtEnd reads the announcement that ends l, if one does. A size that is out
// of range is math.MaxInt64.
func literalAtEnd(l []byte) (a announcement, ok bool) {
	i := len(l) - 1
	if i < 2 || l[i] != '}' {
		return a, false
	}
	a.sync = l[i-1] != '+'
	if !a.sync {
		i--
	}
	end := i
	for i > 0 && isDigit(l[i-1]) {
		i--
	}
	if i == end || i == 0 || l[i-1] != '{' {
		return a, false
	}
	a.at = i - 1
	if a.binary = a.at > 0 && l[a.at-1] == '~'; a.binary {
		a.at--
	}
	if a.size, ok = number(l[i:end], math.MaxInt64); !ok {
		a.size = math.MaxInt64
	}
	return a, true
}

// headless reports whether the end of a line that was dropped may be that of an
// announcement which began before it.
func headless(tail []byte) bool {
	size, ok := bytes.CutSuffix(tail, []byte("+}"))
	return ok && countRun(size, isDecimal) == len(size)
}

// announced takes the announcement of a literal, which must be all that is left of
// the line.
func (d *Decoder) announced() (a announcement, ok bool) {
	if d.err != nil {
		return a, false
	}
	a, ok = literalAtEnd(d.line[d.pos:])
	switch {
	case !ok || a.at != 0:
		d.fail("literal expected")
		return a, false
	case !a.sync && a.size > d.lim.Plus:
		d.refuse(a, "literal too big to be sent without waiting")
		return a, false
	}
	d.pos = len(d.line)
	return a, true
}

// refuse makes a literal an error. If it is on its way already, and more than can
// be skipped, there is no next command.
func (d *Decoder) refuse(a announcement, text string) {
	if !a.sync && a.size > d.lim.Skip {
		d.bye(text)
		return
	}
	d.failCode(CodeTooBig, text)
}

// readLiteral reads a literal into memory.
func (d *Decoder) readLiteral() string {
	a, ok := d.announced()
	switch {
	case !ok:
		return ""
	case a.binary:
		d.fail("a literal8 is not allowed here")
		return ""
	case a.size > int64(d.lim.Literal-d.literal):
		d.refuse(a, "literals too big")
		return ""
	}
	d.literal += int(a.size)
	if a.sync {
		if err := d.resume("go on"); err != nil {
			d.err = err
			return ""
		}
	}
	p := make([]byte, a.size)
	if _, err := io.ReadFull(d.r, p); err != nil {
		d.err = noEOF(err)
		return ""
	}
	if d.readLine() && bytes.IndexByte(p, 0) >= 0 {
		// RFC 9051 section 4.3: CHAR8 is any octet except NUL.
		d.fail("NUL in a literal")
	}
	return string(p)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readError makes err, which cut a command short, the error of the command.
func (d *Decoder) readError(err error) error {
	d.err = noEOF(err)
	return d.err
}

// Literal is the message of an APPEND: an io.Reader of exactly Size bytes, with
// the line ends of the wire. It must be accepted before it is read, and read to
// io.EOF before the command goes on.
type Literal struct {
	Size   int64 // bytes
	Binary bool  // a literal8: NUL is allowed (RFC 3516 section 4.4)
	Sync   bool  // the client waits to be asked for it; if it is refused it is not sent

	d        *Decoder
	left     int64
	open     bool // the line behind it has not been read
	accepted bool
}

// newStream begins the literal that comes next. It lives until the next one.
func (d *Decoder) newStream() *Literal {
	a, ok := d.announced()
	if !ok {
		return nil
	}
	d.stream = Literal{Size: a.size, Binary: a.binary, Sync: a.sync, d: d, left: a.size, open: true}
	return &d.stream
}

// Accept asks the client for the literal, if it waits to be asked. A literal that
// is not accepted is skipped by the next Next if it comes anyway, which is a Bye
// if it is above Limits.Skip.
func (l *Literal) Accept() error {
	if l.accepted {
		return nil
	}
	l.accepted = true
	if !l.Sync {
		return nil
	}
	if err := l.d.resume("go on"); err != nil {
		return l.d.readError(err)
	}
	return nil
}

// Read reads the literal. A *SyntaxError is a NUL where none is allowed: the
// message cannot be taken as it is, and what is left of it is skipped by Next.
// io.ErrUnexpectedEOF is a client that went away within it.
func (l *Literal) Read(p []byte) (int, error) {
	d := l.d
	switch {
	case d.err != nil:
		return 0, d.err
	case !l.accepted:
		return 0, d.Fail("literal read before it was accepted")
	case l.left == 0:
		return 0, io.EOF
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := d.r.Read(p)
	l.left -= int64(n)
	if err != nil && (err != io.EOF || l.left > 0) {
		return n, d.readError(err)
	}
	if !l.Binary && bytes.IndexByte(p[:n], 0) >= 0 {
		return 0, d.Fail("NUL in a literal")
	}
	return n, nil
}

// endStream takes the command up again behind the streamed literal.
func (d *Decoder) endStream() {
	if d.err != nil || !d.stream.open {
		return
	}
	if d.stream.left > 0 {
		d.fail("literal not read to its end")
		return
	}
	d.stream.open = false
	d.readLine()
}
