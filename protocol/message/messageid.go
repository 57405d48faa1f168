package message

import "bytes"

// MaxMessageID is the longest message identifier that is taken for one, in
// bytes (RFC 5322 section 2.1.1: the longest line); longer ones are passed over.
const MaxMessageID = 998

// MessageIDs calls yield for each message identifier in the value of a
// Message-ID, References or In-Reply-To field, in order, until it returns false.
// The identifier comes without its angle brackets, and in one spelling: a quoted
// local part without its quotes (RFC 5256 section 2.2), blanks left out. One that
// is empty, is not closed or is longer than MaxMessageID is passed over, and so is
// text between them. An identifier is valid during the call only.
func MessageIDs(value []byte, yield func(id []byte) bool) {
	for {
		start := bytes.IndexByte(value, '<')
		if start < 0 {
			return
		}
		value = value[start+1:]
		n, whole := messageIDLength(value)
		id := value[:n]
		value = value[n:]
		if !whole || n > MaxMessageID {
			continue
		}
		if bytes.ContainsAny(id, "\" \t\r\n") {
			id = plainMessageID(id)
		}
		if len(id) > 0 && !yield(id) {
			return
		}
	}
}

// messageIDLength is how far an identifier goes to its closing bracket, or what
// was none to the next opening one.
func messageIDLength(s []byte) (n int, whole bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '>':
			return i, true
		case c == '<':
			return i, false
		}
	}
	return len(s), false
}

// plainMessageID takes out quotes, and the blanks that are not within them.
func plainMessageID(id []byte) []byte {
	out := make([]byte, 0, len(id))
	quoted := false
	for i := 0; i < len(id); i++ {
		c := id[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case quoted && c == '\\' && i+1 < len(id):
			i++
			c = id[i]
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		out = append(out, c)
	}
	return out
}
