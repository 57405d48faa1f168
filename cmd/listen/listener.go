package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// listener is one listening socket.
type listener struct {
	file *os.File // in the runtime's poller: waiting takes no thread
	// addr is where it listens: host:port or unix:path.
	addr string
	// tcp is its address, and the local one of each connection if it is not
	// the unspecified one; invalid for Unix sockets.
	tcp           netip.AddrPort
	path          string // of a Unix socket that we made
	inode, device uint64
}

// newListener takes over a listening socket.
func newListener(fd int) (*listener, error) {
	l := &listener{}
	if err := l.describe(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	// Several programs may share this socket; whoever comes second to a
	// connection must not hang in accept.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	if l.tcp.IsValid() {
		// Connections inherit both. Our programs write each answer at once,
		// so there is nothing for Nagle's algorithm to gather.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
	l.file = os.NewFile(uintptr(fd), l.addr)
	return l, nil
}

// describe finds out what the socket is.
func (l *listener) describe(fd int) error {
	if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || n == 0 {
		return fmt.Errorf("descriptor %d is not a listening socket; who starts listen has to open it", fd)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		l.addr = "unix:" + u.Name
		var st unix.Stat_t
		if unix.Lstat(u.Name, &st) == nil {
			l.inode, l.device = st.Ino, st.Dev
		}
		return nil
	}
	if l.tcp = addrPort(sa); !l.tcp.IsValid() {
		return fmt.Errorf("descriptor %d is neither a TCP nor a Unix socket", fd)
	}
	l.addr = l.tcp.String()
	return nil
}

// addrPort is an address of the Internet, IPv4 as IPv4; any other is invalid.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// errTurnedAway is a connection that was refused because there was no
// descriptor for it.
var errTurnedAway = errors.New("connection turned away")

// accept waits for a connection. The new descriptor blocks, as programs expect
// of the one they inherit, and is closed on exec. If there is none to be had,
// turnAway is called with the socket, and the error is errTurnedAway if it could
// refuse somebody. The error is os.ErrDeadlineExceeded after stop.
func (l *listener) accept(turnAway func(socket int) error) (fd int, sa unix.Sockaddr, err error) {
	raw, err := l.file.SyscallConn()
	if err != nil {
		return -1, nil, err
	}
	var failed error
	err = raw.Read(func(s uintptr) bool {
		fd, sa, failed = unix.Accept4(int(s), unix.SOCK_CLOEXEC)
		if exhausted(failed) {
			// The kernel takes a descriptor before it looks whether anybody
			// is there; only turnAway finds out.
			switch e := turnAway(int(s)); e {
			case nil:
				failed = fmt.Errorf("%w: %w", errTurnedAway, failed)
			case unix.EAGAIN:
				failed = e
			}
		}
		return failed != unix.EAGAIN
	})
	if err == nil {
		err = failed
	}
	return fd, sa, err
}

// stop ends accept, now and from now on. The socket stays as it is: others may
// hold it.
func (l *listener) stop() { l.file.SetReadDeadline(time.Unix(1, 0)) }

// close gives the socket up. If nobody else holds it, connections are refused
// from now on instead of waiting for nobody.
func (l *listener) close() {
	l.removeOwn()
	l.file.Close()
}

func closeAll(all []*listener) {
	for _, l := range all {
		l.close()
	}
}

// firstPassed is the first descriptor of sd_listen_fds(3).
const firstPassed = 3

// passed takes over the sockets that a supervisor opened for us: LISTEN_FDS of
// them if LISTEN_PID is our pid. A stale LISTEN_FDS is somebody else's.
func passed() ([]*listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > 1000 {
		return nil, fmt.Errorf("environment LISTEN_FDS is %q, not a number of sockets", os.Getenv("LISTEN_FDS"))
	}
	var all []*listener
	for fd := firstPassed; fd < firstPassed+n; fd++ {
		l, err := inherit(fd)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// inherit takes over a socket by a descriptor of its own, so that one that is
// named twice is none the worse.
func inherit(fd int) (*listener, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstPassed)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w; who starts listen has to open it", fd, err)
	}
	l, err := newListener(dup)
	if err != nil {
		return nil, fmt.Errorf("inherit descriptor %d: %w", fd, err)
	}
	return l, nil
}

// temporary reports whether an error of accept(2) concerns the one connection
// (the network's errors come through it on Linux), so that the next may be had
// at once.
func temporary(err error) bool {
	for _, e := range []unix.Errno{
		unix.ECONNABORTED, unix.EINTR, unix.EPROTO, unix.EPERM, unix.ENETDOWN, unix.ENOPROTOOPT,
		unix.EHOSTDOWN, unix.ENONET, unix.EHOSTUNREACH, unix.EOPNOTSUPP, unix.ENETUNREACH, unix.ETIMEDOUT,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// exhausted reports whether an error of accept(2) says that we, or the host,
// are out of something.
func exhausted(err error) bool {
	for _, e := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
