package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tellReady says that all sockets listen and the program can be started: on the
// descriptor of --notify, as s6 and rohrpost up want it, and to systemd.
func tellReady(fd int, all []*listener) error {
	if fd >= 0 {
		addrs := make([]string, len(all))
		for i, l := range all {
			addrs[i] = l.addr
		}
		_, err := unix.Write(fd, []byte(strings.Join(addrs, " ")+"\n"))
		if err != nil {
			return fmt.Errorf("--notify %d: %w; who starts listen has to open that descriptor", fd, err)
		}
		unix.Close(fd)
	}
	return notifySystemd("READY=1")
}

// notifySystemd sends a state to the socket of sd_notify(3), if there is one.
func notifySystemd(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	// A leading @ means the abstract namespace to both of them.
	if err := unix.Sendto(fd, []byte(state), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("notify %s: %w", path, err)
	}
	return nil
}
