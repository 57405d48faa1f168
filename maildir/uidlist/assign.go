package uidlist

import (
	"errors"
	"time"

	"rohrpost/maildir"
)

// Known is what a caller knows of a list from before. The zero Known knows
// nothing.
type Known struct {
	Validity uint32 // a UIDVALIDITY that this folder has had, or 0
	Next     uint32 // with that, the lowest UID that nobody has been told of, or 0

	// Expunged reports whether clients were told that this UID is gone. If its
	// message is there again, from a backup say, it gets another one. It may be
	// nil.
	Expunged func(uid uint32) bool

	// List is one that was read before; what was appended since is read only. It
	// is used up. It may be nil.
	List *List
}

// Assign gives a UID to each message of names (in this order: oldest first) that
// the list on disk has none for, makes it durable, and returns the list as it is
// then. See AssignAfter.
func Assign(m *maildir.Maildir, names []maildir.Name, now time.Time) (*List, error) {
	return AssignAfter(m, Known{}, names, now)
}

// AssignAfter is Assign for a caller who knows an earlier list.
func AssignAfter(m *maildir.Maildir, known Known, names []maildir.Name, now time.Time) (*List, error) {
	return nil, errors.New("not yet")
}

// Compact drops the records of messages that gone reports, under the same lock,
// if they are a quarter of all.
func Compact(m *maildir.Maildir, gone func(base string) bool, now time.Time) (*List, error) {
	return nil, errors.New("not yet")
}

// Len is the number of messages that have a record.
func (l *List) Len() int { return 0 }

// Record is record i, from 0, in the order of UIDs.
func (l *List) Record(i int) Record { return Record{} }

// Stamp identifies the state of a list's file: two that are alike are of the
// same bytes. The zero Stamp is of no file.
type Stamp struct {
	Inode uint64
	Size  int64
	Mtime int64 // nanoseconds since 1970
}

// StampOf is the Stamp of the list as it is now; zero if there is none.
func StampOf(m *maildir.Maildir) (Stamp, error) { return Stamp{}, errors.New("not yet") }

// Stamp is the Stamp of the file that l was read from.
func (l *List) Stamp() Stamp { return Stamp{} }
