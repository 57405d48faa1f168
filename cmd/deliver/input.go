package main

import (
	"io"

	"golang.org/x/sys/unix"
)

// input reads a message from a descriptor: a file, a pipe, a socket or a
// terminal, in blocking mode or not.
type input struct {
	fd int
	// beforeWait is called before each read that would have to wait.
	beforeWait func()
}

// Read waits for the next piece and returns it.
func (in *input) Read(p []byte) (int, error) {
	for {
		if !in.ready(0) {
			in.beforeWait()
			in.ready(-1)
		}
		n, err := unix.Read(in.fd, p)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// ready waits for input for so many milliseconds, or for ever if negative. What
// cannot be waited for is ready: reading will tell.
func (in *input) ready(ms int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(in.fd), Events: unix.POLLIN}}, ms)
	return n > 0 || err != nil && err != unix.EINTR
}

// checkInput refuses descriptors that can hold no message: a caller that forgot
// to connect standard input must not be told that its mail is safe.
func checkInput(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return incomplete.because("standard input: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return nil
	}
	if st.Rdev == unix.Mkdev(1, 3) {
		return incomplete.because("standard input is closed or the null device; give the message there, as in: deliver < message")
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		return incomplete.because("standard input is a terminal; give the message there, as in: deliver < message")
	}
	return nil
}
