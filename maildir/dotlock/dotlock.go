// Package dotlock is the lock files that Dovecot takes to change its files in a
// Maildir: NAME.lock beside NAME, made exclusively, with "pid:host" in it.
//
// Such a lock outlives its holder, so among ourselves a lock of the directory
// comes first that dies with the process. Whoever has that waits for Dovecot
// alone, and knows that a lock file with a pid of ours is a leftover.
//
// A lock file is stale
//   - if its host is this one and its process is gone, or it is older than the
//     running of this machine: at once;
//   - otherwise, if neither it nor NAME has changed for a time that each file
//     has: its holder works on another machine that shares the files, and would
//     have touched it.
//
// These are Dovecot's rules, but for the second half of the first: Dovecot waits
// for ever when the pid belongs to somebody else by now.
//
// Start reading at Take.
package dotlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// ErrBusy is the error for a lock that somebody else held for ten seconds. An
// IMAP server says NO [INUSE].
var ErrBusy = errors.New("locked by another program")

// ErrLost is the error for a lock that another program took away while it was
// held. What was about to be written must not be.
var ErrLost = errors.New("lock was taken over by another program")

// suffix of a lock file's name.
const suffix = ".lock"

// How long is waited: for a lock at most, between two looks at it, after a stale
// one was removed, and until one that we hold is touched.
const (
	maxWait    = 10 * time.Second
	firstLook  = time.Millisecond
	lastLook   = 50 * time.Millisecond
	settle     = 50 * time.Millisecond
	touchAfter = 10 * time.Second
)

// Lock is a lock that is held.
type Lock struct {
	fs   disk.FS
	dir  *disk.Dir // its descriptor holds the lock among ourselves
	name string    // of the file that is locked
	sole bool      // no other process of ours holds a lock in this directory

	staleAfter time.Duration

	dev, ino uint64
	touched  time.Time
}

// Take takes the lock for the file name in dir, waiting at most ten seconds for
// others; then the error is ErrBusy. staleAfter is how long Dovecot believes in a
// lock of this file that does not change and whose holder it cannot ask about.
// One process holds at most one lock in a directory: a second Take waits for the
// first one's Release.
func Take(f disk.FS, dir *disk.Dir, name string, staleAfter time.Duration) (*Lock, error) {
	return take(f, dir, name, staleAfter, maxWait)
}

func take(f disk.FS, dir *disk.Dir, name string, staleAfter, wait time.Duration) (*Lock, error) {
	own, err := dir.OpenDir(".")
	if err != nil {
		return nil, err
	}
	l := &Lock{fs: f, dir: own, name: name, staleAfter: staleAfter}
	if err := l.wait(wait); err != nil {
		own.Close()
		return nil, fmt.Errorf("lock %s/%s: %w", dir.Path(), name, err)
	}
	return l, nil
}

// wait tries both locks until it has them or the time is up.
func (l *Lock) wait(atMost time.Duration) error {
	end := time.Now().Add(atMost)
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		switch done, err := l.try(); {
		case done || err != nil:
			return err
		case time.Now().After(end):
			return ErrBusy
		}
		time.Sleep(pause)
	}
}

// try takes what it can get without waiting.
func (l *Lock) try() (done bool, err error) {
	if !l.sole {
		if taken := l.tryOwn(); taken {
			return false, nil
		}
	}
	f, err := l.fs.Create(l.dir, l.name+suffix)
	if err == nil {
		return true, l.sign(f)
	}
	if !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	if st, dead := l.dead(time.Now()); dead {
		return false, l.bury(st)
	}
	return false, nil
}

// tryOwn takes the lock among ourselves, and reports whether another has it. A
// file system without such locks is no reason to stop: the lock file is enough,
// only slower.
func (l *Lock) tryOwn() (taken bool) {
	for {
		err := unix.Flock(l.dir.Fd(), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			l.sole = err == nil
			return errors.Is(err, unix.EWOULDBLOCK)
		}
	}
}

