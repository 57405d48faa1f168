// Package disk is the one door through which files of mail come into being,
// get other names, vanish and become durable.
//
// Everything that changes a Maildir or a queue goes through FS, so that a test
// can record the steps, lose those that were not synced, and look at what a
// power cut would have left (package disktest). Reading needs no such door:
// directories are opened as Dir, and files are opened relative to one, never by
// a path that somebody could redirect in between.
//
// Start reading at FS, then Publish, which is the order of steps that every
// delivery takes.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// FS is every change that is ever made to files of mail. Names are single path
// elements, relative to an open directory. Errors wrap the system's error
// number, so errors.Is works with fs.ErrExist, unix.ENOSPC and the like.
type FS interface {
	// Mkdir makes a directory with mode 0700, whatever the umask.
	Mkdir(d *Dir, name string) error
	// Create makes a file that did not exist, mode 0600, whatever the umask.
	Create(d *Dir, name string) (File, error)
	// Append opens a regular file that exists; what is written goes to its end.
	// Only what readers understand while it grows is changed so: a message never.
	Append(d *Dir, name string) (File, error)
	// Touch sets the times of a file's last change and last reading.
	Touch(d *Dir, name string, t time.Time) error
	// Link gives the file a second name that did not exist.
	Link(from *Dir, old string, to *Dir, new string) error
	// Rename moves a file, replacing what bore the new name.
	Rename(from *Dir, old string, to *Dir, new string) error
	// RenameNew moves a file and fails with EEXIST if the new name is taken.
	RenameNew(from *Dir, old string, to *Dir, new string) error
	// Remove removes a file.
	Remove(d *Dir, name string) error
	// RemoveDir removes an empty directory.
	RemoveDir(d *Dir, name string) error
	// SyncDir makes all earlier changes of the names in d durable.
	SyncDir(d *Dir) error
}

// File is a file being written. A failed Sync is final: the kernel may have
// dropped the pages, and a second Sync can lie. Discard the file.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// OS is the real file system.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Mkdir(d *Dir, name string) error {
	err := retry(func() error { return unix.Mkdirat(d.fd, name, 0o700) })
	if err != nil {
		return wrap("mkdir", d, name, err)
	}
	// A umask of 0777 would leave a directory that we ourselves cannot open.
	if st, err := d.Stat(name); err != nil || st.Mode&0o777 == 0o700 {
		return err
	}
	return wrap("chmod", d, name, retry(func() error { return unix.Fchmodat(d.fd, name, 0o700, 0) }))
}

func (osFS) Create(d *Dir, name string) (File, error) {
	var fd int
	err := retry(func() (e error) {
		fd, e = unix.Openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return e
	})
	if err != nil {
		return nil, wrap("create", d, name, err)
	}
	// A umask of 0777 would leave a message that nobody can read.
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err == nil && st.Mode&0o777 != 0o600 {
		if err := unix.Fchmod(fd, 0o600); err != nil {
			unix.Close(fd)
			return nil, wrap("chmod", d, name, err)
		}
	}
	return &file{fd: fd, dir: d, name: name}, nil
}

func (osFS) Append(d *Dir, name string) (File, error) {
	fd, _, err := d.openRegular(name, unix.O_WRONLY|unix.O_APPEND)
	if err != nil {
		return nil, err
	}
	return &file{fd: fd, dir: d, name: name}, nil
}

func (osFS) Touch(d *Dir, name string, t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return wrap("touch", d, name, retry(func() error {
		return unix.UtimesNanoAt(d.fd, name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	}))
}

func (osFS) Link(from *Dir, old string, to *Dir, new string) error {
	return wrap2("link", from, old, to, new, retry(func() error { return unix.Linkat(from.fd, old, to.fd, new, 0) }))
}

func (osFS) Rename(from *Dir, old string, to *Dir, new string) error {
	return wrap2("rename", from, old, to, new, retry(func() error { return unix.Renameat(from.fd, old, to.fd, new) }))
}

func (osFS) RenameNew(from *Dir, old string, to *Dir, new string) error {
	return wrap2("rename", from, old, to, new, retry(func() error {
		return unix.Renameat2(from.fd, old, to.fd, new, unix.RENAME_NOREPLACE)
	}))
}

func (osFS) Remove(d *Dir, name string) error {
	return wrap("remove", d, name, retry(func() error { return unix.Unlinkat(d.fd, name, 0) }))
}

func (osFS) RemoveDir(d *Dir, name string) error {
	return wrap("remove", d, name, retry(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) }))
}

func (osFS) SyncDir(d *Dir) error {
	err := retry(func() error { return unix.Fsync(d.fd) })
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		// Some FUSE file systems cannot sync a directory at all. Their users
		// know; refusing all mail would not make it safer.
		return nil
	}
	return wrap("sync", d, "", err)
}

// file writes straight to a descriptor: a delivery is one stream written once,
// and the poller and finalizer of os.File are only cost here.
type file struct {
	fd   int
	dir  *Dir
	name string
}

func (f *file) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := unix.Write(f.fd, p[done:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return done, wrap("write", f.dir, f.name, err)
		}
		if n <= 0 {
			return done, wrap("write", f.dir, f.name, io.ErrShortWrite)
		}
		done += n
	}
	return done, nil
}

func (f *file) Sync() error {
	return wrap("sync", f.dir, f.name, retry(func() error { return unix.Fsync(f.fd) }))
}

func (f *file) Close() error {
	if f.fd < 0 {
		return nil
	}
	err := unix.Close(f.fd)
	f.fd = -1
	return wrap("close", f.dir, f.name, err)
}

// Fd is the descriptor, for locks and in-kernel copies.
func (f *file) Fd() int { return f.fd }

func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func wrap(op string, d *Dir, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: d.join(name), Err: err}
}

func wrap2(op string, from *Dir, old string, to *Dir, new string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s to %s: %w", op, from.join(old), to.join(new), err)
}
