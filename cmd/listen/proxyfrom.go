package main

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/proxy"
)

// proxyWait is how long a proxy may take for its header. It is one hop away and
// sends it first of all.
const proxyWait = 5 * time.Second

// trusted is who sends a PROXY header, and so may claim any address.
type trusted struct {
	prefixes []netip.Prefix
	unix     bool
}

// parseTrusted reads --proxy-from: addresses and CIDR prefixes, and the word
// unix for all Unix sockets.
func parseTrusted(list []string) (t trusted, err error) {
	for _, word := range list {
		if word == "unix" {
			t.unix = true
			continue
		}
		p, err := netip.ParsePrefix(word)
		if a, e := netip.ParseAddr(word); e == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			return t, fmt.Errorf("--proxy-from %q: give an address, a prefix such as 10.0.0.0/8, or unix", word)
		}
		if p.Addr().Is4In6() {
			return t, fmt.Errorf("--proxy-from %q: write the IPv4 prefix as IPv4", word)
		}
		t.prefixes = append(t.prefixes, p.Masked())
	}
	return t, nil
}

// sends reports whether the peer has to send a header.
func (t trusted) sends(p peer) bool {
	if !p.tcp.Remote.IsValid() {
		return t.unix
	}
	for _, prefix := range t.prefixes {
		if prefix.Contains(p.tcp.Remote.Addr()) {
			return true
		}
	}
	return false
}

// readProxy reads the header and puts its addresses into p. It reports false if
// the connection must be closed without a word: whoever is at the other end is
// not what we speak with.
func (s *server) readProxy(fd int, p *peer) bool {
	h, err := readHeader(fd, s.now().Add(proxyWait), s.now)
	if err != nil {
		s.count.add(&s.count.refused[reasonProxy])
		s.quiet.event(s.log, "refused", "peer", *p, "reason", reasonNames[reasonProxy], "err", err)
		return false
	}
	if h.Local {
		p.trusted = true
		return true
	}
	p.proxied, p.path, p.cred = true, "", nil
	p.tcp.Proto, p.tcp.Remote, p.tcp.Local = "TCP", h.Source, h.Destination
	return true
}

// readHeader takes a header off the socket, and not one byte of what follows: it
// peeks, and takes only what the parser says is the header's.
func readHeader(fd int, deadline time.Time, now func() time.Time) (proxy.Header, error) {
	var buf [proxy.MaxSize]byte
	have := 0
	for {
		n, err := peek(fd, buf[have:], deadline.Sub(now()))
		if err != nil {
			return proxy.Header{}, fmt.Errorf("read PROXY header: %w", err)
		}
		h, size, err := proxy.Parse(buf[:have+n])
		if err != nil && err != proxy.ErrIncomplete {
			return h, err
		}
		take := n
		if err == nil {
			take = size - have
		}
		if _, err := unix.Read(fd, buf[have:have+take]); err != nil {
			return h, fmt.Errorf("read PROXY header: %w", err)
		}
		have += take
		if err == nil {
			return h, nil
		}
	}
}

// peek waits for bytes and looks at them.
func peek(fd int, p []byte, wait time.Duration) (int, error) {
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(wait/time.Millisecond))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case ready == 0 || wait <= 0:
			return 0, fmt.Errorf("it did not come within %v", proxyWait)
		}
		n, _, err := unix.Recvfrom(fd, p, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if err == nil && n == 0 {
			return 0, fmt.Errorf("the connection was closed")
		}
		if err != unix.EINTR && err != unix.EAGAIN {
			return n, err
		}
	}
}
