package maildir

import (
	"io/fs"
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
	seen, err := m.Walk(l.append)
	if err != nil {
		return nil, err
	}
	l.Settled, l.Stamp = seen.Settled, seen.Stamp
	l.index()
	return l, nil
}

// Sight is in which state directories were when they were read.
type Sight struct {
	Stamp Stamp // before the last reading
	// Settled says that nothing can have been missed (Listing.Settled), and that
	// whatever changes from now on changes the Stamp.
	Settled bool
}

// Walk is Scan without a listing: it calls each for every name that it reads,
// which may be several times and by several names for one message. The last call
// counts. The name is valid during the call only.
func (m *Maildir) Walk(each func(name []byte, inode uint64, new bool)) (Sight, error) {
	var seen Sight
	for range scans {
		before, err := m.Stamp()
		if err != nil {
			return seen, err
		}
		for _, d := range []*disk.Dir{m.new, m.cur} {
			err := readMessages(d, func(name []byte, ino uint64) bool {
				each(name, ino, d == m.new)
				return true
			})
			if err != nil {
				return seen, err
			}
		}
		after, err := m.Stamp()
		if err != nil {
			return seen, err
		}
		seen.Stamp = before
		if before == after {
			seen.Settled = after.Past(time.Now())
			break
		}
	}
	return seen, nil
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

// Stamp tells whether new and cur may have changed: two equal stamps of which the
// first was Past enclose no change. It is good for files: it outlives processes.
type Stamp struct{ New, Cur DirStamp }

// DirStamp is the identity of a directory and the times of its last change, in
// nanoseconds since 1970. A backup restores Mtime, but not Ctime.
type DirStamp struct {
	Inode        uint64
	Mtime, Ctime int64
}

// Stamp is the state of the directories now.
func (m *Maildir) Stamp() (s Stamp, err error) {
	for _, d := range []struct {
		dir *disk.Dir
		at  *DirStamp
	}{{m.new, &s.New}, {m.cur, &s.Cur}} {
		var st unix.Stat_t
		if err := unix.Fstat(d.dir.Fd(), &st); err != nil {
			return s, &fs.PathError{Op: "stat", Path: d.dir.Path(), Err: err}
		}
		*d.at = DirStamp{st.Ino, st.Mtim.Nano(), st.Ctim.Nano()}
	}
	return s, nil
}

// Past reports whether both changes lie more than a tick of the file system's
// clock before now, so that any later change shows in the stamp.
func (s Stamp) Past(now time.Time) bool {
	return older(s.New.Mtime, now) && older(s.Cur.Mtime, now)
}

// Ticks of file systems' clocks: Linux takes the time from the timer interrupt,
// every 1 to 10 ms; FAT and old NFS servers know whole seconds, by twos.
const (
	fineTick   = 20 * time.Millisecond
	coarseTick = 2 * time.Second
)

// older reports whether t, in nanoseconds since 1970, is more than a tick ago.
func older(t int64, now time.Time) bool {
	tick := fineTick
	if t%int64(time.Second) == 0 {
		tick = coarseTick
	}
	return now.Sub(time.Unix(0, t)) > tick
}
