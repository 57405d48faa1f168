package message

import "bytes"

// Address is an entry of a header field that lists addresses (RFC 5322 section
// 3.4), cut up as an IMAP envelope has it (RFC 9051 section 7.5.2).
type Address struct {
	Kind AddressKind
	// Name is the display name without quotes, or the comment that old mail
	// has in its place; of a group its name. Encoded words stay.
	Name []byte
	// Route is the source route of RFC 5322 section 4.4, "@a,@b".
	Route []byte
	// Mailbox is the local part without quotes, Host the domain. Either may
	// be empty: what was not sent is not invented.
	Mailbox, Host []byte
}

// AddressKind tells an address from the two ends of a group.
type AddressKind uint8

const (
	Mailbox AddressKind = iota
	GroupStart
	GroupEnd
)

// Addresses reads the entries of one field, one at a time. Nothing is an error:
// what is missing is empty, what is not closed ends with the value, and what
// stands where nothing belongs is passed over. Each byte is looked at a bounded
// number of times.
type Addresses struct {
	l       lexer
	inGroup bool
	noQuote bool // no quote closes in the rest of the value

	scratch []byte
	comment []byte // the last of this entry
}

// Reset begins with the unfolded value of a field. Buffers are kept.
func (a *Addresses) Reset(value []byte) {
	*a = Addresses{l: lexer{s: value}, scratch: a.scratch}
}

// Next returns the next entry. Its slices are valid until the next call.
func (a *Addresses) Next() (entry Address, ok bool) {
	a.scratch, a.comment = a.scratch[:0], nil
	for a.blanks(); !a.l.done(); a.blanks() {
		switch a.l.s[a.l.i] {
		case ';':
			a.l.i++
			if a.inGroup {
				a.inGroup = false
				return Address{Kind: GroupEnd}, true
			}
		case ',', '>':
			a.l.i++
		default:
			return a.entry(), true
		}
		a.comment = nil
	}
	if a.inGroup {
		a.inGroup = false
		return Address{Kind: GroupEnd}, true
	}
	return Address{}, false
}

// entry reads a group's beginning or a mailbox, at whose first byte the lexer is.
func (a *Addresses) entry() Address {
	var bare Address // an address outside of angle brackets, which may be a name yet
	found := false
	for !a.l.done() {
		switch c := a.l.s[a.l.i]; {
		case c == ',' || c == ';' || c == '>':
			return a.withoutBrackets(bare, found)
		case c == ':' && !a.inGroup && !found:
			a.l.i++
			a.inGroup = true
			return Address{Kind: GroupStart, Name: a.scratch}
		case c == '<':
			return a.angle(len(a.scratch))
		case c == '@' && !found:
			bare, found = a.bareAddress(), true
		default:
			a.word()
		}
		if a.blanks(); a.behindBlank() && len(a.scratch) > 0 && !a.l.done() {
			a.scratch = append(a.scratch, ' ')
		}
	}
	return a.withoutBrackets(bare, found)
}

// bareAddress reads the domain behind a local part that is all of a.scratch so
// far, and adds it there, in case all was a display name.
func (a *Addresses) bareAddress() Address {
	a.scratch = bytes.TrimRight(a.scratch, " ")
	end := len(a.scratch)
	a.l.i++
	a.scratch = append(a.scratch, '@')
	a.domain()
	return Address{Mailbox: a.scratch[:end:end], Host: a.scratch[end+1 : len(a.scratch) : len(a.scratch)]}
}

// withoutBrackets is what an entry amounts to in which no "<" came.
func (a *Addresses) withoutBrackets(bare Address, found bool) Address {
	if !found {
		bare.Mailbox = bytes.TrimRight(a.scratch, " ")
	}
	bare.Mailbox = closeUpDots(bare.Mailbox)
	if a.comment != nil {
		n := len(a.scratch)
		a.scratch = appendUnquoted(a.scratch, a.comment)
		bare.Name = bytes.Trim(a.scratch[n:], " \t")
	}
	return bare
}

