package queue

import (
	"cmp"
	"errors"
	"io/fs"
	"time"

	"rohrpost/maildir/disk"
)

// debrisAge is how long a file in tmp is left alone (DESIGN section 2): nobody
// takes that long to write a message.
const debrisAge = 36 * time.Hour

// Sweep removes what crashes have left: files in tmp and drop/tmp that nobody has
// written to for 36 hours, and notes as old on entries that are not there any more.
// It returns how many files went. It goes on after an error and returns the first.
func (q *Queue) Sweep(now time.Time) (removed int, err error) {
	all := func(string) bool { return true }
	for _, d := range []*disk.Dir{q.tmp, q.dropTmp} {
		n, e := q.sweep(d, now, all)
		removed, err = removed+n, cmp.Or(err, e)
	}
	orphan, e := q.orphans(now)
	if e != nil {
		return removed, cmp.Or(err, e)
	}
	n, e := q.sweep(q.notes, now, orphan)
	return removed + n, cmp.Or(err, e)
}

// orphans tells which notes are on no entry. It reads the queue only if there are
// old notes at all.
func (q *Queue) orphans(now time.Time) (func(note string) bool, error) {
	old, err := oldNames(q.notes, now)
	if err != nil || len(old) == 0 {
		return func(string) bool { return false }, err
	}
	l, err := q.Scan()
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool, len(l.Entries))
	for _, e := range l.Entries {
		used[noteName(e)] = true
	}
	return func(note string) bool { return !used[note] }, nil
}

// sweep removes the old files that may go.
func (q *Queue) sweep(d *disk.Dir, now time.Time, may func(string) bool) (removed int, err error) {
	names, err := oldNames(d, now)
	for _, name := range names {
		if !may(name) {
			continue
		}
		switch e := q.fs.Remove(d, name); {
		case e == nil:
			removed++
		case !errors.Is(e, fs.ErrNotExist):
			err = cmp.Or(err, e)
		}
	}
	return removed, err
}

// oldNames are the files that nobody has written to for long. d may be nil.
func oldNames(d *disk.Dir, now time.Time) (names []string, err error) {
	if d == nil {
		return nil, nil
	}
	err = d.Names(func(name []byte, _ uint64, _ byte) bool {
		st, err := d.Stat(string(name))
		if err == nil && name[0] != '.' && now.Sub(time.Unix(st.Mtim.Unix())) >= debrisAge {
			names = append(names, string(name))
		}
		return true
	})
	return names, err
}
