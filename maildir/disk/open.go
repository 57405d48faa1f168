package disk

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

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
	fd, _, err := d.openRegular(name, mode)
	if err != nil {
		return nil, err
	}
	// Regular files know no O_NONBLOCK; clearing it keeps os.NewFile from
	// handing the descriptor to the poller.
	if fl, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil {
		unix.FcntlInt(uintptr(fd), unix.F_SETFL, fl&^unix.O_NONBLOCK)
	}
	return os.NewFile(uintptr(fd), d.join(name)), nil
}

// openRegular opens a regular file, and nothing else.
func (d *Dir) openRegular(name string, mode int) (fd int, size int64, err error) {
	err = retry(func() (e error) {
		fd, e = unix.Openat(d.fd, name, mode|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return e
	})
	if err != nil {
		return -1, 0, wrap("open", d, name, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		if err == nil {
			err = ErrNotRegular
		}
		return -1, 0, wrap("open", d, name, err)
	}
	return fd, st.Size, nil
}

// Reader is a regular file that is open for reading. A server opens one for each
// message that it sends: the poller and the cleanup of os.File would be only cost.
// So it must be closed, and belongs to one goroutine.
type Reader struct {
	fd   int
	size int64
	dir  *Dir
	name string
}

// OpenReader is Open for a file that is read and closed at once.
func (d *Dir) OpenReader(name string) (*Reader, error) {
	fd, size, err := d.openRegular(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return &Reader{fd, size, d, name}, nil
}

// Size is the size in bytes that the file had when it was opened.
func (r *Reader) Size() int64 { return r.size }

// Fd is the descriptor, for calls of the kernel.
func (r *Reader) Fd() int { return r.fd }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	return r.read(p, func() (int, error) { return unix.Read(r.fd, p) })
}

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(p []byte, at int64) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		n, err = r.read(p[done:], func() (int, error) { return unix.Pread(r.fd, p[done:], at+int64(done)) })
		done += n
	}
	return done, err
}

func (r *Reader) read(p []byte, call func() (int, error)) (n int, err error) {
	err = retry(func() (e error) {
		n, e = call()
		return e
	})
	switch {
	case err != nil:
		return 0, wrap("read", r.dir, r.name, err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Close closes the file. Again it does nothing.
func (r *Reader) Close() error {
	if r == nil || r.fd < 0 {
		return nil
	}
	err := unix.Close(r.fd)
	r.fd = -1
	return wrap("close", r.dir, r.name, err)
}
