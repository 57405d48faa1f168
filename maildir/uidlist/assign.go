package uidlist

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/dotlock"
)

// Known is what a caller knows of a list from before, by an index say. The zero
// Known knows nothing.
type Known struct {
	Validity uint32 // a UIDVALIDITY that this folder has had, or 0
	Next     uint32 // the next UID there was under it, or 0

	// Expunged reports whether clients were told that this UID is gone. If its
	// message is there again, from a backup say, it gets another UID. It may be
	// nil.
	Expunged func(uid uint32) bool

	// List is one that was read earlier, so that only what was appended since has
	// to be read. It is used up. It may be nil.
	List *List
}

// Assign gives a UID to each message of names that the list on disk has none for,
// in this order, oldest first; makes the list durable, and returns it as it is
// then. A message keeps its UID under any flags, fields and folder of its file,
// new or cur, and also if it was gone meanwhile. A name that no list can hold,
// with a line end in it, gets no UID.
//
// A list that is missing, cannot be understood, or has no UIDs left is made anew,
// from Courier's courierimapuiddb if there is one, else with a UIDVALIDITY that
// is greater than any this tree has had. One that is damaged is mended: what its
// good lines say still holds.
//
// names are messages that are in new or cur now; it need not be all. Those whose
// fields have changed are noted in the list under their new names, for Dovecot. The
// error wraps dotlock.ErrBusy if another program holds the lock.
func Assign(m *maildir.Maildir, names []maildir.Name, now time.Time) (*List, error) {
	return AssignAfter(m, Known{}, names, now)
}

// AssignAfter is Assign for a caller who knows an earlier list: if that has been
// replaced by an older one meanwhile, from a backup, then no UID is used again.
func AssignAfter(m *maildir.Maildir, known Known, names []maildir.Name, now time.Time) (*List, error) {
	var l *List
	err := locked(m, func(lock *dotlock.Lock) (err error) {
		l, err = assign(m, lock, known, names, now)
		return err
	})
	return l, err
}

// Compact drops the records of messages that gone reports, if these and lines
// that mean nothing are a quarter of all, and returns the list. gone must be sure:
// true only for a message that had a record before a Settled listing missed it.
// The errors are those of Read, and dotlock.ErrBusy.
func Compact(m *maildir.Maildir, gone func(base string) bool) (*List, error) {
	var l *List
	err := locked(m, func(lock *dotlock.Lock) (err error) {
		if l, err = Read(m.Dir()); err != nil {
			return err
		}
		drop := map[string][]byte{}
		for i := range l.Len() {
			if base := string(l.baseAt(i)); gone(base) {
				drop[base] = nil
			}
		}
		if n := len(drop) + l.lines.dead; n == 0 || 4*n < l.Len()+l.lines.dead {
			return nil
		}
		if l, err = l.inOrder(drop); err != nil {
			return err
		}
		return l.replace(m, lock)
	})
	return l, err
}

// lockLife is how long Dovecot believes in a lock of the list.
const lockLife = 2 * time.Minute

// Lock takes the lock of the list in m, which also covers dovecot-keywords. Dovecot
// lists a folder and renames its messages under it, and takes one that its listing
// has missed for removed: who renames messages in a folder that Dovecot serves at
// the same time must hold it, or they can get new UIDs there. Assign, Compact and
// keyword.Add take it themselves and must not be called meanwhile.
func Lock(m *maildir.Maildir) (*dotlock.Lock, error) {
	return dotlock.Take(m.FS(), m.Dir(), Name, lockLife)
}

// locked does what needs the lock, and says in errors which list it is about.
func locked(m *maildir.Maildir, do func(lock *dotlock.Lock) error) error {
	lock, err := Lock(m)
	if err == nil {
		err = do(lock)
		lock.Release()
	}
	if err != nil {
		return fmt.Errorf("list of UIDs in %s: %w", m.Path(), err)
	}
	return nil
}

// assign is AssignAfter under the lock.
//
// The order: write lines, sync; return. A list that is replaced: as Lock.Replace
// says. A crash before the end leaves UIDs that nobody was told of, or none.
func assign(m *maildir.Maildir, lock *dotlock.Lock, known Known, names []maildir.Name, now time.Time) (*List, error) {
	l, err := load(m, known.List)
	if err != nil {
		return nil, err
	}
	anew := false
	if l.version == 0 || l.Validity < known.Validity || uint64(l.Next)+uint64(len(names)) > maxUID+1 {
		validity, err := nextValidity(m, max(l.Validity, known.Validity), now)
		if err != nil {
			return nil, err
		}
		l, anew = &List{Validity: validity, Next: 1}, true
	}
	if l.Validity == known.Validity && l.Next < known.Next {
		l.Next, anew = known.Next, true
	}
	mend := anew || l.damaged || l.version != 3 || l.GUID == ""
	if mend {
		if l, err = l.inOrder(nil); err != nil {
			return nil, err
		}
	}
	dead := l.lines.dead
	from, renamed := l.give(names, known)
	again := l.lines.dead > dead // Dovecot complains of two lines for one name
	if !mend && renamed == nil && !again {
		return l, l.extend(m, lock, from)
	}
	if renamed != nil || again {
		if l, err = l.inOrder(renamed); err != nil {
			return nil, err
		}
	}
	return l, l.replace(m, lock)
}

