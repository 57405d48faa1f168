package queue

import (
	"errors"
	"io/fs"
	"time"

	"rohrpost/maildir/disk"
)

// debrisAge is how long a file in tmp is left alone (DESIGN section 2): nobody
// takes that long to write a message.
const debrisAge = 36 * time.Hour

// Sweep removes what crashes have left: files in tmp and drop/tmp that nobody has
// written to for 36 hours, and notes on entries that are not there any more. It
// returns how many files went. It goes on after an error and returns the first.
func (q *Queue) Sweep(now time.Time) (removed int, err error) {
	note := func(n int, e error) {
		removed += n
		if err == nil {
			err = e
		}
	}
	for _, d := range []*disk.Dir{q.tmp, q.dropTmp} {
		if d != nil {
			note(q.sweepOld(d, now, nil))
		}
	}
	if q.notes != nil {
		l, e := q.Scan()
		if e != nil {
			note(0, e)
			return removed, err
		}
		used := make(map[string]bool, len(l.Entries))
		for _, e := range l.Entries {
			used[noteName(e)] = true
		}
		note(q.sweepOld(q.notes, now, used))
	}
	return removed, err
}

// sweepOld removes old files but those in keep.
func (q *Queue) sweepOld(d *disk.Dir, now time.Time, keep map[string]bool) (removed int, err error) {
	var names []string
	err = d.Names(func(name []byte, _ uint64, _ byte) bool {
		if name[0] != '.' && !keep[string(name)] {
			names = append(names, string(name))
		}
		return true
	})
	for _, name := range names {
		st, e := d.Stat(name)
		if e != nil || now.Sub(time.Unix(st.Mtim.Unix())) < debrisAge {
			continue // gone meanwhile, or too young
		}
		switch e := q.fs.Remove(d, name); {
		case e == nil:
			removed++
		case err == nil && !errors.Is(e, fs.ErrNotExist):
			err = e
		}
	}
	return removed, err
}
