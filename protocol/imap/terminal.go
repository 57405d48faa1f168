package imap

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// The classes of bytes that the productions of RFC 9051 section 9 are made of.
type class uint8

const (
	isAtom    class = 1 << iota // ATOM-CHAR
	isAstring                   // ASTRING-CHAR: the same and ]
	isTag                       // ASTRING-CHAR but for +
	isList                      // list-char: ASTRING-CHAR and the wildcards % and *
	isSet                       // what a sequence-set is made of
	isDecimal                   // DIGIT
	isLabel                     // a word of letters, digits, dot, hyphen, underscore
)

var classes = func() (t [256]class) {
	for c := byte(0x21); c < 0x7f; c++ {
		switch c {
		case '(', ')', '{', '"', '\\':
		case '%', '*':
			t[c] = isList
		case ']':
			t[c] = isAstring | isTag | isList
		case '+':
			t[c] = isAtom | isAstring | isList
		default:
			t[c] = isAtom | isAstring | isTag | isList
		}
		if isDigit(c) {
			t[c] |= isDecimal
		}
		if isDigit(c) || c == ':' || c == ',' || c == '*' {
			t[c] |= isSet
		}
		if isDigit(c) || 'A' <= upper(c) && upper(c) <= 'Z' || c == '.' || c == '-' || c == '_' {
			t[c] |= isLabel
		}
	}
	return t
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// countRun is how many bytes at the start of b are of class c.
func countRun(b []byte, c class) int {
	n := 0
	for n < len(b) && classes[b[n]]&c != 0 {
		n++
	}
	return n
}

// run takes the bytes of a class that come next. They are valid until more is read.
func (d *Decoder) run(c class) []byte {
	if d.err != nil {
		return nil
	}
	rest := d.line[d.pos:]
	n := countRun(rest, c)
	d.pos += n
	return rest[:n]
}

// peek is the next byte of the line, 0 at its end and after an error.
func (d *Decoder) peek() byte {
	if d.err != nil || d.pos >= len(d.line) {
		return 0
	}
	return d.line[d.pos]
}

// accept takes the byte c if it comes next.
func (d *Decoder) accept(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.pos++
	return true
}

// expect takes the byte c, which must come next.
func (d *Decoder) expect(c byte, otherwise string) {
	if !d.accept(c) {
		d.fail(otherwise)
	}
}

// SP takes the one space that stands between two arguments.
func (d *Decoder) SP() { d.expect(' ', "space expected") }

// More reports whether another argument follows, and takes the space before it.
func (d *Decoder) More() bool { return d.accept(' ') }

// countArg counts an argument against Limits.Args.
func (d *Decoder) countArg() {
	if d.args++; d.args > d.lim.Args {
		d.failCode(CodeLimit, "too many arguments")
	}
}

// word takes a keyword of the protocol. It is valid until more is read.
func (d *Decoder) word(what string) []byte {
	d.countArg()
	w := d.run(isLabel)
	if len(w) == 0 {
		d.fail(what + " expected")
	}
	return w
}

// Atom reads an atom.
func (d *Decoder) Atom() string {
	d.countArg()
	w := d.run(isAtom)
	if len(w) == 0 {
		d.fail("atom expected")
	}
	return string(w)
}

// atomUpper reads an atom whose case does not matter.
func (d *Decoder) atomUpper() string {
	d.countArg()
	w := d.run(isAtom)
	if len(w) == 0 {
		d.fail("atom expected")
	}
	return upperString(w)
}

// AString reads an astring: 1*ASTRING-CHAR or a string. Its bytes are any but
// NUL; see String.
func (d *Decoder) AString() string {
	if classes[d.peek()]&isAstring == 0 {
		return d.String()
	}
	d.countArg()
	return string(d.run(isAstring))
}

// String reads a quoted string or a literal. A quoted string is UTF-8 without CR,
// LF and NUL, a literal has any bytes but NUL.
func (d *Decoder) String() string {
	d.countArg()
	switch d.peek() {
	case '"':
		return d.quoted()
	case '{', '~':
		return d.readLiteral()
	}
	d.fail("string expected")
	return ""
}

// NString reads a string or NIL; ok tells which.
func (d *Decoder) NString() (s string, ok bool) {
	if c := d.peek(); c == '"' || c == '{' || c == '~' {
		return d.String(), d.err == nil
	}
	if !equalFold(d.word("string or NIL"), "NIL") {
		d.fail("string or NIL expected")
	}
	return "", false
}

// quoted reads a quoted string. QUIRK: UTF-8 is taken from every client. RFC 9051
// section 9 has it in QUOTED-CHAR, RFC 3501 not, yet such passwords and search
// strings are sent by clients of either.
func (d *Decoder) quoted() string {
	var unescaped []byte // what lies before rest
	rest := d.line[d.pos+1:]
	for {
		i := bytes.IndexAny(rest, `"\`)
		switch {
		case i < 0:
			d.fail("quoted string without end")
			return ""
		case rest[i] == '"':
			d.pos = len(d.line) - len(rest) + i + 1
			if unescaped == nil {
				return d.utf8(rest[:i])
			}
			return d.utf8(append(unescaped, rest[:i]...))
		case i+1 == len(rest) || rest[i+1] != '"' && rest[i+1] != '\\':
			d.fail(`only " and \ can be quoted by \`)
			return ""
		}
		unescaped = append(append(unescaped, rest[:i]...), rest[i+1])
		rest = rest[i+2:]
	}
}

func (d *Decoder) utf8(s []byte) string {
	if !utf8.Valid(s) {
		d.fail("quoted string is not UTF-8")
		return ""
	}
	return string(s)
}

// number reads decimal digits and nothing else, up to limit.
func number(b []byte, limit int64) (int64, bool) {
	var n int64
	for _, c := range b {
		if !isDigit(c) || n > (limit-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

func (d *Decoder) digits(least, limit int64) int64 {
	d.countArg()
	v, ok := number(d.run(isDecimal), limit)
	if !ok || v < least {
		d.fail("number expected, or number out of range")
		return 0
	}
	return v
}

// NZNumber reads an nz-number: 1 to 2^32-1.
func (d *Decoder) NZNumber() uint32 { return uint32(d.digits(1, math.MaxUint32)) }

// Number64 reads a number64 or a mod-sequence-valzer: 0 to 2^63-1.
func (d *Decoder) Number64() int64 { return d.digits(0, math.MaxInt64) }

// NZNumber64 reads an nz-number64 or a mod-sequence-value: 1 to 2^63-1.
func (d *Decoder) NZNumber64() int64 { return d.digits(1, math.MaxInt64) }

// enter counts a level of nesting against Limits.Depth.
func (d *Decoder) enter() {
	if d.depth++; d.depth > d.lim.Depth {
		d.failCode(CodeLimit, "nested too deeply")
	}
}

func (d *Decoder) leave() { d.depth-- }

// list reads a parenthesized list: item is called for each of its items.
func (d *Decoder) list(item func()) {
	d.expect('(', "( expected")
	d.enter()
	if d.peek() == ')' {
		d.fail("empty list")
	}
	for d.err == nil {
		item()
		// QUIRK: some clients send a space behind the last item.
		if !d.More() || d.peek() == ')' {
			break
		}
	}
	d.expect(')', ") expected")
	d.leave()
}

// listOrNothing reads a list that may be empty.
func (d *Decoder) listOrNothing(item func()) {
	if d.peek() == '(' && d.pos+1 < len(d.line) && d.line[d.pos+1] == ')' {
		d.pos += 2
		return
	}
	d.list(item)
}
