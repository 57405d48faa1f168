// Package uidlist is the lists that give the messages of a Maildir their UIDs:
// dovecot-uidlist, which it reads and writes, and those of Courier, which it
// reads. So servers can be changed, also back, and no client downloads anything
// again; Dovecot may even serve the same Maildir at the same time.
//
// Reading takes no lock: the files are replaced by rename or only appended to,
// so what is read is a list as it was at some moment. Writing takes the lock that
// Dovecot takes (package dotlock).
//
// Invariants:
//  1. Of one folder, a UIDVALIDITY and a UID that Assign has returned name one
//     message for ever, also after a power cut.
//  2. Under one UIDVALIDITY, the next UID never falls.
//  3. The UIDVALIDITY of a folder only ever grows.
//  4. Bytes of a list are never changed: lines are appended, or the whole is
//     replaced.
//
// It parses no message and keeps no flags. Which messages there are is for the
// caller to know.
//
// Start reading at Assign; Parse has the format of dovecot-uidlist, ParseCourier
// that of Courier's POP3 server.
package uidlist

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// Name is the name of Dovecot's list, beside new and cur.
const Name = "dovecot-uidlist"

// maxFile bounds a list, in bytes: more than two million messages.
const maxFile = 256 << 20

// maxUID is the highest UID that Dovecot takes; it is also ours.
const maxUID = 1<<32 - 2

// BrokenError is a list whose first line cannot be understood, so that the rest
// means nothing.
type BrokenError struct{ Why string }

func (e *BrokenError) Error() string { return "broken list of UIDs: " + e.Why }

// List is a dovecot-uidlist. It keeps the file's bytes, and some twenty more for
// each message.
type List struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // the lowest UID that no message has had yet
	GUID     string // of the mailbox, in hexadecimal; "" if the list has none

	version int
	others  [][]byte // fields of the first line that mean nothing to us
	lines   index
	last    uint32 // the highest UID in a line
	damaged bool   // there are lines that do not follow the rules
	stamp   Stamp
}

// Record is one message of a List.
type Record struct {
	UID    uint32
	Name   string // its file when the line was written; info and place may differ now
	fields []byte
}

// Read reads the list of the Maildir dir. The error is fs.ErrNotExist if there
// is none, and a *BrokenError if it is no list. What another process has just
// written may not be durable yet: Assign makes it so.
func Read(dir *disk.Dir) (*List, error) {
	b, stamp, err := readFile(dir, Name)
	if err != nil {
		return nil, err
	}
	l, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", dir.Path(), Name, err)
	}
	l.stamp = stamp
	return l, nil
}

// Parse reads a list, whose bytes it keeps. Version 3, since Dovecot 1.1:
//
//	3 V1700000000 N1235 G0123456789abcdef0123456789abcdef
//	1200 W2100 :1700000001.M5P77.mx,S=2048
//	1234 Gabc P0001000265a1bc00 :1700000009.M5P78.mx,S=99,W=103:2,S
//
// The first line is the version and fields: V the UIDVALIDITY, N the next UID
// when the line was written, G the mailbox's GUID. Each other line is a UID,
// fields, and behind a colon the file's name: W is the size with CRLF, S the size
// as stored, G the message's GUID where it is not the name, P its unique-id in
// POP3 (empty: the name), O its place in POP3. A field is one letter and a value
// without blanks.
//
// Version 1, of Dovecot 1.0 and of Courier's courierimapuiddb, has no fields:
//
//	1 1700000000 1235
//	1200 1700000001.M5P77.mx
//
// UIDs ascend. A line that does not follow these rules is left out, and so is a
// last line without LF, which a crash has cut. Of two lines for one message the
// later one counts.
func Parse(b []byte) (*List, error) {
	l := &List{}
	return l, l.parse(b)
}

// parse is Parse; what it could read of the first line stays also if it fails.
func (l *List) parse(b []byte) error {
	head, _, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return &BrokenError{"it has no whole line"}
	}
	if err := l.parseHead(head); err != nil {
		return err
	}
	l.lines = newIndex(b, l.base)
	l.take(len(head) + 1)
	return nil
}

// take takes up the lines from a position on.
func (l *List) take(at int) {
	all := l.lines.build(at, func(line []byte) ([]byte, bool) {
		uid, _, name, ok := l.cut(line)
		if !ok || uid <= l.last || !good(name) {
			return nil, false
		}
		l.last = uid
		return maildir.BaseOf(name), true
	})
	l.damaged = l.damaged || !all
	l.Next = max(l.Next, l.last+1)
}

