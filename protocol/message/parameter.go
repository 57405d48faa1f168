package message

import "bytes"

// maxParameters is how many parameters of one field are looked at. RFC 2231
// lets one value be cut into as many.
const maxParameters = 100

// parameter is a parameter of a Content-Type or Content-Disposition, or one
// section of a parameter that continues (RFC 2231 section 3).
type parameter struct {
	name     []byte // without section and star
	sent     []byte // the name with them
	value    []byte // as written, but without the quotes around it
	section  int    // -1: the value is whole
	quoted   bool
	extended bool // the value is percent-encoded (RFC 2231 section 4)
	joined   bool // told as part of a parameter
}

func (p *parameter) is(name []byte, section int) bool {
	return p.section == section && len(p.name) == len(name) && bytes.EqualFold(p.name, name)
}

// appendValue appends the value without its backslashes.
func (p *parameter) appendValue(dst []byte) []byte {
	if p.quoted {
		return appendUnquoted(dst, p.value)
	}
	return append(dst, p.value...)
}

type parameters struct {
	list [maxParameters]parameter
	n    int
}

// parse reads the parameters that follow the first word or words of a field.
func (ps *parameters) parse(value []byte) {
	l := lexer{s: value}
	for ps.n = 0; ps.n < maxParameters && l.parameter(&ps.list[ps.n]); {
		ps.n++
	}
}

// parameter reads up to the next parameter and through it. What is none (no
// name, no equals sign) is passed over.
func (l *lexer) parameter(p *parameter) bool {
	for l.nextSemicolon() {
		l.skipBlanks()
		start, end := l.token()
		l.skipBlanks()
		if end == start || !l.take('=') {
			continue
		}
		p.sent = l.s[start:end]
		p.name, p.section, p.extended = cutSection(p.sent)
		p.joined = false
		l.skipBlanks()
		if p.quoted = !l.done() && l.s[l.i] == '"'; p.quoted {
			p.value = l.quotedString()
		} else {
			p.value = l.unquotedValue()
		}
		return true
	}
	return false
}

// nextSemicolon skips to the next semicolon outside of quotes and comments, and
// over it.
func (l *lexer) nextSemicolon() bool {
	for !l.done() {
		switch l.s[l.i] {
		case ';':
			l.i++
			return true
		case '"':
			l.quotedString()
		case '(':
			l.comment()
		default:
			l.i++
		}
	}
	return false
}

// unquotedValue reads a value up to a semicolon or comment.
//
// QUIRK: a token has neither blanks nor specials, but boundaries with "=" and
// file names with both are sent without quotes.
func (l *lexer) unquotedValue() []byte {
	start := l.i
	for ; !l.done() && l.s[l.i] != ';'; l.i++ {
		if l.s[l.i] == '(' && l.i > start && (l.s[l.i-1] == ' ' || l.s[l.i-1] == '\t') {
			break
		}
	}
	return bytes.TrimRight(l.s[start:l.i], " \t\r\n")
}

// cutSection parts a name of RFC 2231: title*1* is section 1 of title, extended.
// Section numbers have no leading zeros, and one of three digits is none.
func cutSection(sent []byte) (name []byte, section int, extended bool) {
	name, extended = bytes.CutSuffix(sent, []byte("*"))
	star := bytes.LastIndexByte(name, '*')
	if star <= 0 {
		return name, -1, extended
	}
	section, ok := sectionNumber(name[star+1:])
	if !ok {
		return name, -1, extended
	}
	return name[:star], section, extended
}

func sectionNumber(digits []byte) (n int, ok bool) {
	if len(digits) == 0 || len(digits) > 2 || len(digits) == 2 && digits[0] == '0' {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// next returns the section that continues section i, -1 if there is none.
func (ps *parameters) next(i int) int {
	return ps.find(ps.list[i].name, ps.list[i].section+1)
}

// find returns the first parameter of a name and section, -1 if there is none.
func (ps *parameters) find(name []byte, section int) int {
	for i := range ps.list[:ps.n] {
		if ps.list[i].is(name, section) {
			return i
		}
	}
	return -1
}

// AppendParam appends the value of a parameter of a Content-Type or
// Content-Disposition and reports whether there is one. value is that of the
// field, unfolded. The first parameter of the name counts.
//
// RFC 2231 is undone: sections are joined up to the first that is missing, at
// most 100 of them, and percent-encoding is decoded. With a Charset an encoded
// form of the parameter is preferred and turned into UTF-8, also one in encoded
// words, which RFC 2047 section 5 forbids but senders write; what cannot be
// decoded is appended as it was sent. Without, bytes stay bytes, and the plain
// form is preferred.
func AppendParam(dst, value []byte, name string, decode Charset) ([]byte, bool) {
	var ps parameters
	return ps.append(dst, value, name, decode)
}

// append is AppendParam with a place for the parameters.
func (ps *parameters) append(dst, value []byte, name string, decode Charset) ([]byte, bool) {
	ps.parse(value)
	plain, encoded := ps.forms(name)
	switch {
	case encoded >= 0 && (decode != nil || plain < 0):
		return ps.appendJoined(dst, encoded, decode), true
	case plain < 0:
		return dst, false
	case decode == nil:
		return ps.list[plain].appendValue(dst), true
	}
	return AppendDecodedWords(dst, ps.list[plain].appendValue(nil), decode), true
}

// forms returns the first parameter of this name that is plain, and the first
// that is percent-encoded or in sections; -1 for none.
func (ps *parameters) forms(name string) (plain, encoded int) {
	plain, encoded = -1, -1
	for i := ps.n - 1; i >= 0; i-- {
		p := &ps.list[i]
		switch {
		case p.section > 0 || !p.is([]byte(name), p.section):
		case p.section < 0 && !p.extended:
			plain = i
		default:
			encoded = i
		}
	}
	return plain, encoded
}

// appendJoined appends the value of an extended parameter or of one in sections.
func (ps *parameters) appendJoined(dst []byte, first int, decode Charset) []byte {
	var charset []byte
	start := len(dst)
	for i := first; i >= 0; i = ps.next(i) {
		p := &ps.list[i]
		if !p.extended {
			dst = p.appendValue(dst)
			continue
		}
		v := p.appendValue(nil)
		if i == first {
			charset, v = cutCharset(v)
		}
		dst = appendPercentDecoded(dst, v)
		if p.section < 0 {
			break
		}
	}
	if decode != nil && len(charset) > 0 {
		end := len(dst)
		if out, ok := recode(dst, start, charset, decode); ok {
			return out
		}
		dst = dst[:end]
	}
	return dst
}

// cutCharset parts charset'language'text.
func cutCharset(v []byte) (charset, text []byte) {
	charset, rest, ok := bytes.Cut(v, []byte("'"))
	if !ok {
		return nil, v
	}
	if _, text, ok = bytes.Cut(rest, []byte("'")); !ok {
		return nil, v
	}
	return charset, text
}

// appendPercentDecoded decodes %XX; a percent sign without two hexadecimal
// digits is itself.
func appendPercentDecoded(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			if c, ok := hexByte(v[i+1], v[i+2]); ok {
				dst = append(dst, c)
				i += 2
				continue
			}
		}
		dst = append(dst, v[i])
	}
	return dst
}

func hexByte(hi, lo byte) (byte, bool) {
	h, l := hexDigit(hi), hexDigit(lo)
	return byte(h<<4 | l), h >= 0 && l >= 0
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
