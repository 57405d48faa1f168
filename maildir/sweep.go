package maildir

import (
	"time"

	"golang.org/x/sys/unix"
)

// tmpLife is how long a file in tmp is left alone. Maildir's rule allows a
// delivery 24 hours and leaves 12 for doubts.
const tmpLife = 36 * time.Hour

// Sweep removes what deliveries that were killed left in tmp: regular files
// that nobody has read or written for 36 hours; and folders that were being
// deleted. A writer that sleeps longer finds its file gone and reports a temporary
// failure. It goes on after an error and returns the first, with the number of
// files and folders that it removed.
func (m *Maildir) Sweep(now time.Time) (removed int, err error) {
	removed, err = m.sweepTmp(now)
	folders, ferr := m.sweepDeleted()
	if err == nil {
		err = ferr
	}
	return removed + folders, err
}

func (m *Maildir) sweepTmp(now time.Time) (removed int, err error) {
	var old []string
	err = m.tmp.Names(func(name []byte, _ uint64, _ byte) bool {
		if st, e := m.tmp.Stat(string(name)); e == nil && abandoned(&st, now) {
			old = append(old, string(name))
		}
		return true
	})
	for _, name := range old {
		switch e := m.fs.Remove(m.tmp, name); {
		case e == nil:
			removed++
		case err == nil && !vanished(e):
			err = e
		}
	}
	return removed, err
}

// abandoned reports whether a file of tmp is debris. Both times count: a file
// system mounted with noatime does not tell of readers, and one that is copied
// with its old mtime has just been read.
func abandoned(st *unix.Stat_t, now time.Time) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFREG &&
		now.Sub(time.Unix(st.Atim.Unix())) > tmpLife &&
		now.Sub(time.Unix(st.Mtim.Unix())) > tmpLife
}
