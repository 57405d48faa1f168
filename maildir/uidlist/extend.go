package uidlist

import (
	"rohrpost/maildir"
	"rohrpost/maildir/dotlock"
)

// Appendable reports whether l is as we write lists, so that lines for messages that
// it has no record of can follow it.
func (l *List) Appendable() bool { return l.version == 3 && !l.damaged && l.GUID != "" }

// Extend is Assign for messages that the list on disk has no record of, if the
// caller is sure of that: it costs the same for any length of the list, since it is
// not read. It must be the Appendable one of this UIDVALIDITY and next UID that had
// the Stamp at. The List returned has the records of names alone; it is nil if the
// list on disk is another one by now, or has no UIDs left.
func Extend(m *maildir.Maildir, at Stamp, validity, next uint32, names []maildir.Name) (*List, error) {
	if at == (Stamp{}) || uint64(next)+uint64(len(names)) > maxUID+1 {
		return nil, nil
	}
	l := &List{Validity: validity, Next: next, version: 3, last: next - 1, stamp: at}
	l.lines = newIndex(make([]byte, 0, lineRoom(names)), l.base)
	err := locked(m, func(lock *dotlock.Lock) error {
		if now, err := StampOf(m); err != nil || now != at {
			l = nil
			return err
		}
		l.give(names, Known{})
		if err := lock.Keep(); err != nil {
			return err
		}
		if err := appendLines(m, l.lines.data); err != nil {
			return l.mend(m, lock, err)
		}
		return l.restamp(m)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// mend makes the file of a list anew whose lines could not be appended, as extend
// does, from what can be read of it.
func (l *List) mend(m *maildir.Maildir, lock *dotlock.Lock, cause error) error {
	if all, err := Read(m.Dir()); err == nil {
		all.Next = max(all.Next, l.Next) // UIDs of lines that were cut are not used again
		if all, err = all.inOrder(nil); err == nil {
			all.replace(m, lock)
		}
	}
	return cause
}