// load reads the list, or Courier's. One that is missing or broken is a List of
// version 0, with the UIDVALIDITY if that much could be read.
func load(m *maildir.Maildir, earlier *List) (*List, error) {
	if earlier != nil && earlier.refresh(m) {
		return earlier, nil
	}
	for _, name := range []string{Name, courierIMAPName} {
		b, stamp, err := readFile(m.Dir(), name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l := &List{stamp: stamp}
		if err == nil {
			err = l.parse(b)
		}
		if err != nil && !broken(err) {
			return nil, err
		}
		if err != nil {
			return &List{Validity: l.Validity}, nil
		}
		l.damaged = l.damaged || name != Name // it has to be written
		return l, nil
	}
	return &List{}, nil
}

// broken reports whether err says that there is no list to be had, however often
// one tries: what stands in its place means nothing, or is no file.
func broken(err error) bool {
	var b *BrokenError
	return errors.As(err, &b) || errors.Is(err, disk.ErrNotRegular) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO)
}

// refresh brings l up to the file, if that is still the same one.
func (l *List) refresh(m *maildir.Maildir) bool {
	f, err := m.Dir().Open(Name)
	if err != nil {
		return false
	}
	defer f.Close()
	at := len(l.lines.data)
	tail, stamp, err := readFrom(f, int64(at))
	if err != nil || l.damaged || stamp.Inode != l.stamp.Inode || stamp.Size < int64(at) {
		return false
	}
	l.lines.data = append(l.lines.data, tail...)
	l.stamp = stamp
	l.take(at)
	return true
}

// give adds lines for those of names that have none, and says where they begin.
// renamed is the names of those that have one under another name, by base.
func (l *List) give(names []maildir.Name, known Known) (from int, renamed map[string][]byte) {
	from = len(l.lines.data)
	if l.Len() == 0 {
		l.lines.data = slices.Grow(l.lines.data, lineRoom(names))
	}
	dead := l.lines.dead
	for _, n := range names {
		line, ok := l.lines.find(n.Base)
		if ok && !l.expunged(line, known) {
			if !l.has(line, n) && good([]byte(n.Base+n.Fields)) {
				if renamed == nil {
					renamed = map[string][]byte{}
				}
				renamed[n.Base] = []byte(n.Base + n.Fields)
			}
			continue
		}
		l.giveOne(n)
	}
	if l.lines.dead > dead {
		l.lines.dropDead()
	}
	return from, renamed
}

// giveOne adds a line for a message, if one can hold its name.
func (l *List) giveOne(n maildir.Name) {
	at := len(l.lines.data)
	b := append(strconv.AppendUint(l.lines.data, uint64(l.Next), 10), " :"...)
	name := len(b)
	b = append(append(b, n.Base...), n.Fields...)
	if !good(b[name:]) {
		return
	}
	l.lines.data = append(b, '\n')
	l.lines.add(at, b[name:name+len(n.Base)])
	l.last = l.Next
	l.Next++
}

// expunged reports whether clients were told that the message of a line is gone.
func (l *List) expunged(line []byte, known Known) bool {
	if known.Expunged == nil || l.Validity != known.Validity {
		return false
	}
	uid, _ := number(line)
	return known.Expunged(uint32(uid))
}

// Has reports whether Assign has nothing to do for n: it has a UID, and under this
// name, but for its info.
func (l *List) Has(n maildir.Name) bool {
	line, ok := l.lines.find(n.Base)
	return ok && (l.has(line, n) || !good([]byte(n.Base+n.Fields)))
}

// has reports whether a line has the name n, but for its info. Dovecot tells
// messages apart by all that comes before the info, so that a field that somebody
// has put into a name, as mbsync does, makes another message of it unless the list
// says so first.
func (l *List) has(line []byte, n maildir.Name) bool {
	_, _, name, _ := l.cut(line)
	rest := name[len(n.Base):]
	return len(rest) >= len(n.Fields) && string(rest[:len(n.Fields)]) == n.Fields &&
		(len(rest) == len(n.Fields) || rest[len(n.Fields)] == ':')
}

// lineRoom is what lines for all of names take at most, in bytes.
func lineRoom(names []maildir.Name) (n int) {
	for _, name := range names {
		n += len("4294967294 :") + len(name.Base) + len(name.Fields) + len("\n")
	}
	return n
}

// extend appends the lines of l from a position on to its file, and makes that
// durable.
func (l *List) extend(m *maildir.Maildir, lock *dotlock.Lock, from int) error {
	if err := lock.Keep(); err != nil {
		return err
	}
	if err := appendLines(m, l.lines.data[from:]); err != nil {
		// What has reached the disk is unknown, and a second sync could lie: only
		// another file can be trusted now.
		l.replace(m, lock)
		return err
	}
	return l.restamp(m)
}

// replace makes the file of l anew.
func (l *List) replace(m *maildir.Maildir, lock *dotlock.Lock) error {
	if err := lock.Replace(Name, l.lines.data, time.Time{}); err != nil {
		return err
	}
	return l.restamp(m)
}

func (l *List) restamp(m *maildir.Maildir) (err error) {
	l.stamp, err = StampOf(m)
	return err
}

// Sync makes durable what a list that was Read holds, for who shows its UIDs but
// does not Assign. It takes no lock.
func Sync(m *maildir.Maildir) error { return appendLines(m, nil) }

// appendLines syncs also if there are none: what the list holds may come from a
// process that was killed before its own sync.
func appendLines(m *maildir.Maildir, lines []byte) error {
	f, err := m.FS().Append(m.Dir(), Name)
	if err != nil {
		return err
	}
	if len(lines) > 0 {
		_, err = f.Write(lines)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil || !young(m.Dir()) {
		return err
	}
	return m.FS().SyncDir(m.Dir())
}
