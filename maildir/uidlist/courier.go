package uidlist

import (
	"bytes"
	"fmt"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// CourierName is the name of the list of Courier's POP3 server.
const CourierName = "courierpop3dsizelist"

// courierIMAPName is the name of the list of Courier's IMAP server, which has the
// form of version 1 (see Parse).
const courierIMAPName = "courierimapuiddb"

// Courier is a courierpop3dsizelist.
type Courier struct{ lines index }

// ReadCourier reads the list of the Maildir dir, with the errors of Read.
func ReadCourier(dir *disk.Dir) (*Courier, error) {
	b, _, err := readFile(dir, CourierName)
	if err != nil {
		return nil, err
	}
	l, err := ParseCourier(b)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", dir.Path(), CourierName, err)
	}
	return l, nil
}

// ParseCourier reads a list, whose bytes it keeps:
//
//	/3 18 1700000000
//	1700000001.M5P77.mx,S=2048:2,S 2100 16:1700000000:0
//	1700000009.M5P78.mx 103 17:1700000000:1
//
// The first line is the version, the next UID and the UIDVALIDITY. Each other
// line is a name, its size with CRLF, UID and UIDVALIDITY of this message, and
// whether its header holds UTF-8. Version 2 lacks the last, version 1 also the
// UIDVALIDITY; version 0, without a first line, has only names and sizes, and so
// no UIDs. Lines that do not follow these rules are left out.
func ParseCourier(b []byte) (*Courier, error) {
	l := &Courier{lines: newIndex(b, courierBase)}
	if version, ok := bytes.CutPrefix(b, []byte{'/'}); ok && !bytes.ContainsAny(version[:min(1, len(version))], "123") {
		return nil, &BrokenError{"its version is none of 1, 2 and 3"}
	}
	l.lines.build(0, func(line []byte) ([]byte, bool) {
		_, _, ok := courierUID(line)
		return courierBase(line), ok
	})
	return l, nil
}

// Find is UID and UIDVALIDITY, which may be 0, of the message with this base.
func (l *Courier) Find(base string) (uid, validity uint64, ok bool) {
	line, ok := l.lines.find(base)
	if !ok {
		return 0, 0, false
	}
	return courierUID(line)
}

// courierBase is the base of the name in a line.
func courierBase(line []byte) []byte {
	name, _, _ := courierFields(line)
	return maildir.BaseOf(name)
}

// courierUID is the UID in a line; false if it has none.
func courierUID(line []byte) (uid, validity uint64, ok bool) {
	name, ids, ok := courierFields(line)
	if !ok || len(name) == 0 || bytes.ContainsAny(name, "/\x00") {
		return 0, 0, false
	}
	uid, rest := number(ids)
	if len(rest) > 0 && rest[0] == ':' {
		validity, rest = number(rest[1:])
	}
	return uid, validity, uid > 0 && (len(rest) == 0 || rest[0] == ':')
}

// courierFields cuts a line into the name and, behind the size, the last field.
// The name may hold blanks; what is behind it does not.
func courierFields(line []byte) (name, ids []byte, ok bool) {
	i := bytes.LastIndexByte(line, ' ')
	if i < 0 {
		return nil, nil, false
	}
	j := bytes.LastIndexByte(line[:i], ' ')
	if j < 0 {
		return nil, nil, false
	}
	return line[:j], line[i+1:], true
}
