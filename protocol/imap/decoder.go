package imap

import (
	"bytes"
	"errors"
	"io"

	"rohrpost/protocol/line"
)

// Decoder reads commands. Its methods that read an argument do nothing and return
// a zero value once there is an error, which Err and End return: a parser can
// read on and look once at the end, but loops must end then.
//
// Next finds a command, the methods named after productions of the RFCs read its
// arguments, End is its CRLF.
type Decoder struct {
	// UTF8 says that the client has enabled UTF8=ACCEPT (RFC 6855) or IMAP4rev2:
	// mailbox names are UTF-8, no longer modified UTF-7.
	UTF8 bool

	r      *line.Reader
	lim    Limits
	resume func(text string) error

	tag  string
	line []byte // the line that is being read, in the reader's buffer
	pos  int    // how much of line has been taken
	open bool   // the command has not been read to its end
	bare bool   // line ended in a bare LF
	size int    // bytes of the line, or what to count for it if it was dropped

	args    int     // arguments so far
	depth   int     // parentheses that are open
	literal int     // bytes of literals so far
	stream  Literal // the literal that the session reads, of APPEND
	inUTF8  bool    // stream is in the parentheses of UTF8 (...)
	err     error
}

// Command is the beginning of a command.
type Command struct {
	Tag  string
	Name string // in capital letters, as "FETCH"
	UID  bool   // the command was UID and this one, whether it has such a form or not
}

// NewDecoder returns a Decoder of what r reads. resume writes "+ ", the text, CRLF
// and flushes: it asks the client for a literal or for more of an exchange.
func NewDecoder(r *line.Reader, lim Limits, resume func(text string) error) *Decoder {
	return &Decoder{r: r, lim: lim, resume: resume}
}

// SetReader makes d read on from r: a layer has come in between (COMPRESS).
func (d *Decoder) SetReader(r *line.Reader) { d.r = r }

// Err is what was wrong with the command: *SyntaxError, *Bye, or an error of the
// reader. It is nil again after the next Next.
func (d *Decoder) Err() error { return d.err }

// Next reads the tag and the name of the next command; what is left of the last
// one is skipped. At the end of input between two commands the error is io.EOF.
// After a *SyntaxError Next can be called again.
func (d *Decoder) Next() (Command, error) {
	if err := d.Skip(); err != nil {
		return Command{}, err
	}
	d.tag, d.err = "", nil
	d.args, d.depth, d.literal = 0, 0, 0
	d.stream, d.inUTF8 = Literal{}, false
	if !d.readLine() {
		return Command{}, d.err
	}
	var c Command
	c.Tag = d.readTag()
	d.tag = c.Tag
	d.expect(' ', "tag without a command")
	c.Name = d.commandName()
	if c.Name == "UID" {
		c.UID = true
		d.SP()
		c.Name = d.commandName()
	}
	return c, d.err
}

// readTag reads a tag. RFC 9051 section 9: tag = 1*<any ASTRING-CHAR except "+">,
// so a line that looks like a response has none.
func (d *Decoder) readTag() string {
	tag := d.run(isTag)
	if len(tag) == 0 || d.pos < len(d.line) && d.line[d.pos] != ' ' {
		d.fail("command without a tag")
		return ""
	}
	return string(tag)
}

// maxCommandName is the longest name that can be a command, in bytes; the longest
// one registered has 15.
const maxCommandName = 32

func (d *Decoder) commandName() string {
	name := d.run(isAtom)
	switch {
	case d.err != nil:
		return ""
	case len(name) == 0:
		d.fail("tag without a command")
		return ""
	case len(name) > maxCommandName:
		d.fail("unknown command")
		return ""
	}
	return upperString(name)
}

// End takes the CRLF that ends the command. It returns the first error of the
// whole command: with nil, all that was read is right.
func (d *Decoder) End() error {
	if d.err == nil && d.pos != len(d.line) {
		d.fail("unexpected text behind the arguments")
	}
	if d.err == nil {
		d.open = false
	}
	return d.err
}

