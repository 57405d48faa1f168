package quota

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// ErrOver is the error for a message that does not fit into the quota. Whether
// the sender waits or gets it back is the caller's choice.
var ErrOver = errors.New("mailbox is over quota")

// How long a file is believed that says the quota is used up.
const (
	// countLife is for a file of one line, a count: Maildir++ says 15 minutes.
	countLife = 15 * time.Minute
	// inFlight is for any file: a delivery that has just noted its message may
	// not have stored it yet, and a count now would miss it.
	inFlight = 10 * time.Second
)

// Reservation is room for messages, counted as used from Reserve on.
type Reservation struct {
	m    *maildir.Maildir
	size Usage
}

// Release gives the room back, for a message that was not delivered after all.
func (r Reservation) Release() {
	if r.m != nil {
		Add(r.m, Usage{-r.size.Bytes, -r.size.Messages})
	}
}

// Reserve takes room for a message of size bytes, as stored, in the Maildir m,
// which is the inbox also if the message goes to one of its folders. rule is the
// limit in the form of maildirsize; if it is empty, the file's own limit holds,
// and without a file there is none. A message that would go beyond the limit by
// bytes or by number is ErrOver; one that reaches it exactly fits.
//
// Deliveries of ours never exceed the limit together, as long as each ends within
// ten seconds of Reserve: each holds a lock on the file from reading it to
// writing it, and nobody counts so soon. Other programs append without a lock,
// as Maildir++ allows, and may exceed it by what they deliver at that moment.
// All folders and all messages count, whatever their flags.
func Reserve(m *maildir.Maildir, rule string, size int64) (Reservation, error) {
	return ReserveAll(m, rule, Usage{size, 1})
}

// ReserveAll is Reserve for several messages, for which there is room together or not.
func ReserveAll(m *maildir.Maildir, rule string, u Usage) (Reservation, error) {
	r := Reservation{m: m, size: u}
	var limit Limit
	if rule != "" {
		var err error
		if limit, err = ParseLimit(rule); err != nil {
			return Reservation{}, err
		}
	}
	f, err := lock(m, rule != "")
	if errors.Is(err, fs.ErrNotExist) && rule == "" {
		return Reservation{}, nil
	}
	if err != nil {
		return Reservation{}, fmt.Errorf("quota of %s: %w", m.Path(), err)
	}
	if f != nil {
		defer f.Close()
	}
	if err := reserve(m, f, rule == "", limit, r.size); err != nil {
		return Reservation{}, fmt.Errorf("quota of %s: %w", m.Path(), err)
	}
	return r, nil
}

// reserve does it for the locked file f, or nil for a thing in its place that is
// no file. own says that the file's own limit holds.
func reserve(m *maildir.Maildir, f *os.File, own bool, limit Limit, size Usage) error {
	was, fresh, err := read(f)
	if own {
		limit = was.limit
	}
	if limit == (Limit{}) {
		return nil
	}
	if err == nil && was.limit == limit {
		if limit.allows(was.used.add(size)) {
			return appendLine(f, size)
		}
		if fresh {
			return ErrOver
		}
	}
	used, err := count(m)
	if err != nil {
		return err
	}
	fits := limit.allows(used.add(size))
	if fits {
		used = used.add(size)
	}
	if err := write(m, limit, used); err != nil {
		return err
	}
	if !fits {
		return ErrOver
	}
	return nil
}

// Add notes a change that was made already: messages that were removed, say. It
// is for bookkeeping only, so it does nothing if there is no file, and removes a
// file that it cannot append to.
func Add(m *maildir.Maildir, u Usage) {
	f, err := m.Dir().OpenForLock(fileName)
	if err == nil {
		err = appendLine(f, u)
		f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.FS().Remove(m.Dir(), fileName)
	}
}

// Kept reports whether the Maildir m has a file that is to be kept right.
func Kept(m *maildir.Maildir) bool {
	_, err := m.Dir().Stat(fileName)
	return err == nil
}

// Read is the file's own limit, zero if there is none, and what the Maildir holds. A
// file that does not tell is counted anew.
func Read(m *maildir.Maildir) (Limit, Usage, error) {
	was, err := look(m)
	switch {
	case err == nil || was.limit == (Limit{}):
		return was.limit, was.used, nil
	case !errors.Is(err, errDamaged):
		return Limit{}, Usage{}, fmt.Errorf("quota of %s: %w", m.Path(), err)
	}
	// To take room for nothing is to have counted, also if there is none left.
	if _, err := ReserveAll(m, "", Usage{}); err != nil && !errors.Is(err, ErrOver) {
		return Limit{}, Usage{}, err
	}
	if was, err = look(m); err == nil {
		return was.limit, was.used, nil
	}
	used, err := count(m)
	return was.limit, used, err
}

