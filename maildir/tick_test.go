package maildir

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestChangeIsPastAfterATickOfTheFileSystemsClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about   string
		changed unix.Timespec
		after   time.Duration
		want    bool
	}{
		{"at once", unix.Timespec{Sec: 100, Nsec: 5}, 0, false},
		{"within a tick", unix.Timespec{Sec: 100, Nsec: 5}, 20 * time.Millisecond, false},
		{"after a tick", unix.Timespec{Sec: 100, Nsec: 5}, 21 * time.Millisecond, true},
		{"a clock of whole seconds ticks by twos", unix.Timespec{Sec: 100}, 2 * time.Second, false},
		{"and then it is past too", unix.Timespec{Sec: 100}, 2001 * time.Millisecond, true},
		{"in the future", unix.Timespec{Sec: 100, Nsec: 5}, -time.Hour, false},
	} {
		now := time.Unix(c.changed.Unix()).Add(c.after)
		at := c.changed.Nano()
		if got := older(at, now); got != c.want {
			t.Errorf("%s: %t", c.about, got)
		}
		old := int64(1e9)
		if got := (Stamp{New: DirStamp{Mtime: at}, Cur: DirStamp{Mtime: old}}).Past(now); got != c.want {
			t.Errorf("%s, in new: %t", c.about, got)
		}
		if got := (Stamp{New: DirStamp{Mtime: old}, Cur: DirStamp{Mtime: at}}).Past(now); got != c.want {
			t.Errorf("%s, in cur: %t", c.about, got)
		}
	}
}
