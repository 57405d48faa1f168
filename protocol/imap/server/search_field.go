package server

import (
	"bytes"

	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// cutField cuts the field that a header begins with from it, with its last line end.
// It reports false if b may not have all of it, and more is to come. What is no field
// (package message, rule 4) comes as if it were one; the empty line that ends the
// header too.
func cutField(b []byte, more bool) (field, rest []byte, whole bool) {
	for end := 0; ; {
		n := bytes.IndexByte(b[end:], '\n')
		if n < 0 {
			return b, nil, !more
		}
		end += n + 1
		if end == len(b) {
			return b, nil, !more
		}
		if b[end] != ' ' && b[end] != '\t' {
			return b[:end], b[end:], true
		}
	}
}

// isNamed reports whether a field has a name, in any case.
func isNamed(field []byte, name string) bool {
	n := len(name)
	if len(field) <= n || field[0]|0x20 != name[0]|0x20 || !bytes.EqualFold(field[:n], []byte(name)) {
		return false
	}
	field = bytes.TrimLeft(field[n:], " \t")
	return len(field) > 0 && field[0] == ':'
}

// fieldValue is the value of a field of this name as it was sent, but for blanks and
// line ends at either end.
func fieldValue(field []byte, name string) []byte {
	field = bytes.TrimLeft(field[len(name):], " \t")
	if value := bytes.Trim(field[1:], " \t\r\n"); value != nil {
		return value
	}
	return field[:0] // which is there
}

// keptValue is the value of the first field of a name among those kept, empty if there
// is none.
func keptValue(fields []byte, name string) []byte {
	for len(fields) > 0 {
		var field []byte
		if field, fields, _ = cutField(fields, false); isNamed(field, name) {
			return fieldValue(field, name)
		}
	}
	return nil
}

// keptValues is keptValue for several names, in one pass.
func keptValues(fields []byte, names []string, values [][]byte) {
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = cutField(fields, false)
		for i, name := range names {
			if values[i] == nil && isNamed(field, name) {
				values[i] = fieldValue(field, name)
			}
		}
	}
}

// fieldText makes of values of fields what is meant by them, in UTF-8. It keeps room
// for one.
type fieldText struct {
	unfolded, decoded []byte
	addresses         message.Addresses
}

// unfold takes out the line ends of a value (RFC 5322 section 2.2.3).
func (t *fieldText) unfold(value []byte) []byte {
	if bytes.IndexByte(value, '\n') < 0 {
		return value
	}
	t.unfolded = t.unfolded[:0]
	for line := range bytes.Lines(value) {
		t.unfolded = append(t.unfolded, bytes.TrimRight(line, "\r\n")...)
	}
	return t.unfolded
}

// decode is a value with its encoded words decoded.
func (t *fieldText) decode(value []byte) []byte {
	value = t.unfold(value)
	if !bytes.Contains(value, []byte("=?")) {
		return value
	}
	t.decoded = message.AppendDecodedWords(t.decoded[:0], value, charset.Append)
	return t.decoded
}

// list is a value that lists addresses as one writes them in full, whatever comments
// and quotes it was sent with:
//
//	Ann Author <ann@example.org>, group: <bob@example.org>;
func (t *fieldText) list(value []byte) []byte {
	b := t.decoded[:0]
	t.addresses.Reset(t.unfold(value))
	for {
		a, ok := t.addresses.Next()
		if !ok {
			t.decoded = b
			return b
		}
		switch a.Kind {
		case message.GroupStart:
			b = append(message.AppendDecodedWords(b, a.Name, charset.Append), ": "...)
		case message.GroupEnd:
			b = append(b, "; "...)
		default:
			b = appendAddress(b, a)
		}
	}
}

func appendAddress(b []byte, a message.Address) []byte {
	if len(a.Name) > 0 {
		b = append(message.AppendDecodedWords(b, a.Name, charset.Append), ' ')
	}
	b = append(append(b, '<'), a.Mailbox...)
	if len(a.Host) > 0 {
		b = append(append(b, '@'), a.Host...)
	}
	return append(b, ">, "...)
}