func (l *List) parseHead(head []byte) error {
	switch {
	case bytes.HasPrefix(head, []byte("3 ")):
		l.version = 3
		for f := range bytes.FieldsSeq(head[2:]) {
			l.parseHeadField(f)
		}
	case bytes.HasPrefix(head, []byte("1 ")):
		l.version = 1
		v, rest := number(head[2:])
		n, _ := number(bytes.TrimPrefix(rest, []byte{' '}))
		l.Validity, l.Next = uint32(v), uint32(n)
	default:
		return &BrokenError{"its version is neither 3 nor 1"}
	}
	if l.Validity == 0 || l.Next == 0 {
		return &BrokenError{"its first line lacks UIDVALIDITY or next UID"}
	}
	return nil
}

func (l *List) parseHeadField(f []byte) {
	n, rest := number(f[1:])
	switch {
	case f[0] == 'G':
		l.GUID = string(f[1:])
	case f[0] != 'V' && f[0] != 'N':
		l.others = append(l.others, f)
	case len(rest) > 0:
	case f[0] == 'V':
		l.Validity = uint32(n)
	default:
		l.Next = uint32(n)
	}
}

// cut takes one line apart.
func (l *List) cut(line []byte) (uid uint32, fields, name []byte, ok bool) {
	n, rest := number(line)
	if n == 0 || n > maxUID || len(rest) == 0 || rest[0] != ' ' {
		return 0, nil, nil, false
	}
	if l.version == 1 {
		return uint32(n), nil, rest[1:], true
	}
	i := bytes.Index(rest, []byte(" :")) // a field may hold a colon, but not begin with one
	if i < 0 {
		return 0, nil, nil, false
	}
	return uint32(n), rest[:i], rest[i+2:], true
}

// good reports whether these bytes can be the name of a message's file, and can
// stand in a line that Dovecot understands as we do.
func good(name []byte) bool {
	return len(name) > 0 && len(name) <= 255 && bytes.IndexByte(name, '/') < 0 && bytes.IndexByte(name, 0) < 0 &&
		bytes.IndexByte(name, '\n') < 0 && bytes.IndexByte(name, '\r') < 0
}

// base is the base of the name in a good line.
func (l *List) base(line []byte) []byte {
	_, _, name, _ := l.cut(line)
	return maildir.BaseOf(name)
}

// record is what a good line says.
func (l *List) record(line []byte) Record {
	uid, fields, name, _ := l.cut(line)
	return Record{UID: uid, Name: string(name), fields: fields}
}

// Find is the record of the message with this base.
func (l *List) Find(base string) (Record, bool) {
	line, ok := l.lines.find(base)
	if !ok {
		return Record{}, false
	}
	return l.record(line), true
}

// UID is the UID of the message with this base, or 0. It allocates nothing.
func (l *List) UID(base string) uint32 {
	line, ok := l.lines.find(base)
	if !ok {
		return 0
	}
	uid, _ := number(line)
	return uint32(uid)
}

// Len is the number of messages that have a record.
func (l *List) Len() int { return len(l.lines.order) }

// UIDAt is the UID of Record(i), without the rest. It allocates nothing.
func (l *List) UIDAt(i int) uint32 {
	line, _ := l.lines.line(int(l.lines.order[i]))
	uid, _ := number(line)
	return uint32(uid)
}

// Record is record i, from 0, in the order of UIDs.
func (l *List) Record(i int) Record {
	line, _ := l.lines.line(int(l.lines.order[i]))
	return l.record(line)
}

// Field is the value of the field with this letter.
func (r Record) Field(letter byte) (value string, ok bool) {
	for f := range bytes.FieldsSeq(r.fields) {
		if f[0] == letter {
			return string(f[1:]), true
		}
	}
	return "", false
}

// number is the decimal number of 32 bits that b begins with; one that is larger
// or is not there is 0.
func number(b []byte) (n uint64, rest []byte) {
	i := 0
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		if n = n*10 + uint64(b[i]-'0'); n > 1<<32 {
			n = 1 << 32
		}
		i++
	}
	if n > 1<<32-1 {
		n = 0
	}
	return n, b[i:]
}

// errLarge is a list that nobody has written in good faith.
var errLarge = &BrokenError{fmt.Sprintf("it is larger than %d bytes", maxFile)}

// readFile reads a bounded file beside new and cur.
func readFile(dir *disk.Dir, name string) ([]byte, Stamp, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, Stamp{}, err
	}
	defer f.Close()
	return readFrom(f, 0)
}

// room is what is left free behind a list that was read, in bytes, for some lines.
const room = 4096

// readFrom reads a file from a position on, and says how it is then.
func readFrom(f *os.File, at int64) ([]byte, Stamp, error) {
	stamp, err := stampOf(f)
	if err != nil {
		return nil, Stamp{}, err
	}
	if stamp.Size > maxFile {
		return nil, Stamp{}, fmt.Errorf("%s: %w", f.Name(), errLarge)
	}
	size := max(stamp.Size-at, 0)
	b := make([]byte, size, size+room)
	n, err := f.ReadAt(b, at)
	if err == io.EOF {
		err = nil // replaced or cut meanwhile: what there is counts
	}
	return b[:n], stamp, err
}
