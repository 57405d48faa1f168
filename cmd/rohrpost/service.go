package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
)

// service is one way in. argv is its program and arguments for a configuration
// directory; nil means that it is not built yet.
type service struct {
	name, address, about string
	argv                 func(etc string) []string
	// perProcess is how many connections one process may serve, one after the
	// other; 0 is one. Only where all clients are strangers and nobody logs in.
	perProcess int
}

// services are all flags of up that name an address.
var services = []service{
	{name: "smtp", address: "127.0.0.1:2525", about: "SMTP, mail from other hosts", argv: func(etc string) []string {
		return []string{"smtpd", "--etc", etc}
	}, perProcess: 100},
	{name: "submission", address: "127.0.0.1:2587", about: "submission, mail from users", argv: func(etc string) []string {
		return []string{"smtpd", "--etc", etc, "--submission", "--", "checkpw", "--etc", etc}
	}},
	{name: "lmtp", address: "off", about: "LMTP, mail from another MTA", argv: func(etc string) []string {
		return []string{"smtpd", "--etc", etc, "--lmtp"}
	}},
	{name: "pop3", address: "127.0.0.1:2110", about: "POP3", argv: func(etc string) []string {
		return []string{"pop3d", "--etc", etc, "--", "checkpw", "--etc", etc}
	}},
	{name: "imap", address: "127.0.0.1:2143", about: "IMAP", argv: func(etc string) []string {
		return []string{"imapd", "--etc", etc, "--", "checkpw", "--etc", etc}
	}},
	{name: "sieve", address: "127.0.0.1:24190", about: "ManageSieve", argv: nil},
	{name: "submissions", address: "127.0.0.1:2465", about: "submission over TLS", argv: nil},
	{name: "pop3s", address: "127.0.0.1:2995", about: "POP3 over TLS", argv: nil},
	{name: "imaps", address: "127.0.0.1:2993", about: "IMAP over TLS", argv: nil},
}

// socket is a service that listens.
type socket struct {
	service service
	addr    string // host:port with the real port, or unix:path
	// loopback says that only this machine can reach it.
	loopback bool
	file     *os.File
}

// bindAll opens the sockets of all services before anything is started, so that
// a port in use leaves nothing half running.
func bindAll(address func(string) (string, bool)) ([]*socket, error) {
	var all []*socket
	for _, s := range services {
		addr, asked := address(s.name)
		if addr == "off" {
			continue
		}
		if s.argv == nil {
			if asked {
				log.Event("service-off", "service", s.name, "reason", "it is not built yet")
			}
			continue
		}
		sock, err := bind(s, addr)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, sock)
	}
	return all, nil
}

// closeAll closes the sockets, and removes those that have a name.
func closeAll(all []*socket) {
	for _, s := range all {
		s.file.Close()
		if path, ok := strings.CutPrefix(s.addr, "unix:"); ok {
			os.Remove(path)
		}
	}
}

// bind opens one socket.
func bind(s service, addr string) (*socket, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return bindUnix(s, path)
	}
	if _, port, err := net.SplitHostPort(addr); err != nil {
		return nil, frame.Usage(fmt.Errorf("--%s %q: give host:port, unix:path or off", s.name, addr))
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		return nil, frame.Usage(fmt.Errorf("--%s %q: %q is no port; give a number from 0 to 65535", s.name, addr, port))
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("service %s at %s: %w", s.name, addr, explainBind(s.name, err))
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	a := l.Addr().(*net.TCPAddr)
	return &socket{service: s, addr: a.String(), loopback: a.IP.IsLoopback(), file: f}, err
}

// explainBind adds what to do about it.
func explainBind(name string, err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("the port is in use by another program; stop that, or give --%s another address or off", name)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("this port needs more rights; give --%s a port above 1023, or see sysctl net.ipv4.ip_unprivileged_port_start", name)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("this host does not have the address; give --%s one of its own", name)
	}
	return err
}

// bindUnix opens a Unix socket, in place of one that nobody serves any more.
func bindUnix(s service, path string) (*socket, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("service %s at unix:%s: another program serves it; stop that, or give --%s another path", s.name, path, s.name)
	} else if errors.Is(err, unix.ECONNREFUSED) {
		os.Remove(path)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("service %s at unix:%s: %w", s.name, path, err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	f, err := l.File()
	return &socket{service: s, addr: "unix:" + path, loopback: true, file: f}, err
}

// plan is what has to run: listen for each socket, and relay.
func plan(etc control.Dir, listening []*socket) ([]*job, error) {
	relay, err := frame.Libexec("relay")
	if err != nil {
		return nil, err
	}
	jobs := []*job{{name: "relay", argv: []string{relay, "--etc", etc.Path}}}
	for _, s := range listening {
		argv, err := s.argv(etc.Path)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, &job{name: "listen", service: s.service.name, argv: argv, socket: s.file})
	}
	return jobs, nil
}

// maxLocal is how many connections a service takes that only this machine can
// reach: there, one host is everybody.
const maxLocal = "1000"

// argv is listen with the service's program, each by its path. listen inherits
// the socket, so connections wait while it is started again.
func (s *socket) argv(etc string) ([]string, error) {
	listen, err := frame.Libexec("listen")
	if err != nil {
		return nil, err
	}
	argv := []string{listen, "--grace", grace.String()}
	if s.loopback {
		argv = append(argv, "--max", maxLocal, "--max-per-host", maxLocal)
	}
	if n := s.service.perProcess; n > 0 {
		argv = append(argv, "--per-process", strconv.Itoa(n))
	}
	argv = append(argv, "fd:3", "--")
	command := true
	for _, word := range s.service.argv(etc) {
		if command {
			if word, err = frame.Libexec(word); err != nil {
				return nil, err
			}
		}
		command = word == "--"
		argv = append(argv, word)
	}
	return argv, nil
}
