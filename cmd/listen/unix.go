package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openUnix opens a Unix socket at a path, in place of one that nobody serves
// any more. Nobody can connect before it has its mode.
func openUnix(path string, mode uint32) (*listener, error) {
	if path == "" || len(path) > maxPath {
		return nil, fmt.Errorf("socket %q: the path must have between 1 and %d bytes", path, maxPath)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	old := unix.Umask(0o777)
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	unix.Umask(old)
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err == nil {
		err = unix.Chmod(path, mode)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("socket %s: %w", path, explainUnix(path, err))
	}
	l, err := newListener(fd)
	if err == nil {
		l.path = path
	}
	return l, err
}

// removeStale removes a socket to which nobody listens. It removes nothing else:
// a file in the way, or a socket that is served, is an error.
func removeStale(path string) error {
	var st unix.Stat_t
	switch err := unix.Lstat(path, &st); {
	case errors.Is(err, unix.ENOENT):
		return nil
	case err != nil:
		return fmt.Errorf("socket %s: %w", path, explainUnix(path, err))
	case st.Mode&unix.S_IFMT != unix.S_IFSOCK:
		return fmt.Errorf("socket %s: there is something else of that name; move it away or give another path", path)
	}
	if !refused(path) {
		return fmt.Errorf("socket %s: another program serves it; stop that or give another path", path)
	}
	if err := unix.Unlink(path); err != nil {
		return fmt.Errorf("socket %s: remove the stale one: %w", path, err)
	}
	return nil
}

// refused reports whether a connection to the socket is refused: its owner has
// gone. Any other answer may come from a program that is merely busy.
func refused(path string) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return errors.Is(unix.Connect(fd, &unix.SockaddrUnix{Name: path}), unix.ECONNREFUSED)
}

func explainUnix(path string, err error) error {
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w; make the directory %s first", err, filepath.Dir(path))
	}
	return err
}

// removeOwn removes the socket file at the end, if it is still the one we made.
// It may fail after we have become somebody else; the next start sees to it.
func (l *listener) removeOwn() {
	var st unix.Stat_t
	if l.path != "" && unix.Lstat(l.path, &st) == nil && st.Ino == l.inode && st.Dev == l.device {
		unix.Unlink(l.path)
	}
}
