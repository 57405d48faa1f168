// Package queue is the queue that is a Maildir (rohrpost-queue(5)).
//
// One entry is one file: a short envelope block in header syntax, a blank line,
// the message with LF line ends. queue/new holds what has just been accepted,
// queue/cur what waits. No file is changed after it was published; all state is
// in the names, so each transition is one link, rename or unlink, and a hundred
// thousand entries are scheduled by reading two directories.
//
// Invariants, which the tests name:
//
//  1. Commit returned nil: the entry is whole under its final name after a power cut.
//  2. A name in new or cur never shows part of a message.
//  3. A recipient's last name goes only after its delivery, its report, or the
//     entry that takes its place is durable, or because somebody cancelled it.
//  4. Whoever holds the lock on byte n of the file is the only one who handles
//     recipient n.
//  5. What cannot be understood is neither delivered nor removed.
//
// The package knows no protocol, no schedule of deliveries and no addresses
// beyond what the file format needs. Start reading at Queue, then Put, then
// Entry in name.go.
package queue

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// NotesDir holds the last reply to each recipient, for people and for the final
// report. It is never synced: losing it costs only text.
const NotesDir = "rohrpost.notes"

// dropMode lets every user of the host put a file into drop, and nobody look
// there or touch another's.
const dropMode = unix.S_ISVTX | 0o733

// Queue is an open queue directory. It is safe for use by many goroutines.
type Queue struct {
	fs        disk.FS
	dir       *disk.Dir
	tmp       *disk.Dir
	fresh     *disk.Dir // new
	cur       *disk.Dir
	dropTmp   *disk.Dir // nil if there is no drop
	dropFresh *disk.Dir
	notes     *disk.Dir // nil if there is none
	uid       uint32    // owner of new, and so of every entry
	namer     *maildir.Namer
}

// Open opens an existing queue. The path may end in a symbolic link that the
// administrator made; the directories inside may not. fs is disk.OS, or
// disk.Shared(disk.OS) where several entries are handled at a time; nil means
// disk.OS.
func Open(path string, f disk.FS) (*Queue, error) {
	return openWith(path, f, (*Queue).openAll)
}

// OpenForPut is Open for who puts entries into the queue and does nothing else
// with it: a process for one connection need not open the drop and the notes.
func OpenForPut(path string, f disk.FS) (*Queue, error) {
	return openWith(path, f, (*Queue).openOwn)
}

func openWith(path string, f disk.FS, rest func(*Queue) error) (*Queue, error) {
	if f == nil {
		f = disk.OS
	}
	dir, err := disk.OpenDirFollow(path)
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	q := &Queue{fs: f, dir: dir, namer: maildir.SystemNamer()}
	if err := rest(q); err != nil {
		q.Close()
		return nil, fmt.Errorf("open queue %s: %w", path, err)
	}
	return q, nil
}

// openAll opens the queue's own directories, and those for others.
func (q *Queue) openAll() error {
	err := q.openOwn()
	if err == nil {
		q.notes, err = optional(q.dir, NotesDir)
	}
	if err == nil {
		err = q.openDrop()
	}
	return err
}

// openOwn opens the directories that every queue has.
func (q *Queue) openOwn() error {
	var err error
	for _, want := range []struct {
		at   **disk.Dir
		name string
	}{{&q.tmp, "tmp"}, {&q.fresh, "new"}, {&q.cur, "cur"}} {
		if *want.at, err = q.dir.OpenDir(want.name); err != nil {
			return err
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(q.fresh.Fd(), &st); err != nil {
		return fmt.Errorf("stat new: %w", err)
	}
	q.uid = st.Uid
	return nil
}

func (q *Queue) openDrop() error {
	drop, err := optional(q.dir, "drop")
	if drop == nil || err != nil {
		return err
	}
	defer drop.Close()
	if q.dropTmp, err = optional(drop, "tmp"); err != nil {
		return err
	}
	q.dropFresh, err = optional(drop, "new")
	return err
}

// optional opens a directory that need not exist; then it is nil.
func optional(d *disk.Dir, name string) (*disk.Dir, error) {
	sub, err := d.OpenDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return sub, err
}

// Create makes the queue with all its directories if they are not there, mode
// 0700 but for drop, durably, and opens it. The parent of path must exist.
func Create(path string, f disk.FS) (*Queue, error) {
	if f == nil {
		f = disk.OS
	}
	if err := makeTree(path, f); err != nil {
		return nil, fmt.Errorf("create queue: %w", err)
	}
	return Open(path, f)
}

func makeTree(path string, f disk.FS) error {
	root, err := makeRoot(path, f)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range []string{"tmp", "new", "cur", NotesDir} {
		if err := makeDir(f, root, name); err != nil {
			return err
		}
	}
	if err := makeDrop(f, root); err != nil {
		return err
	}
	return f.SyncDir(root)
}

// makeRoot makes the queue itself. Its parent is synced also if it was there: an
// earlier try may have been killed before that, and a queue that a power cut takes
// away takes mail with it.
func makeRoot(path string, f disk.FS) (*disk.Dir, error) {
	above, name := split(path)
	parent, err := disk.OpenDirFollow(above)
	if errors.Is(err, fs.ErrPermission) {
		return disk.OpenDirFollow(path) // then it is not ours to make
	}
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := makeDir(f, parent, name); err != nil {
		return nil, err
	}
	if err := f.SyncDir(parent); err != nil {
		return nil, err
	}
	return disk.OpenDirFollow(path)
}

// split cuts the last element off a path.
func split(path string) (above, name string) {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i+1], path[i+1:]
		}
	}
	return ".", path
}

func makeDir(f disk.FS, d *disk.Dir, name string) error {
	if err := f.Mkdir(d, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// makeDrop makes drop/tmp and drop/new. The way there may be walked by every
// user, also past a queue directory of mode 0700 if the administrator opens it.
func makeDrop(f disk.FS, root *disk.Dir) error {
	if err := makeDir(f, root, "drop"); err != nil {
		return err
	}
	drop, err := root.OpenDir("drop")
	if err != nil {
		return err
	}
	defer drop.Close()
	for _, name := range []string{"tmp", "new"} {
		if err := makeDir(f, drop, name); err != nil {
			return err
		}
		sub, err := drop.OpenDir(name)
		if err != nil {
			return err
		}
		err = chmod(sub, dropMode)
		sub.Close()
		if err != nil {
			return err
		}
	}
	if err := chmod(drop, 0o711); err != nil {
		return err
	}
	return f.SyncDir(drop)
}

func chmod(d *disk.Dir, mode uint32) error {
	if err := unix.Fchmod(d.Fd(), mode); err != nil {
		return &fs.PathError{Op: "chmod", Path: d.Path(), Err: err}
	}
	return nil
}

// Probe makes and removes a file in tmp: an error means that nothing can be
// recorded, so nothing should be sent.
func (q *Queue) Probe() error {
	name, err := q.namer.Next()
	if err != nil {
		return err
	}
	f, err := q.fs.Create(q.tmp, name)
	if err != nil {
		return err
	}
	f.Close()
	return q.fs.Remove(q.tmp, name)
}

// Close closes the queue's directories.
func (q *Queue) Close() error {
	for _, d := range []*disk.Dir{q.tmp, q.fresh, q.cur, q.dropTmp, q.dropFresh, q.notes, q.dir} {
		d.Close()
	}
	return nil
}

// Path is the queue's directory.
func (q *Queue) Path() string { return q.dir.Path() }
