package disk

import (
	"io/fs"
	"os"
	"strconv"

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

// Open opens a regular file for reading. It follows no symbolic link and never
// blocks on a FIFO; anything but a regular file is an error.
func (d *Dir) Open(name string) (*os.File, error) {
	return d.open(name, unix.O_RDONLY)
}

// OpenForLock opens a regular file for reading and writing: an open file
// description lock for writing needs a descriptor that may write.
func (d *Dir) OpenForLock(name string) (*os.File, error) {
	return d.open(name, unix.O_RDWR)
}

func (d *Dir) open(name string, mode int) (*os.File, error) {
	fd, err := d.openRegular(name, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), d.join(name)), nil
}

// openRegular opens a regular file, and nothing else.
func (d *Dir) openRegular(name string, mode int) (int, error) {
	var fd int
	err := retry(func() (e error) {
		fd, e = unix.Openat(d.fd, name, mode|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return e
	})
	if err != nil {
		return -1, wrap("open", d, name, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		if err == nil {
			err = ErrNotRegular
		}
		return -1, wrap("open", d, name, err)
	}
	// Regular files know no O_NONBLOCK; clearing it keeps os.NewFile from
	// handing the descriptor to the poller.
	if fl, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil {
		unix.FcntlInt(uintptr(fd), unix.F_SETFL, fl&^unix.O_NONBLOCK)
	}
	return fd, nil
}

func (d *Dir) join(name string) string {
	if name == "" {
		return d.path
	}
	return d.path + "/" + name
}
