package queue

import (
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// clockTick is the coarsest time stamp of a file system that we expect.
const clockTick = 2 * time.Second

// Changed is when names came or went in new, cur and drop/new, as the file
// system says. Two of them that are equal mean that nothing happened in between,
// unless they are Recent.
type Changed [3]unix.Timespec

// Changed looks at the directories' times.
func (q *Queue) Changed() Changed {
	var c Changed
	for i, d := range []*disk.Dir{q.fresh, q.cur, q.dropFresh} {
		var st unix.Stat_t
		if d != nil && unix.Fstat(d.Fd(), &st) == nil {
			c[i] = st.Mtim
		}
	}
	return c
}

// Recent reports whether the last change is so short ago that another one could
// have the same time.
func (c Changed) Recent(now time.Time) bool {
	for _, t := range c {
		if now.Sub(time.Unix(t.Unix())) < clockTick {
			return true
		}
	}
	return false
}