// angle reads an address in angle brackets behind a display name.
func (a *Addresses) angle(name int) Address {
	a.l.i++
	var e Address
	a.blanks()
	if !a.l.done() && a.l.s[a.l.i] == '@' {
		e.Route = a.route()
	}
	start := len(a.scratch)
	for !a.l.done() && !isAngleEnd(a.l.s[a.l.i]) && a.l.s[a.l.i] != '@' {
		a.word()
		a.blanks()
	}
	local := len(a.scratch)
	if a.l.take('@') {
		a.domain()
	}
	end := len(a.scratch)
	for !a.l.done() && !isAngleEnd(a.l.s[a.l.i]) {
		a.l.i++ // a second "@", words behind the domain
	}
	a.l.take('>')
	a.blanks()
	if e.Name = bytes.TrimRight(a.scratch[:name], " "); len(e.Name) == 0 && a.comment != nil {
		a.scratch = appendUnquoted(a.scratch, a.comment)
		e.Name = bytes.Trim(a.scratch[end:], " \t")
	}
	e.Mailbox, e.Host = a.scratch[start:local], a.scratch[local:end]
	return e
}

func isAngleEnd(c byte) bool { return c == '>' || c == ',' || c == ';' }

// route reads a source route through its colon. Without one there is none, and
// what was read is the domain of an address without a local part.
func (a *Addresses) route() []byte {
	i := bytes.IndexAny(a.l.s[a.l.i:], ":><")
	if i < 0 || a.l.s[a.l.i+i] != ':' {
		return nil
	}
	route := a.l.s[a.l.i : a.l.i+i]
	a.l.i += i + 1
	a.blanks()
	return bytes.TrimRight(route, " \t")
}

// domain reads a domain or an address literal, without comments and blanks.
func (a *Addresses) domain() {
	dot := true
	for a.blanks(); !a.l.done(); {
		c := a.l.s[a.l.i]
		if isAddressSpecial(c) && c != '[' {
			return
		}
		if c == '[' {
			a.literal()
			dot = false
		} else {
			start := a.l.i
			for !a.l.done() && isAtom(a.l.s[a.l.i]) {
				a.l.i++
			}
			a.scratch = append(a.scratch, a.l.s[start:a.l.i]...)
			dot = a.l.s[a.l.i-1] == '.'
		}
		if a.blanks() && !dot && (a.l.done() || a.l.s[a.l.i] != '.') {
			return
		}
	}
}

// literal reads an address literal to its bracket, or to what ends an address.
func (a *Addresses) literal() {
	start := a.l.i
	for !a.l.done() && a.l.s[a.l.i] != ']' && !isAngleEnd(a.l.s[a.l.i]) {
		a.l.i++
	}
	a.l.take(']')
	a.scratch = append(a.scratch, a.l.s[start:a.l.i]...)
}

// word reads an atom, with the dots that belong to it, or a quoted string.
func (a *Addresses) word() {
	start := a.l.i
	if a.l.s[start] == '"' && !a.noQuote {
		text := a.l.quotedString()
		if len(text) == a.l.i-start-2 {
			a.scratch = appendUnquoted(a.scratch, text)
			return
		}
		a.noQuote = true // then it is a byte like others
		a.l.i = start
	}
	a.l.i++
	for !a.l.done() && isAtom(a.l.s[a.l.i]) {
		a.l.i++
	}
	a.scratch = append(a.scratch, a.l.s[start:a.l.i]...)
}

// blanks skips blanks and comments and reports whether there were any. The last
// comment of an entry is remembered.
func (a *Addresses) blanks() bool {
	start := a.l.i
	for !a.l.done() {
		switch a.l.s[a.l.i] {
		case ' ', '\t', '\r', '\n':
			a.l.i++
		case '(':
			a.comment = a.l.comment()
		default:
			return a.l.i > start
		}
	}
	return a.l.i > start
}

// behindBlank reports whether the last byte read ended a blank or comment.
func (a *Addresses) behindBlank() bool {
	c := a.l.s[a.l.i-1]
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ')'
}

// isAtom reports whether a byte goes on in an atom. Only what means something
// here ends one: names are sent with all else in them.
func isAtom(c byte) bool {
	return !isAddressSpecial(c) && c != ' ' && c != '\t' && c != '\r' && c != '\n'
}

func isAddressSpecial(c byte) bool {
	switch c {
	case '(', '<', '>', '@', ',', ';', ':', '"', '[':
		return true
	}
	return false
}

// closeUpDots takes out the blanks beside dots, which RFC 5322 section 4.4
// allowed in a local part.
func closeUpDots(local []byte) []byte {
	if bytes.IndexByte(local, ' ') < 0 {
		return local
	}
	out := local[:0]
	for i, c := range local {
		if c == ' ' && (len(out) > 0 && out[len(out)-1] == '.' || i+1 < len(local) && local[i+1] == '.') {
			continue
		}
		out = append(out, c)
	}
	return out
}