// Line reads one line that is no command: an answer in AUTHENTICATE, the DONE of
// IDLE. It is valid until the next call, and comes without its line end.
func (d *Decoder) Line() ([]byte, error) {
	d.err = nil
	if !d.readLine() {
		return nil, d.err
	}
	d.pos, d.open = len(d.line), false
	return d.line, nil
}

// Fail makes the command a syntax error, for what only the session can see. It
// returns the error.
func (d *Decoder) Fail(text string) error {
	d.fail(text)
	return d.err
}

func (d *Decoder) fail(text string) { d.failCode("", text) }

func (d *Decoder) failCode(code Code, text string) {
	if d.err == nil {
		d.err = &SyntaxError{Tag: d.tag, Code: code, Text: text}
	}
}

// readLine reads the next line of the command.
func (d *Decoder) readLine() bool {
	d.line, d.pos = nil, 0
	l, err := d.r.ReadLine(d.lim.Line)
	switch {
	case err == line.ErrTooLong:
		var head []byte
		head, d.line = d.r.Dropped()
		d.bare, d.open, d.size = d.r.BareLF(), true, d.lim.Line
		d.failCode(CodeLimit, "line too long")
		d.guessTag(head)
		if headless(d.line) {
			d.bye("size of a literal too long")
		}
	case err == line.ErrFlood:
		d.err = &Bye{Code: CodeLimit, Text: "line without end"}
	case err == io.EOF && d.open:
		d.err = io.ErrUnexpectedEOF
	case err != nil:
		d.err = err
	default:
		d.line, d.bare, d.open, d.size = l, d.r.BareLF(), true, len(l)
		d.checkLine()
	}
	return d.err == nil
}

// checkLine refuses what may stand nowhere in a line. RFC 9051 section 2.2: lines
// end in CRLF; section 9: neither CR, LF nor NUL is in any production of a line.
func (d *Decoder) checkLine() {
	switch {
	case d.bare:
		d.fail("lines must end in CRLF")
	case bytes.IndexByte(d.line, '\r') >= 0:
		d.fail("CR within a line")
	case bytes.IndexByte(d.line, 0) >= 0:
		d.fail("NUL within a line")
	}
	d.guessTag(d.line)
}

// guessTag gives an error the tag that the command begins with: it may be good, and
// an answer with it is worth more.
func (d *Decoder) guessTag(head []byte) {
	s, ok := d.err.(*SyntaxError)
	if !ok || s.Tag != "" {
		return
	}
	if n := countRun(head, isTag); n < len(head) && head[n] == ' ' {
		s.Tag = string(head[:n])
	}
}

// Skip reads what is left of the command, as Next does, literals of the client
// included. The error is *Bye if that is more than Limits.Skip, or the reader's.
func (d *Decoder) Skip() error {
	if bye := (*Bye)(nil); errors.As(d.err, &bye) {
		return d.err
	}
	budget := d.lim.Skip
	for d.open {
		n, more := d.follows()
		if !more {
			d.open = false
			break
		}
		if n > budget {
			return d.bye("too much behind a command that was refused")
		}
		budget -= n
		if err := d.discard(n); err != nil {
			return err
		}
		d.err = nil
		if !d.readLine() && !isSyntax(d.err) {
			return d.err
		}
		budget -= int64(d.size) + 2
	}
	return nil
}

// follows tells whether more lines belong to the command, and how many bytes of a
// literal come before the next.
func (d *Decoder) follows() (literal int64, more bool) {
	if s := &d.stream; s.open {
		s.open = false
		return s.left, s.accepted || !s.Sync
	}
	if d.bare {
		return 0, true
	}
	a, ok := literalAtEnd(d.line)
	return a.size, ok && !a.sync
}

func isSyntax(err error) bool {
	_, ok := err.(*SyntaxError)
	return ok
}

// bye ends the session for good.
func (d *Decoder) bye(text string) error {
	d.err = &Bye{Code: CodeTooBig, Text: text}
	return d.err
}

// discard drops n bytes of a literal.
func (d *Decoder) discard(n int64) error {
	for n > 0 {
		p, err := d.r.Peek()
		if err != nil {
			return d.readError(err)
		}
		k := min(n, int64(len(p)))
		d.r.Skip(int(k))
		n -= k
	}
	return nil
}
