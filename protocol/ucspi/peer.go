package ucspi

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Peer is who is at the other end, as the UCSPI environment or the socket says.
type Peer struct {
	Proto      string // "TCP", "UNIX" or "" for a peer known to be local
	Remote     netip.AddrPort
	Local      netip.AddrPort
	RemoteHost string // lower case, "" if unknown; comes from DNS, so from a stranger
	LocalHost  string
	RemoteInfo string // ident's answer or a login; attacker text
	TLS        bool   // the bytes come out of TLS that somebody else terminated
}

// IsLocal reports whether the bytes cannot have crossed a network: no address,
// or a loopback address on both ends.
func (p Peer) IsLocal() bool {
	return !p.Remote.IsValid() || p.Remote.Addr().Unmap().IsLoopback()
}

// RemoteIP is the peer's address as text, "" if it is local without one.
func (p Peer) RemoteIP() string {
	if !p.Remote.IsValid() {
		return ""
	}
	return p.Remote.Addr().Unmap().String()
}

// PeerOf finds out who is at the other end of descriptor fd: from ${PROTO}REMOTEIP
// and its sisters, else from systemd's REMOTE_ADDR, else from the socket itself,
// else the peer is local. getenv is os.Getenv outside tests.
func PeerOf(getenv func(string) string, fd int) Peer {
	p := Peer{Proto: getenv("PROTO"), TLS: getenv("SSL_PROTOCOL") != "" || getenv("TLS_PROTOCOL") != ""}
	get := func(name string) string {
		if p.Proto != "" {
			if v := getenv(p.Proto + name); v != "" {
				return v
			}
		}
		return getenv("TCP" + name)
	}
	p.Remote = addrPort(get("REMOTEIP"), get("REMOTEPORT"))
	p.Local = addrPort(get("LOCALIP"), get("LOCALPORT"))
	p.RemoteHost = strings.ToLower(get("REMOTEHOST"))
	p.LocalHost = strings.ToLower(get("LOCALHOST"))
	p.RemoteInfo = get("REMOTEINFO")
	if !p.Remote.IsValid() {
		p.Remote = addrPort(getenv("REMOTE_ADDR"), getenv("REMOTE_PORT"))
	}
	if !p.Remote.IsValid() && p.Proto != "UNIX" && p.Proto != "IPC" {
		p.fromSocket(fd)
	}
	if p.Proto == "" && p.Remote.IsValid() {
		p.Proto = "TCP"
	}
	return p
}

func (p *Peer) fromSocket(fd int) {
	if sa, err := unix.Getpeername(fd); err == nil {
		p.Remote = sockaddr(sa)
	}
	if sa, err := unix.Getsockname(fd); err == nil {
		p.Local = sockaddr(sa)
	}
}

func sockaddr(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

func addrPort(ip, port string) netip.AddrPort {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.AddrPort{}
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a.Unmap(), uint16(n))
}

// Environ is the peer in UCSPI's words, for programs we start: inetd sets none
// of them, and a filter should not have to care.
func (p Peer) Environ() []string {
	if !p.Remote.IsValid() {
		return nil
	}
	env := []string{"PROTO=TCP",
		"TCPREMOTEIP=" + p.RemoteIP(), "TCPREMOTEPORT=" + strconv.Itoa(int(p.Remote.Port()))}
	if p.Local.IsValid() {
		env = append(env, "TCPLOCALIP="+p.Local.Addr().Unmap().String(),
			"TCPLOCALPORT="+strconv.Itoa(int(p.Local.Port())))
	}
	if p.RemoteHost != "" {
		env = append(env, "TCPREMOTEHOST="+p.RemoteHost)
	}
	return env
}
