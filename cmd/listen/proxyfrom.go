package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
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

// proxied handles a connection of one who has to send a header: it has the
// header's addresses. Without a valid header it is closed without a word:
// whoever is at the other end is not what we speak with.
//
// Waiting is the runtime's poller's, so proxies that say nothing cost us no
// threads; the descriptor blocks again when it is done.
func (s *server) proxied(fd int, p peer) {
	unix.SetNonblock(fd, true)
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close()
	h, err := readHeader(f, proxyWait)
	unix.SetNonblock(fd, false)
	if err != nil {
		s.leave(netip.Prefix{})
		s.count.add(&s.count.refused[reasonProxy])
		s.quiet.event(s.log, "refused", "peer", p, "reason", reasonNames[reasonProxy], "err", err)
		return
	}
	p.passedOn(h)
	s.session(fd, p)
}

// passedOn makes p the client of whom the header tells.
func (p *peer) passedOn(h proxy.Header) {
	if h.Local {
		p.trusted = true
		return
	}
	p.path, p.cred = "", nil
	p.tcp.Proto, p.tcp.Remote, p.tcp.Local = "TCP", h.Source, h.Destination
}

// readHeader takes a header off a socket within a time.
func readHeader(f *os.File, wait time.Duration) (proxy.Header, error) {
	raw, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Now().Add(wait))
	}
	if err != nil {
		return proxy.Header{}, err
	}
	var t taker
	if err := raw.Read(func(fd uintptr) bool { return t.step(int(fd)) }); err != nil {
		return proxy.Header{}, fmt.Errorf("read PROXY header: %w", err)
	}
	return t.header, t.err
}

// taker takes a header off a socket in steps, and not one byte of what follows:
// it peeks, and takes only what the parser says is the header's.
type taker struct {
	buf    [proxy.MaxSize]byte
	have   int
	header proxy.Header
	err    error
}

// step takes what there is. It reports whether the header is complete, or can
// never be.
func (t *taker) step(fd int) (done bool) {
	for {
		n, _, err := unix.Recvfrom(fd, t.buf[t.have:], unix.MSG_PEEK)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false
		case err != nil:
			t.err = fmt.Errorf("read PROXY header: %w", err)
			return true
		case n == 0:
			t.err = errors.New("the connection was closed within the PROXY header")
			return true
		}
		h, size, err := proxy.Parse(t.buf[:t.have+n])
		if err == nil {
			n = size - t.have
		} else if err != proxy.ErrIncomplete {
			t.err = err
			return true
		}
		// These bytes are there: this read cannot come short.
		unix.Read(fd, t.buf[t.have:t.have+n])
		if t.have += n; err == nil {
			t.header = h
			return true
		}
	}
}
