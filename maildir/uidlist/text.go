package uidlist

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"

	"rohrpost/maildir"
)

// text is the list as a file of version 3, with the lines of the bases that keep
// accepts; nil accepts all. A list without a GUID gets one. What we do not
// understand in a line is kept.
func (l *List) text(keep func(base []byte) bool) ([]byte, error) {
	guid := l.GUID
	if guid == "" {
		var err error
		if guid, err = newGUID(); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, len(l.lines.data)+4096)
	b = fmt.Appendf(b, "3 V%d N%d G%s", l.Validity, l.Next, guid)
	for _, f := range l.others {
		b = append(append(b, ' '), f...)
	}
	b = append(b, '\n')
	for _, at := range l.lines.order {
		line, _ := l.lines.line(int(at))
		uid, fields, name, _ := l.cut(line)
		if keep != nil && !keep(maildir.BaseOf(name)) {
			continue
		}
		b = strconv.AppendUint(b, uint64(uid), 10)
		b = append(append(b, fields...), " :"...)
		b = append(append(b, name...), '\n')
	}
	return b, nil
}

// baseAt is the base of record i.
func (l *List) baseAt(i int) []byte {
	line, _ := l.lines.line(int(l.lines.order[i]))
	return l.base(line)
}

// newGUID is 128 random bits in hexadecimal.
func newGUID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("random bits for a mailbox: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
