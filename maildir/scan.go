package maildir

import (
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// scans is how often directories that change under our eyes are read for one
// listing.
const scans = 2

// Scan lists the messages, in the directories' order: new first, then cur, so
// that a message that moves meanwhile is seen twice rather than never. Names
// that begin with a dot and all that is no regular file are left out. If
// something changes while it reads, it reads once more and keeps what either
// reading saw. So a message in the listing may be gone when it is opened; one
// that is missing is certainly gone only if the listing is Settled.
func (m *Maildir) Scan() (*Listing, error) {
	l := &Listing{}
	for range scans {
		before, err := m.stamp()
		if err != nil {
			return nil, err
		}
		for _, d := range []*disk.Dir{m.new, m.cur} {
			err := readMessages(d, func(name []byte, ino uint64) bool {
				l.append(name, ino, d == m.new)
				return true
			})
			if err != nil {
				return nil, err
			}
		}
		after, err := m.stamp()
		if err != nil {
			return nil, err
		}
		if before == after {
			l.Settled = after.past(time.Now())
			break
		}
	}
	l.index()
	return l, nil
}

// Rescan is Scan for somebody who knows an earlier listing: as long as the new
// one is not settled, it keeps the messages that it misses.
func (m *Maildir) Rescan(old *Listing) (*Listing, error) {
	l, err := m.Scan()
	if err != nil || l.Settled {
		return l, err
	}
	missing := false
	for i := range old.Len() {
		if _, at := l.slot(old.base(i)); at < 0 {
			r := old.record(i)
			l.append(recordBytes(r), old.At(i).Inode, r[recordNew] != 0)
			missing = true
		}
	}
	if missing {
		l.pos = nil
		l.index()
	}
	return l, nil
}

// stamp is when new and cur were last changed.
type stamp struct{ new, cur unix.Timespec }

func (m *Maildir) stamp() (s stamp, err error) {
	for _, d := range []struct {
		dir  *disk.Dir
		time *unix.Timespec
	}{{m.new, &s.new}, {m.cur, &s.cur}} {
		st, err := d.dir.Stat(".")
		if err != nil {
			return s, err
		}
		*d.time = st.Mtim
	}
	return s, nil
}

// past reports whether both changes lie more than a tick of the file system's
// clock before now, so that any later change shows in the stamp.
func (s stamp) past(now time.Time) bool {
	return older(s.new, now) && older(s.cur, now)
}

// Ticks of file systems' clocks: Linux takes the time from the timer interrupt,
// every 1 to 10 ms; FAT and old NFS servers know whole seconds, by twos.
const (
	fineTick   = 20 * time.Millisecond
	coarseTick = 2 * time.Second
)

func older(t unix.Timespec, now time.Time) bool {
	tick := fineTick
	if t.Nsec == 0 {
		tick = coarseTick
	}
	return now.Sub(time.Unix(t.Unix())) > tick
}
