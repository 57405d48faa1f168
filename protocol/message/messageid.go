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
	var buf [MaxMessageID]byte
	for {
		start := bytes.IndexByte(value, '<')
		if start < 0 {
			return
		}
		value = value[start+1:]
		id, n := cutMessageID(buf[:0], value)
		value = value[n:]
		if len(id) > 0 && !yield(id) {
			return
		}
	}
}

// cutMessageID reads behind an opening bracket through the closing one, or up to
// another opening one, and returns how far. What is no identifier is empty.
func cutMessageID(dst, s []byte) (id []byte, n int) {
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quoted && i+1 < len(s):
			i++
			c = s[i]
		case c == '"':
			quoted = !quoted
			continue
		case c == '>' && !quoted:
			return dst, i + 1
		case c == '<' && !quoted:
			return nil, i
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		if len(dst) < cap(dst) {
			dst = append(dst, c)
		} else {
			return nil, i // too long: its end is nobody's beginning
		}
	}
	return nil, len(s)
}
