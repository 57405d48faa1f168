// Package ucspi is the conversation a per-connection program inherits: bytes on
// two descriptors, and who is at the other end.
//
// Under tcpserver, s6, systemd and inetd descriptor 0 is a socket; behind a TLS
// wrapper it is a pipe; in a test it is a file. All of them work the same way
// here, deadlines included, and without changing the descriptor's flags, which
// other processes share: each read waits in poll(2) first.
//
// Start reading at Conn; Peer says who is at the other end.
package ucspi

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrTimeout is a wait for the peer that took too long.
var ErrTimeout = os.ErrDeadlineExceeded

// ErrInterrupted is a read that Interrupt ended. Nothing was read.
var ErrInterrupted = errors.New("interrupted")

// ErrTooSlow is a peer that sends, but below Conn.MinRate.
var ErrTooSlow = errors.New("peer sends too slowly")

// pipeBuf is what a pipe that poll calls writable takes without blocking
// (PIPE_BUF on Linux, in bytes).
const pipeBuf = 4096

// Conn is one connection over a pair of descriptors. It is not safe for use by
// two readers or two writers at once.
type Conn struct {
	ReadTimeout  time.Duration // for each read; 0 waits for ever
	WriteTimeout time.Duration // for each write to make some progress
	Deadline     time.Time     // for the whole session; zero means none
	// MinRate, if not 0, is the least number of bytes per second a peer must
	// send, averaged over RateWindow.
	MinRate    int
	RateWindow time.Duration
	// Interruptible says that Interrupt may end a read. A server sets it while
	// it waits for a command, and not while it is in the middle of one.
	Interruptible bool
	// OnWait, if set, runs once, when a read has waited for Patience: the place
	// for what is not worth its cost while the peer is quick.
	OnWait   func()
	Patience time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	in, out   int
	wake      int // an eventfd, or -1
	inSocket  bool
	outSocket bool
	window    time.Time // start of the current rate window
	inWindow  int       // bytes read in it
}

// Stdio is the connection on descriptors 0 and 1.
func Stdio() *Conn { return New(0, 1) }

// New makes a connection of two descriptors, which may be the same. It does not
// own them.
func New(in, out int) *Conn {
	return &Conn{in: in, out: out, wake: -1, inSocket: isSocket(in), outSocket: isSocket(out)}
}

func isSocket(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}

// InFd and OutFd are the descriptors.
func (c *Conn) InFd() int  { return c.in }
func (c *Conn) OutFd() int { return c.out }

// EnableInterrupt makes Interrupt work, at the price of one descriptor.
func (c *Conn) EnableInterrupt() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	c.wake = fd
	return nil
}

// Interrupt ends the read that waits, and each one after it, with ErrInterrupted
// as long as Interruptible is set. Any goroutine may call it.
func (c *Conn) Interrupt() {
	if c.wake >= 0 {
		unix.Write(c.wake, []byte{1, 1, 1, 1, 1, 1, 1, 1}) // any number but 0
	}
}

// ReadableWithin reports whether input, or its end, comes within d. It reads
// nothing.
func (c *Conn) ReadableWithin(d time.Duration) (bool, error) {
	switch err := c.wait(c.in, unix.POLLIN, d); err {
	case nil:
		return true, nil
	case ErrTimeout:
		return false, nil
	default:
		return false, err
	}
}

// Read waits for the peer at most ReadTimeout and returns what there is.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := c.wait(c.in, unix.POLLIN, c.ReadTimeout); err != nil {
			return 0, err
		}
		n, err := unix.Read(c.in, p)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, c.pace(n)
	}
}

// pace holds the peer to MinRate. Only full windows count, so a short message
// on a slow line is never too slow.
func (c *Conn) pace(n int) error {
	if c.MinRate == 0 {
		c.window = time.Time{}
		return nil
	}
	now := c.now()
	if c.window.IsZero() {
		c.window, c.inWindow = now, 0
	}
	c.inWindow += n
	if d := now.Sub(c.window); d >= c.RateWindow {
		if float64(c.inWindow) < float64(c.MinRate)*d.Seconds() {
			return ErrTooSlow
		}
		c.window, c.inWindow = now, 0
	}
	return nil
}

