// Package uidlist reads the lists that give the messages of a Maildir their
// UIDs: dovecot-uidlist, and courierpop3dsizelist of Courier's POP3 server. Who
// has either can change servers, and no client downloads anything again.
//
// It reads without a lock: both files are replaced by rename or only appended
// to, so what is read is a list as it was at some moment.
//
// Start reading at Read; Parse has the format of dovecot-uidlist, ParseCourier
// the other one.
package uidlist

import (
	"bytes"
	"fmt"
	"io"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// Name is the name of Dovecot's list, beside new and cur.
const Name = "dovecot-uidlist"

// maxFile bounds a list, in bytes: more than two million messages.
const maxFile = 256 << 20

// BrokenError is a list whose first line cannot be understood, so that the rest
// means nothing.
type BrokenError struct{ Why string }

func (e *BrokenError) Error() string { return "broken list of UIDs: " + e.Why }

// List is a dovecot-uidlist. It keeps the file's bytes and four to eight more
// for each message.
type List struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // the lowest UID that no message has had yet
	GUID     string // of the mailbox, in hexadecimal; "" if the list has none

	version int
	lines   index
}

// Record is one message of a List.
type Record struct {
	UID    uint32
	Name   string // its file when the line was written; info and place may differ now
	fields []byte
}

// Read reads the list of the Maildir dir. The error is fs.ErrNotExist if there
// is none, and a *BrokenError if it is no list.
func Read(dir *disk.Dir) (*List, error) {
	b, err := readFile(dir, Name)
	if err != nil {
		return nil, err
	}
	l, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", dir.Path(), Name, err)
	}
	return l, nil
}

// Parse reads a list, whose bytes it keeps. Version 3, since Dovecot 1.1:
//
//	3 V1700000000 N1235 G0123456789abcdef0123456789abcdef
//	1200 W2100 :1700000001.M5P77.mx,S=2048
//	1234 Gabc P0001000265a1bc00 :1700000009.M5P78.mx,S=99,W=103:2,S
//
// The first line is the version and fields: V the UIDVALIDITY, N the next UID, G
// the mailbox's GUID. Each other line is a UID, fields, and behind a colon the
// file's name: W is the size with CRLF, S the size as stored, G the message's
// GUID where it is not the name, P its unique-id in POP3 (empty: the name), O its
// place in POP3. A field is one letter and a value without blanks.
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
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, &BrokenError{"it has no whole line"}
	}
	l := &List{}
	if err := l.parseHead(head); err != nil {
		return nil, err
	}
	l.lines = newIndex(body, l.nameIn)
	last := uint32(0)
	l.lines.build(func(line []byte) bool {
		uid, _ := number(line)
		if _, ok := l.record(line); !ok || uint32(uid) <= last {
			return false
		}
		last = uint32(uid)
		return true
	})
	l.Next = max(l.Next, last+1)
	return l, nil
}

func (l *List) parseHead(head []byte) error {
	switch {
	case bytes.HasPrefix(head, []byte("3 ")):
		l.version = 3
		for f := range bytes.FieldsSeq(head[2:]) {
			n, rest := number(f[1:])
			switch {
			case f[0] == 'G':
				l.GUID = string(f[1:])
			case len(rest) > 0:
			case f[0] == 'V':
				l.Validity = uint32(n)
			case f[0] == 'N':
				l.Next = uint32(n)
			}
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

// record takes one line apart.
func (l *List) record(line []byte) (r Record, ok bool) {
	uid, rest := number(line)
	if uid == 0 || uid == 1<<32-1 || len(rest) == 0 || rest[0] != ' ' {
		return r, false
	}
	name := rest[1:]
	if l.version == 3 {
		i := bytes.IndexByte(rest, ':')
		if i < 0 || rest[i-1] != ' ' {
			return r, false
		}
		r.fields, name = rest[1:i], rest[i+1:]
	}
	if len(name) == 0 || bytes.ContainsAny(name, "/\x00") {
		return r, false
	}
	r.UID, r.Name = uint32(uid), string(name)
	return r, true
}

func (l *List) nameIn(line []byte) string {
	r, _ := l.record(line)
	return r.Name
}

// Find is the record of the message with this base.
func (l *List) Find(base string) (Record, bool) {
	line, ok := l.lines.find(base)
	if !ok {
		return Record{}, false
	}
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

// baseOf is what a message is known by, in a name as a list has it.
func baseOf(name string) string { return maildir.ParseName(name).Base }

// readFile reads a bounded file beside new and cur.
func readFile(dir *disk.Dir, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", f.Name(), maxFile)
	}
	b := make([]byte, st.Size())
	n, err := io.ReadFull(f, b)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil // replaced or cut meanwhile: what there is counts
	}
	return b[:n], err
}
