package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds and options of the sockets we open.
const (
	// backlog is how many connections the kernel holds for us; it takes
	// net.core.somaxconn if that is less.
	backlog = 4096
	// maxPath is the longest path of a Unix socket, in bytes (unix(7)).
	maxPath = 107
)

// open opens the sockets of one ADDR: several if a host name has several
// addresses.
func open(addr string, mode uint32) ([]*listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return one(openUnix(path, mode))
	}
	if n, ok := strings.CutPrefix(addr, "fd:"); ok {
		fd, err := strconv.Atoi(n)
		if err != nil || fd < 0 {
			return nil, fmt.Errorf("address %q: fd: takes the number of a descriptor", addr)
		}
		return one(inherit(fd))
	}
	return openTCP(addr)
}

func one(l *listener, err error) ([]*listener, error) {
	if err != nil {
		return nil, err
	}
	return []*listener{l}, nil
}

// openTCP opens host:port, [v6]:port or :port.
func openTCP(addr string) ([]*listener, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: give host:port, :port, unix:/path or fd:N", addr)
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, fmt.Errorf("address %q: %q is neither a port nor a service of /etc/services", addr, service)
	}
	if host == "" {
		return one(openAny(uint16(port)))
	}
	ips, err := lookup(host)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	var all []*listener
	for _, ip := range ips {
		l, err := bindTCP(netip.AddrPortFrom(ip, uint16(port)), true)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// lookup is the addresses of a host: itself if it is one.
func lookup(host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", host)
	if err != nil {
		return nil, fmt.Errorf("find host %q: %w; an address would need no DNS at start", host, err)
	}
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return ips, nil
}

// openAny opens a port on all addresses: one socket for IPv6 and IPv4, or IPv4
// alone where the kernel has no IPv6.
func openAny(port uint16) (*listener, error) {
	l, err := bindTCP(netip.AddrPortFrom(netip.IPv6Unspecified(), port), false)
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return bindTCP(netip.AddrPortFrom(netip.IPv4Unspecified(), port), true)
	}
	return l, err
}

// bindTCP opens one socket.
func bindTCP(at netip.AddrPort, only6 bool) (*listener, error) {
	family := unix.AF_INET6
	if at.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", at, err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if family == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, btoi(only6))
	}
	if err = unix.Bind(fd, sockaddr(at)); err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen at %s: %w", at, explainBind(err))
	}
	return newListener(fd)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}

// explainBind adds what to do about it.
func explainBind(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%w; 'ss -ltnp' names the program that has it", err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w; ports below 1024 need root (then give --user) or CAP_NET_BIND_SERVICE", err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%w; this host has no such address", err)
	}
	return err
}