// sign says in the new lock file whose it is.
func (l *Lock) sign(f disk.File) error {
	host, err := os.Hostname()
	if err == nil {
		_, err = fmt.Fprintf(f, "%d:%s", os.Getpid(), host)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	st, serr := l.dir.Stat(l.name + suffix)
	if err == nil {
		err = serr
	}
	if err != nil {
		l.fs.Remove(l.dir, l.name+suffix) // it is empty, and would be stale in two minutes
		return err
	}
	l.dev, l.ino, l.touched = uint64(st.Dev), st.Ino, time.Now()
	return nil
}

// unsigned is how long a lock file may be empty. Its holder signs it at once.
const unsigned = 3 * time.Second

// dead judges a lock file that is in the way, and says which one it judged.
func (l *Lock) dead(now time.Time) (unix.Stat_t, bool) {
	st, err := l.dir.Stat(l.name + suffix)
	if err != nil {
		return st, false
	}
	last := changed(&st)
	if st.Size == 0 && now.Sub(last) > unsigned {
		return st, true // its holder was killed before it could sign
	}
	if pid, ok := l.holder(); ok {
		return st, last.Before(booted(now)) || !l.alive(pid)
	}
	if file, err := l.dir.Stat(l.name); err == nil && changed(&file).After(last) {
		last = changed(&file)
	}
	return st, now.Sub(last) > l.staleAfter
}

// holder is the process that a lock file names, if it is one of this machine.
func (l *Lock) holder() (pid int, ok bool) {
	f, err := l.dir.Open(l.name + suffix)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var buf [512]byte
	n, _ := f.Read(buf[:])
	return parseHolder(string(buf[:n]))
}

// alive reports whether a process may still hold the lock that it has signed.
func (l *Lock) alive(pid int) bool {
	if pid == os.Getpid() {
		return !l.sole // ours it is not, so it is of an earlier process with this pid
	}
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// bury removes a lock file that was judged dead. Dovecot may do so at the same
// time: a pause keeps either from removing the other's new one.
func (l *Lock) bury(judged unix.Stat_t) error {
	st, err := l.dir.Stat(l.name + suffix)
	if err != nil || st.Ino != judged.Ino || st.Mtim != judged.Mtim {
		return nil
	}
	if err := l.fs.Remove(l.dir, l.name+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	time.Sleep(settle)
	return nil
}

// Keep says whether the lock is still held, and touches it if it is not new.
// Call it before each change that needs the lock; the error is ErrLost.
func (l *Lock) Keep() error {
	if !l.held() {
		return fmt.Errorf("%s/%s: %w", l.dir.Path(), l.name, ErrLost)
	}
	if now := time.Now(); now.Sub(l.touched) > touchAfter {
		l.touched = now
		return l.fs.Touch(l.dir, l.name+suffix, now)
	}
	return nil
}

// held reports whether the lock file is the one that we made.
func (l *Lock) held() bool {
	st, err := l.dir.Stat(l.name + suffix)
	return err == nil && uint64(st.Dev) == l.dev && st.Ino == l.ino
}

// Replace makes a file in the lock's directory anew, durably: others see the old
// one or the new one, never a part, also after a power cut. A time that is not
// zero becomes the time of its last change.
//
// The order: name.tmp; write, sync; rename to name; sync the directory.
func (l *Lock) Replace(name string, b []byte, mtime time.Time) error {
	tmp := name + ".tmp"
	l.fs.Remove(l.dir, tmp) // left by a kill
	f, err := l.fs.Create(l.dir, tmp)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && !mtime.IsZero() {
		err = l.fs.Touch(l.dir, tmp, mtime)
	}
	if err == nil {
		err = l.Keep()
	}
	if err == nil {
		err = l.fs.Rename(l.dir, tmp, l.dir, name)
	}
	if err != nil {
		l.fs.Remove(l.dir, tmp)
		return err
	}
	return l.fs.SyncDir(l.dir)
}

// Release gives the lock back. A lock file that cannot be removed is stale once
// this process has ended.
func (l *Lock) Release() {
	if l == nil {
		return
	}
	if l.held() {
		l.fs.Remove(l.dir, l.name+suffix)
	}
	l.dir.Close()
}

// parseHolder reads "pid:host".
func parseHolder(s string) (pid int, ok bool) {
	number, host, ok := strings.Cut(strings.TrimSuffix(s, "\n"), ":")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 32)
	ours, herr := os.Hostname()
	return int(n), err == nil && herr == nil && n > 0 && host == ours
}

// changed is when a file was last changed or renamed.
func changed(st *unix.Stat_t) time.Time {
	m, c := time.Unix(st.Mtim.Unix()), time.Unix(st.Ctim.Unix())
	if m.After(c) {
		return m
	}
	return c
}

// booted is a time before which no process of this machine was running: its
// start, less a minute for clocks that were set since.
func booted(now time.Time) time.Time {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return time.Time{}
	}
	return now.Add(-time.Duration(up.Nano()) - time.Minute)
}
