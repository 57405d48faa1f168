// Package proxy reads the header of the PROXY protocol, versions 1 and 2
// (haproxy.org/download/2.8/doc/proxy-protocol.txt), by which a load balancer
// says whose connection it passes on. It never writes one.
//
// Whoever may send a header may claim any address, so the caller asks only
// peers that it trusts, and asks each of them always: a header is never guessed
// from the first bytes (section 2 of the specification).
//
// Start reading at Parse.
package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds, in bytes: a line of version 1 with its CRLF (section 2.1), and a whole
// header of version 2, whose extra fields we skip.
const (
	maxLine = 107
	MaxSize = 4096
)

// ErrIncomplete is a beginning of a header, all of it: more bytes are needed,
// and the ones at hand belong to nothing else.
var ErrIncomplete = errors.New("PROXY header is incomplete")

// Header is what the proxy says of the connection.
type Header struct {
	// Local says that there is no client to speak of: the connection is the
	// proxy's own (a health check), or of a family that has no IP address.
	// The addresses are invalid then, and the socket's own hold.
	Local               bool
	Source, Destination netip.AddrPort
}

// signature begins a header of version 2; line begins one of version 1.
var (
	signature = []byte("\r\n\r\n\x00\r\nQUIT\n")
	line      = []byte("PROXY ")
)

// Parse reads the header that b begins with and returns its length in bytes;
// what follows is the client's. The error is ErrIncomplete if b ends inside the
// header; any other means that b does not begin with a valid one.
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case begins(b, signature):
		return binaryHeader(b)
	case begins(b, line):
		return textHeader(b)
	}
	return Header{}, 0, errors.New("there is no PROXY header")
}

// begins reports whether b begins with prefix, as far as b goes.
func begins(b, prefix []byte) bool {
	n := min(len(b), len(prefix))
	return bytes.Equal(b[:n], prefix[:n])
}

// textHeader reads version 1: PROXY TCP4 source destination port port CRLF.
func textHeader(b []byte) (h Header, n int, err error) {
	end := bytes.IndexByte(b[:min(len(b), maxLine)], '\n')
	switch {
	case end < 0 && len(b) >= maxLine:
		return h, 0, errors.New("PROXY line is longer than 107 bytes")
	case end < 0:
		return h, 0, ErrIncomplete
	case b[end-1] != '\r':
		return h, 0, errors.New("PROXY line does not end in CRLF")
	}
	f := strings.Split(string(b[len(line):end-1]), " ")
	// What follows UNKNOWN is to be ignored (section 2.1).
	if f[0] == "UNKNOWN" {
		return Header{Local: true}, end + 1, nil
	}
	if len(f) != 5 || f[0] != "TCP4" && f[0] != "TCP6" {
		return h, 0, errors.New("PROXY line is not of the form TCP4 or TCP6, two addresses, two ports")
	}
	h.Source, err = addrPort(f[0], f[1], f[3])
	if err == nil {
		h.Destination, err = addrPort(f[0], f[2], f[4])
	}
	return h, end + 1, err
}

func addrPort(family, ip, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" || a.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, errors.New("address in PROXY line is not of family " + family)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(p, 10) != port {
		return netip.AddrPort{}, errors.New("port in PROXY line is not a number from 0 to 65535")
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), nil
}

// The fixed part of version 2 (section 2.2), in bytes: signature, version and
// command, family and protocol, length of the rest.
const fixed = 12 + 1 + 1 + 2

// Commands and families of version 2.
const (
	cmdLocal, cmdProxy = 0x20, 0x21
	tcp4, tcp6         = 0x11, 0x21
)

// binaryHeader reads version 2.
func binaryHeader(b []byte) (h Header, n int, err error) {
	if len(b) < fixed {
		return h, 0, ErrIncomplete
	}
	n = fixed + int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case b[12] != cmdLocal && b[12] != cmdProxy:
		return h, 0, errors.New("PROXY header has an unknown version or command")
	case n > MaxSize:
		return h, 0, errors.New("PROXY header is longer than 4096 bytes")
	case b[12] == cmdProxy && n < fixed+addresses(b[13]):
		return h, 0, errors.New("PROXY header is too short for its addresses")
	case len(b) < n:
		return h, 0, ErrIncomplete
	}
	if size := addresses(b[13]) / 2; b[12] == cmdProxy && size > 0 {
		h.Source, h.Destination = endpoints(b[fixed:], size-2)
		return h, n, nil
	}
	return Header{Local: true}, n, nil
}

// addresses is the length of a family's address block, 0 for those that have no
// IP address.
func addresses(family byte) int {
	switch family {
	case tcp4:
		return 12
	case tcp6:
		return 36
	}
	return 0
}

// endpoints reads two addresses of size bytes, then two ports.
func endpoints(b []byte, size int) (source, destination netip.AddrPort) {
	from, _ := netip.AddrFromSlice(b[:size])
	to, _ := netip.AddrFromSlice(b[size : 2*size])
	ports := b[2*size:]
	return netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(ports[2:]))
}
