package index

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// lockName is the file whose lock is the right to write the others.
const lockName = "rohrpost.lock"

// How long a lock is waited for, and how often it is tried.
const (
	lockWait = 10 * time.Second
	lockStep = time.Millisecond
)

// ErrBusy is the error when another process has held the lock for ten seconds: it
// was stopped, or the machine is overloaded.
var ErrBusy = errors.New("index is locked by another process")

// Lock is the right to write the index of one mailbox. It dies with the process.
type Lock struct{ f *os.File }

// OpenLock makes ready to lock the index of m. The error is the file system's: the
// index can be used in memory alone then.
func OpenLock(m *maildir.Maildir) (*Lock, error) {
	f, err := m.Dir().OpenForLock(lockName)
	if errors.Is(err, fs.ErrNotExist) {
		made, cerr := m.FS().Create(m.Dir(), lockName)
		if cerr != nil && !errors.Is(cerr, fs.ErrExist) {
			return nil, cerr
		}
		if cerr == nil {
			made.Close()
		}
		f, err = m.Dir().OpenForLock(lockName)
	}
	if err != nil {
		return nil, err
	}
	return &Lock{f}, nil
}

// Lock waits for the lock, ten seconds at most.
func (l *Lock) Lock() error { return l.lock(lockWait) }

func (l *Lock) lock(wait time.Duration) error {
	deadline := time.Now().Add(wait)
	for {
		err := l.set(unix.F_WRLCK)
		if err != unix.EAGAIN && err != unix.EACCES {
			return err
		}
		if time.Now().After(deadline) {
			return ErrBusy
		}
		time.Sleep(lockStep)
	}
}

// Unlock gives the lock back.
func (l *Lock) Unlock() { l.set(unix.F_UNLCK) }

func (l *Lock) set(kind int16) error {
	for {
		err := unix.FcntlFlock(l.f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind})
		if err != unix.EINTR {
			return err
		}
	}
}

// Close closes the file, and so unlocks.
func (l *Lock) Close() {
	if l != nil {
		l.f.Close()
	}
}
