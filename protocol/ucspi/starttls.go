package ucspi

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// An Offer is a TLS wrapper that waits to be asked, by the UCSPI-TLS convention:
// SSLCTLFD, SSLREADFD and SSLWRITEFD in the environment. The wrapper holds the
// key and does the handshake; we hold descriptors.
type Offer struct{ ctl, read, write int }

// offerEnv are the variables of the convention.
var offerEnv = [...]string{"SSLCTLFD", "SSLREADFD", "SSLWRITEFD"}

// maxTLSEnv bounds what a wrapper tells about a handshake, in bytes.
const maxTLSEnv = 64 << 10

// handshakeTimeout bounds the wait for a handshake.
const handshakeTimeout = 60 * time.Second

// ErrEarly is a client that sent something behind the command that starts TLS,
// or before it was told to go ahead. It was sent without protection and must
// not be taken for a part of what comes protected (CVE-2011-0411).
var ErrEarly = errors.New("client sent plain text behind the command that starts TLS")

// TLSOffer is the wrapper's offer, if there is one.
func TLSOffer(getenv func(string) string) (Offer, bool) {
	var fd [len(offerEnv)]int
	for i, name := range offerEnv {
		n, err := strconv.Atoi(getenv(name))
		if err != nil || n < 3 {
			return Offer{}, false
		}
		if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != nil {
			return Offer{}, false
		}
		fd[i] = n
	}
	return Offer{ctl: fd[0], read: fd[1], write: fd[2]}, true
}

// Start asks for the handshake and waits for its end. Then descriptors 0 and 1
// carry what comes out of TLS and goes into it, the wrapper's own descriptors
// are closed, and the environment has what it tells of the handshake in place of
// the offer. Nothing must have been read ahead from descriptor 0, which is never
// read again; call Pending before the client is told to go ahead.
func (o Offer) Start() error {
	if _, err := unix.Write(o.ctl, []byte{'Y'}); err != nil {
		return os.NewSyscallError("ask for TLS", err)
	}
	told, err := o.wait()
	if err != nil {
		return err
	}
	for _, d := range [][2]int{{o.read, 0}, {o.write, 1}} {
		if err := unix.Dup2(d[0], d[1]); err != nil {
			return os.NewSyscallError("dup2", err)
		}
	}
	unix.Close(o.ctl)
	unix.Close(o.read)
	if o.write != o.read {
		unix.Close(o.write)
	}
	for _, name := range offerEnv {
		os.Unsetenv(name)
	}
	for _, s := range told {
		if name, value, ok := bytes.Cut(s, []byte{'='}); ok && len(name) > 0 {
			os.Setenv(string(name), string(value))
		}
	}
	return nil
}

// wait reads what the wrapper tells: NAME=VALUE strings, each ended by a NUL,
// and one more NUL.
func (o Offer) wait() ([][]byte, error) {
	c := Conn{ReadTimeout: handshakeTimeout, in: o.ctl}
	var told []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		told = append(told, buf[:n]...)
		if told[0] == 0 {
			return nil, nil
		}
		if bytes.HasSuffix(told, []byte{0, 0}) {
			return bytes.Split(told[:len(told)-2], []byte{0}), nil
		}
		if len(told) > maxTLSEnv {
			return nil, fmt.Errorf("TLS handshake: wrapper tells more than %d bytes", maxTLSEnv)
		}
	}
}

// Pending reports whether the peer has sent something that was not read yet, or
// has closed its side.
func (c *Conn) Pending() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.in), Events: unix.POLLIN}}, 0)
	return n > 0 || err != nil
}
