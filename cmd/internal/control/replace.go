package control

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Lock keeps other writers of the directory out until unlock is called or the
// process ends. Readers need no lock: files are replaced whole.
func (d Dir) Lock() (unlock func(), err error) {
	dir, err := os.Open(d.Path)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(dir.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", d.Path, err)
	}
	return func() { dir.Close() }, nil
}

// Replace gives a file new content, durably: a reader and a power cut find the
// old content or the new one, whole. Owner and mode stay as they are; a new file
// gets mode and the owner of the directory. write may read the old file.
// Changes by several writers need Lock.
func (d Dir) Replace(name string, mode fs.FileMode, write func(io.Writer) error) error {
	return d.ReplaceFor(0, name, mode, write)
}

// ReplaceFor is Replace of a file that a group has to read: a new file that root
// makes in a directory of its own gets the group gid, unless that is 0, and may
// be read by it.
func (d Dir) ReplaceFor(gid int, name string, mode fs.FileMode, write func(io.Writer) error) error {
	path, tmp := d.File(name), d.File("."+name+".new")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace %s: %w", path, err) // a writer that died left it, and we cannot clean up
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err = d.fill(f, path, gid, mode, write); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return SyncDir(d.Path)
}

// fill writes the new file, gives it owner and mode, and makes it durable.
func (d Dir) fill(f *os.File, path string, gid int, mode fs.FileMode, write func(io.Writer) error) error {
	defer f.Close()
	owner, err := os.Stat(path)
	if err == nil {
		mode = owner.Mode().Perm()
		gid = 0
	} else if owner, err = os.Stat(d.Path); err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := Own(f, owner); err != nil {
		return err
	}
	if gid > 0 && rootOwns(owner) {
		if err := f.Chown(0, gid); err != nil {
			return err
		}
		mode |= 0o040
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// Own gives a new file the owner of another. Only root can; for all others
// their files are their own already.
func Own(f *os.File, like fs.FileInfo) error {
	st, ok := like.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

// rootOwns reports whether a file is root's, and we are root.
func rootOwns(file fs.FileInfo) bool {
	st, ok := file.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0 && os.Geteuid() == 0
}

// SyncDir makes the names in a directory durable.
func SyncDir(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
