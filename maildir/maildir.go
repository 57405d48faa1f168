// Package maildir is mail at rest: directories of one file per message, as
// qmail defined them (cr.yp.to/proto/maildir.html), with the sizes in names and
// the folders that Maildir++ added.
//
// It delivers so that a message that was acknowledged survives a power cut,
// lists folders of any size, finds messages again that other programs renamed
// meanwhile, and sets flags. It knows no protocol, assigns no UIDs and parses
// no message. In rooms below it: disk, the one door to the file system; quota;
// index, the sizes of foreign messages; queue.
//
// Invariants:
//  1. A file in new or cur is whole: it got its name there after its data was
//     synced.
//  2. Commit returns without error only after a power cut can no longer lose
//     the message.
//  3. No file of mail is changed after it was published.
//  4. Nothing outside the Maildir is touched: everything happens relative to
//     open directories, and no symbolic link below them is followed.
//  5. Every change goes through disk.FS.
//
// Start reading at Delivery.Commit and Maildir.Scan.
package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// Maildir is an open Maildir. Its methods may be called from several
// goroutines at once. It holds four descriptors; Close it.
type Maildir struct {
	fs            disk.FS
	namer         *Namer
	dir           *disk.Dir
	tmp, new, cur *disk.Dir
	folder        bool // it was opened by another one's Folder
}

// Open opens an existing Maildir: a directory with tmp, new and cur in it. None
// of the four may be a symbolic link; the path to it may lead over some. All
// changes go through f. The error wraps fs.ErrNotExist if it, or a part of it,
// is missing.
func Open(path string, f disk.FS) (*Maildir, error) {
	dir, err := disk.OpenDir(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return open(dir, f)
}

// OpenFollow is Open for a path that the administrator wrote and that may be a
// symbolic link to the Maildir.
func OpenFollow(path string, f disk.FS) (*Maildir, error) {
	dir, err := disk.OpenDirFollow(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return open(dir, f)
}

// open takes over dir.
func open(dir *disk.Dir, f disk.FS) (*Maildir, error) {
	m := &Maildir{fs: f, namer: SystemNamer(), dir: dir}
	for _, sub := range []struct {
		name string
		dir  **disk.Dir
	}{{"tmp", &m.tmp}, {"new", &m.new}, {"cur", &m.cur}} {
		d, err := dir.OpenDir(sub.name)
		if err != nil {
			m.Close()
			return nil, openError(filepath.Join(dir.Path(), sub.name), err)
		}
		*sub.dir = d
	}
	return m, nil
}

// openError adds what the kernel's ENOTDIR and ELOOP mean here.
func openError(path string, err error) error {
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("maildir %s: %w (a symbolic link or a file is not used as a Maildir)", path, err)
	}
	return fmt.Errorf("maildir %s: %w", path, err)
}

// Close closes the directories. Messages that are open stay readable.
func (m *Maildir) Close() error {
	return errors.Join(m.tmp.Close(), m.new.Close(), m.cur.Close(), m.dir.Close())
}

// Path is the name it was opened by, for messages to people.
func (m *Maildir) Path() string { return m.dir.Path() }

// Dir is the directory itself, for files beside the messages: quota, index,
// lists of UIDs.
func (m *Maildir) Dir() *disk.Dir { return m.dir }

// OpenRoot opens the directory of the inbox to which m belongs: where the files
// lie that all folders share. Close it.
func (m *Maildir) OpenRoot() (*disk.Dir, error) {
	if m.folder {
		return m.dir.OpenDir("..")
	}
	return m.dir.OpenDir(".")
}

// FS is where its changes go.
func (m *Maildir) FS() disk.FS { return m.fs }

// SetNamer makes n give names from now on, in place of the SystemNamer.
func (m *Maildir) SetNamer(n *Namer) { m.namer = n }

// Create opens the Maildir at path, making what is missing of it and of the
// directories that lead to it, with mode 0700. What it makes survives a power
// cut once it returns.
//
// The order: the directory, tmp, new; sync it and all that lead to it; only then
// cur, and sync. So where cur exists, the rest is durable, and a Create that was
// killed is completed by the next one.
func Create(path string, f disk.FS) (*Maildir, error) {
	m, err := Open(path, f)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if err := makeParents(filepath.Clean(path), f); err != nil {
		return nil, fmt.Errorf("make maildir %s: %w", path, err)
	}
	dir, err := disk.OpenDir(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := furnish(dir, f); err != nil {
		dir.Close()
		return nil, fmt.Errorf("make maildir %s: %w", path, err)
	}
	return open(dir, f)
}

// furnish makes tmp, new and cur in dir, in the order that Create states. What
// leads to dir must be durable.
func furnish(dir *disk.Dir, f disk.FS) error {
	for _, names := range [][]string{{"tmp", "new"}, {"cur"}} {
		for _, name := range names {
			if err := f.Mkdir(dir, name); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		if err := f.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// makeParents makes path and what is missing above it, and syncs every
// directory above it: an earlier try may have been killed before its sync.
func makeParents(path string, f disk.FS) error {
	above := filepath.Dir(path)
	if above == path {
		return nil
	}
	parent, err := disk.OpenDirFollow(above)
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		if err := makeParents(above, f); err != nil {
			return err
		}
		parent, err = disk.OpenDirFollow(above)
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	if err := f.Mkdir(parent, filepath.Base(path)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.SyncDir(parent); err != nil {
		return err
	}
	if made {
		return nil
	}
	return syncAbove(above, f)
}

// syncAbove syncs the directories above path, which exist. One that we may not
// read was not made by us.
func syncAbove(path string, f disk.FS) error {
	for above := filepath.Dir(path); above != path; above = filepath.Dir(path) {
		d, err := disk.OpenDirFollow(above)
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		err = f.SyncDir(d)
		d.Close()
		if err != nil {
			return err
		}
		path = above
	}
	return nil
}
