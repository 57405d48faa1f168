package main

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/ucspi"
)

// peer is who connected, to what.
type peer struct {
	tcp  ucspi.Peer
	path string      // Unix socket: where it listens
	cred *unix.Ucred // Unix socket: who connected
	// trusted says that the connection is one of a trusted proxy's own.
	trusted bool
}

// peerOf describes a connection that l accepted from sa.
func peerOf(l *listener, fd int, sa unix.Sockaddr) peer {
	if !l.tcp.IsValid() {
		cred, _ := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return peer{path: strings.TrimPrefix(l.addr, "unix:"), cred: cred}
	}
	p := peer{tcp: ucspi.Peer{Proto: "TCP", Remote: addrPort(sa), Local: l.tcp}}
	if l.tcp.Addr().IsUnspecified() {
		if sa, err := unix.Getsockname(fd); err == nil {
			p.tcp.Local = addrPort(sa)
		}
	}
	return p
}

// String is the peer for the log.
func (p peer) String() string {
	switch {
	case p.tcp.Remote.IsValid():
		return p.tcp.Remote.String()
	case p.cred != nil:
		return "uid:" + strconv.Itoa(int(p.cred.Uid))
	}
	return "local"
}

// environ is the peer in UCSPI's words; n is the connections that are open from
// his address, this one included.
func (p peer) environ(n int) []string {
	if p.tcp.Remote.IsValid() {
		return append(p.tcp.Environ(), "TCPCONNNUM="+strconv.Itoa(n))
	}
	env := []string{"PROTO=UNIX", "UNIXLOCALPATH=" + p.path}
	if p.cred == nil {
		return env
	}
	return append(env,
		"UNIXREMOTEPID="+strconv.Itoa(int(p.cred.Pid)),
		"UNIXREMOTEEUID="+strconv.Itoa(int(p.cred.Uid)),
		"UNIXREMOTEEGID="+strconv.Itoa(int(p.cred.Gid)))
}

// What describes us, not a connection, and must not reach the programs either.
var (
	staleNames    = []string{"GOMAXPROCS", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "MAINPID"}
	stalePrefixes = []string{"LISTEN_"}
)

// cleanEnviron is env without what describes somebody else's connection, or us,
// and with the one processor that a program for one connection needs.
func cleanEnviron(env []string) []string {
	clean := make([]string, 0, len(env)+1)
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); !stale(name) {
			clean = append(clean, e)
		}
	}
	return append(clean, "GOMAXPROCS=1")
}

func stale(name string) bool {
	beginsWith := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return ucspi.OfPeer(name) || slices.Contains(staleNames, name) || slices.ContainsFunc(stalePrefixes, beginsWith)
}

// hostOf is the prefix that counts as one host: /32 and /64 by default, since
// who has an IPv6 address has 2^64 of them. It is invalid for peers to whom no
// limit of this kind applies.
func hostOf(p peer, bits4, bits6 int) netip.Prefix {
	if p.trusted || !p.tcp.Remote.IsValid() {
		return netip.Prefix{}
	}
	bits := bits6
	if p.tcp.Remote.Addr().Is4() {
		bits = bits4
	}
	prefix, _ := p.tcp.Remote.Addr().Prefix(bits)
	return prefix
}
