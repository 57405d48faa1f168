package message

import "bytes"

// mediaType tells where in the value of a Content-Type its two words lie.
type mediaType struct {
	typeStart, typeEnd       int
	subtypeStart, subtypeEnd int
}

// parseMediaType reads the type of a Content-Type field (RFC 2045 section 5.1),
// with comments anywhere.
func parseMediaType(value []byte) (m mediaType, ok bool) {
	l := lexer{s: value}
	l.skipBlanks()
	m.typeStart, m.typeEnd = l.token()
	l.skipBlanks()
	if !l.take('/') {
		return m, false
	}
	l.skipBlanks()
	m.subtypeStart, m.subtypeEnd = l.token()
	return m, m.typeEnd > m.typeStart && m.subtypeEnd > m.subtypeStart
}

// mechanism returns the word that a Content-Transfer-Encoding or a
// Content-Disposition begins with, "" if there is none.
func mechanism(value []byte) []byte {
	l := lexer{s: value}
	l.skipBlanks()
	start, end := l.token()
	return value[start:end]
}

// lexer reads the value of a structured field from left to right. No byte is
// looked at more than twice.
type lexer struct {
	s []byte
	i int
}

func (l *lexer) done() bool { return l.i >= len(l.s) }

func (l *lexer) take(c byte) bool {
	if l.i < len(l.s) && l.s[l.i] == c {
		l.i++
		return true
	}
	return false
}

// skipBlanks skips blanks and comments (CFWS, RFC 5322 section 3.2.2). Line ends
// count as blanks: a value that was cut may end with one.
func (l *lexer) skipBlanks() {
	for !l.done() {
		switch l.s[l.i] {
		case ' ', '\t', '\r', '\n':
			l.i++
		case '(':
			l.comment()
		default:
			return
		}
	}
}

// comment skips a comment with those within, or all of the rest if it is not
// closed, and returns what is in it.
func (l *lexer) comment() []byte {
	start := l.i + 1
	for depth := 0; !l.done(); l.i++ {
		switch l.s[l.i] {
		case '\\':
			l.i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.i++
				return l.s[start : l.i-1]
			}
		}
	}
	l.i = len(l.s)
	return l.s[min(start, l.i):]
}

// token reads a token of RFC 2045 section 5.1, which may be empty.
func (l *lexer) token() (start, end int) {
	start = l.i
	for !l.done() && isToken(l.s[l.i]) {
		l.i++
	}
	return start, l.i
}

// isToken takes 8-bit bytes for letters: they are sent, and end nothing.
func isToken(c byte) bool {
	return c > ' ' && c != 0x7f && bytes.IndexByte([]byte(`()<>@,;:\"/[]?=`), c) < 0
}

// quotedString reads a quoted string, of which the quote has been seen, without
// its quotes and with its backslashes. It may go on to the end of the value.
func (l *lexer) quotedString() []byte {
	l.i++
	start := l.i
	for ; !l.done(); l.i++ {
		switch l.s[l.i] {
		case '\\':
			l.i++
		case '"':
			l.i++
			return l.s[start : l.i-1]
		}
	}
	l.i = len(l.s)
	return l.s[min(start, l.i):]
}

// appendUnquoted appends what is within quotes or parentheses without its
// backslashes.
func appendUnquoted(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), s[i+1])
		s = s[i+2:]
	}
}
