package disk

import (
	"io/fs"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is an open directory. All work on files of mail is relative to one, so a
// directory that is swapped for a symbolic link between check and use changes
// nothing.
type Dir struct {
	fd   int
	path string
}

// OpenDir opens a directory by path. The last element must not be a symbolic
// link; those before it may be.
func OpenDir(path string) (*Dir, error) {
	return openDir(unix.AT_FDCWD, path, path, unix.O_NOFOLLOW)
}

// OpenDirFollow is OpenDir for a path that the administrator gave and that may
// itself be a symbolic link.
func OpenDirFollow(path string) (*Dir, error) {
	return openDir(unix.AT_FDCWD, path, path, 0)
}

// OpenDir opens a directory inside d without following a symbolic link.
func (d *Dir) OpenDir(name string) (*Dir, error) {
	path := d.path
	if name != "." {
		path = d.join(name)
	}
	return openDir(d.fd, name, path, unix.O_NOFOLLOW)
}

func openDir(at int, name, path string, flag int) (*Dir, error) {
	var fd int
	err := retry(func() (e error) {
		fd, e = unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flag, 0)
		return e
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open directory", Path: path, Err: err}
	}
	return &Dir{fd: fd, path: path}, nil
}

// Path is the name the directory was opened by, for messages to people.
func (d *Dir) Path() string { return d.path }

// Fd is the directory's descriptor, for readers that call the kernel directly.
func (d *Dir) Fd() int { return d.fd }

// ProcPath is a path to this very directory, for calls that take no descriptor. It
// needs /proc.
func (d *Dir) ProcPath() string { return "/proc/self/fd/" + strconv.Itoa(d.fd) }

// Close closes the directory.
func (d *Dir) Close() error {
	if d == nil || d.fd < 0 {
		return nil
	}
	err := unix.Close(d.fd)
	d.fd = -1
	return err
}

// Stat looks at a name without following a symbolic link.
func (d *Dir) Stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, wrap("stat", d, name, err)
}

// Written is when the bytes of a file were written, or later: when it was made, or
// last changed if that is later. Other names do not count as a change; where the
// file system does not tell when a file was made, they do.
func (d *Dir) Written(name string) (time.Time, error) {
	var st unix.Statx_t
	const mask = unix.STATX_BTIME | unix.STATX_MTIME | unix.STATX_CTIME
	err := retry(func() error { return unix.Statx(d.fd, name, unix.AT_SYMLINK_NOFOLLOW, mask, &st) })
	if err != nil {
		return time.Time{}, wrap("stat", d, name, err)
	}
	made, changed := st.Btime, time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec))
	if st.Mask&unix.STATX_BTIME == 0 {
		made = st.Ctime
	}
	if t := time.Unix(made.Sec, int64(made.Nsec)); t.After(changed) {
		return t, nil
	}
	return changed, nil
}

// SyncDataOf makes the bytes of a file durable that another program wrote. Where its
// names are is not its affair.
func (d *Dir) SyncDataOf(name string) error {
	fd, _, err := d.openRegular(name, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return wrap("sync", d, name, retry(func() error { return unix.Fdatasync(fd) }))
}

// SyncData makes all bytes durable that were written to files of d's file system.
func (d *Dir) SyncData() error {
	return wrap("sync file system of", d, "", retry(func() error { return unix.Syncfs(d.fd) }))
}

func (d *Dir) join(name string) string {
	if name == "" {
		return d.path
	}
	return d.path + "/" + name
}