// ReadLineBytes reads like Read but never past the first LF, so that whoever
// takes over the descriptors next finds all the rest there. On sockets it peeks
// first; elsewhere it reads one byte at a time.
func (c *Conn) ReadLineBytes(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !c.inSocket {
		return c.Read(p[:1])
	}
	for {
		if err := c.wait(c.in, unix.POLLIN, c.ReadTimeout); err != nil {
			return 0, err
		}
		n, _, err := unix.Recvfrom(c.in, p, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			continue
		case err != nil:
			return 0, os.NewSyscallError("recv", err)
		case n == 0:
			return 0, io.EOF
		}
		for i, b := range p[:n] {
			if b == '\n' {
				n = i + 1
				break
			}
		}
		return c.Read(p[:n])
	}
}

// Write writes all of p. Each step must make progress within WriteTimeout. A socket
// is tried first and waited for only if it is full; a pipe has to be asked before.
func (c *Conn) Write(p []byte) (int, error) {
	done, full := 0, !c.outSocket
	for done < len(p) {
		if full {
			if err := c.wait(c.out, unix.POLLOUT, c.WriteTimeout); err != nil {
				return done, err
			}
		}
		n, err := c.writeSome(p[done:])
		full = !c.outSocket || err == unix.EAGAIN
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		if err != nil {
			return done, os.NewSyscallError("write", err)
		}
		done += n
	}
	return done, nil
}

// writeSome writes what fits without blocking.
func (c *Conn) writeSome(p []byte) (int, error) {
	if c.outSocket {
		return unix.SendmsgN(c.out, p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	return unix.Write(c.out, p[:min(len(p), pipeBuf)])
}

// wait waits until fd is ready. Plain files always are.
func (c *Conn) wait(fd int, event int16, timeout time.Duration) error {
	end := c.Deadline
	if timeout > 0 {
		if t := c.now().Add(timeout); end.IsZero() || t.Before(end) {
			end = t
		}
	}
	for {
		ms := -1
		if !end.IsZero() {
			left := end.Sub(c.now())
			if left <= 0 {
				return ErrTimeout
			}
			ms = int(min(left, time.Hour)/time.Millisecond) + 1
		}
		patient := c.OnWait != nil && event == unix.POLLIN
		if p := int(c.Patience / time.Millisecond); patient && (ms < 0 || p < ms) {
			ms = p
		}
		// A negative descriptor is ignored by poll.
		fds := [2]unix.PollFd{{Fd: int32(fd), Events: event}, {Fd: -1, Events: unix.POLLIN}}
		if c.Interruptible && event == unix.POLLIN {
			fds[1].Fd = int32(c.wake)
		}
		n, err := unix.Poll(fds[:], ms)
		switch {
		case err != nil && err != unix.EINTR:
			return os.NewSyscallError("poll", err)
		case n > 0 && fds[1].Revents != 0:
			return ErrInterrupted
		case n > 0:
			return nil
		case patient && err == nil:
			do := c.OnWait
			c.OnWait = nil
			do()
		}
	}
}

func (c *Conn) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// WaitReadable waits until the peer has sent something or closed its side, until the
// descriptor other (-1 for none) is readable, or until timeout has passed, and
// reports whether it was the peer. It reads nothing.
func (c *Conn) WaitReadable(other int, timeout time.Duration) (own bool, err error) {
	end := c.now().Add(timeout)
	for {
		left := max(end.Sub(c.now()), 0)
		fds := [2]unix.PollFd{{Fd: int32(c.in), Events: unix.POLLIN}, {Fd: int32(other), Events: unix.POLLIN}}
		n, err := unix.Poll(fds[:], int(left/time.Millisecond))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false, os.NewSyscallError("poll", err)
		default:
			return n > 0 && fds[0].Revents != 0, nil
		}
	}
}