// look reads the file without its lock: others only append to it, or replace it.
func look(m *maildir.Maildir) (file, error) {
	f, err := m.Dir().Open(fileName)
	if err != nil {
		return file{}, err
	}
	defer f.Close()
	was, _, err := read(f)
	return was, err
}

// read reads the locked file. fresh says that a count now would not help.
func read(f *os.File) (was file, fresh bool, err error) {
	if f == nil {
		return file{}, false, errDamaged
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return file{}, false, err
	}
	was, err = parse(text)
	if len(text) > maxFile {
		err = errDamaged
	}
	st, serr := f.Stat()
	if serr != nil {
		return was, false, serr
	}
	age := time.Since(st.ModTime())
	return was, age < inFlight || was.lines == 1 && age < countLife, err
}

// appendLine appends a change in one write, which others' appends cannot
// interleave with.
func appendLine(f *os.File, u Usage) error {
	fd := int(f.Fd())
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_APPEND); err != nil {
		return err
	}
	_, err = f.WriteString(u.line())
	return err
}

func write(m *maildir.Maildir, limit Limit, used Usage) error {
	return m.Replace(fileName, func(w io.Writer) error {
		_, err := io.WriteString(w, limit.String()+"\n"+used.line())
		return err
	})
}

// count counts all messages of the Maildir and of its folders.
func count(m *maildir.Maildir) (Usage, error) {
	used, err := Count(m)
	if err != nil {
		return used, err
	}
	names, err := m.Folders()
	if err != nil {
		return used, err
	}
	for _, name := range names {
		folder, err := m.Folder(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return used, err
		}
		u, err := Count(folder)
		folder.Close()
		if err != nil {
			return used, err
		}
		used = used.add(u)
	}
	return used, nil
}

// Count counts the messages of one folder.
func Count(m *maildir.Maildir) (used Usage, err error) {
	l, err := m.Scan()
	if err != nil {
		return used, err
	}
	for i := range l.Len() {
		msg := l.At(i)
		size := msg.Size
		if size < 0 {
			st, err := m.Stat(msg)
			if errors.Is(err, maildir.ErrGone) {
				continue
			}
			if err != nil {
				return used, err
			}
			size = st.Size
		}
		used = used.add(Usage{size, 1})
	}
	return used, nil
}

// lockWait bounds the wait for another delivery's lock. A lock is held for
// microseconds, or for as long as a count takes.
const (
	lockWait = 10 * time.Second
	lockStep = 2 * time.Millisecond
)

var errBusy = fmt.Errorf("%s was locked by others for %v", fileName, lockWait)

// lock opens and locks the file, making it if that is wanted and it is missing.
// What lies in its place and is no regular file gives nil: it is replaced, and
// never opened.
func lock(m *maildir.Maildir, make bool) (*os.File, error) {
	for end := time.Now().Add(lockWait); time.Now().Before(end); {
		f, err := m.Dir().OpenForLock(fileName)
		switch {
		case errors.Is(err, fs.ErrNotExist) && make:
			if err := create(m); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, disk.ErrNotRegular), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO):
			return nil, nil
		case err != nil:
			return nil, err
		}
		if err := wait(f, end); err != nil {
			f.Close()
			return nil, err
		}
		if current(m, f) {
			return f, nil
		}
		f.Close() // replaced while we waited
	}
	return nil, errBusy
}

// create makes an empty file, which is damage to all who read it, and so asks
// for a count by whoever gets its lock first.
func create(m *maildir.Maildir) error {
	f, err := m.FS().Create(m.Dir(), fileName)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// wait takes the lock, which ends with the descriptor. On a file system that has
// no locks we do without.
func wait(f *os.File, end time.Time) error {
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		switch {
		case err == nil, errors.Is(err, unix.ENOLCK), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES):
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		case time.Now().After(end):
			return errBusy
		}
		time.Sleep(lockStep)
	}
}

// current reports whether f is still the file of that name.
func current(m *maildir.Maildir, f *os.File) bool {
	var mine unix.Stat_t
	now, err := m.Dir().Stat(fileName)
	return err == nil && unix.Fstat(int(f.Fd()), &mine) == nil && now.Dev == mine.Dev && now.Ino == mine.Ino
}
