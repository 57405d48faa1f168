package uidlist

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"rohrpost/maildir"
)

// inOrder is l as a file of version 3 has it that is written anew: the first line
// says what is true now, lines that mean nothing are gone, and what we do not
// understand in the others is kept. A list without a GUID gets one. A message that
// is a key of names has that name, or none and no record.
func (l *List) inOrder(names map[string][]byte) (*List, error) {
	guid := l.GUID
	if guid == "" {
		var err error
		if guid, err = newGUID(); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, len(l.lines.data)+room)
	b = fmt.Appendf(b, "3 V%d N%d G%s", l.Validity, l.Next, guid)
	for _, f := range l.others {
		b = append(append(b, ' '), f...)
	}
	b = append(b, '\n')
	for _, at := range l.lines.order {
		line, _ := l.lines.line(int(at))
		uid, fields, name, _ := l.cut(line)
		if other, ok := names[string(maildir.BaseOf(name))]; ok {
			name = other
		}
		if name == nil {
			continue
		}
		b = strconv.AppendUint(b, uint64(uid), 10)
		b = append(append(b, fields...), " :"...)
		b = append(append(b, name...), '\n')
	}
	return Parse(b)
}

// baseAt is the base of record i.
func (l *List) baseAt(i int) []byte {
	line, _ := l.lines.line(int(l.lines.order[i]))
	return l.base(line)
}

// newGUID is 128 random bits in hexadecimal.
func newGUID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(maildir.SystemNamer().Rand, b[:]); err != nil {
		return "", fmt.Errorf("random bits for a mailbox: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
