package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/protocol/ucspi"
)

// handed is smtpd with the other end of its socket in our hands, as listen has it.
type handed struct {
	t    *testing.T
	next int
	log  *strings.Builder
	wait func() error
	pid  int
}

// startHanded starts smtpd with a first connection, which it returns.
func startHanded(t *testing.T, h host, args ...string) (*handed, net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	client, server := pair(t)
	theirs := os.NewFile(uintptr(fds[1]), "next")
	d := &handed{t: t, next: fds[0], log: &strings.Builder{}}
	t.Cleanup(func() { unix.Close(fds[0]) })
	cmd := progtest.Command(t, append(h.env(), ucspi.NextSetting(3)), "smtpd", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = server, server, d.log
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	server.Close()
	d.wait, d.pid = cmd.Wait, cmd.Process.Pid
	return d, client
}

// pair is a connection: the client's end, and the program's.
func pair(t *testing.T) (net.Conn, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "client")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c, os.NewFile(uintptr(fds[1]), "server")
}

// done waits until the program says that it is done with a connection; false if
// it has ended instead.
func (d *handed) done() bool {
	d.t.Helper()
	var b [8]byte
	n, err := unix.Read(d.next, b[:])
	return n == 1 && err == nil
}

// give hands the program a connection from this address.
func (d *handed) give(ip string) net.Conn {
	d.t.Helper()
	client, server := pair(d.t)
	defer server.Close()
	env := []string{"PROTO=TCP", "TCPREMOTEIP=" + ip, "TCPREMOTEPORT=1", "TCPLOCALIP=192.0.2.1", "TCPLOCALPORT=25"}
	if err := ucspi.SendNext(d.next, int(server.Fd()), env); err != nil {
		d.t.Fatal(err)
	}
	return client
}

// talk sends each command when the last is answered and returns all answers.
func talk(t *testing.T, c net.Conn, commands ...string) string {
	t.Helper()
	in, all := bufio.NewReader(c), ""
	answer := func() {
		for {
			l, err := in.ReadString('\n')
			if all += l; err != nil || len(l) < 4 || l[3] != '-' {
				return
			}
		}
	}
	answer()
	for _, command := range commands {
		fmt.Fprintf(c, "%s\r\n", command)
		answer()
	}
	return all
}

var oneMail = []string{"EHLO one.example", "MAIL FROM:<a@one.example>", "RCPT TO:<bob@mx.example>", "DATA", "Subject: one\r\n\r\nbody\r\n.", "QUIT"}

// A process that listen lends for another connection begins anew: no greeting of
// the last client counts, nor what the configuration was.
func TestNextConnectionIsAStranger(t *testing.T) {
	h := newHost(t, t.TempDir())
	d, first := startHanded(t, h)
	if got := talk(t, first, oneMail...); !strings.Contains(got, "221 ") || strings.Count(got, "250 2.0.0") != 1 {
		t.Fatalf("first session:\n%s", got)
	}
	if rest, err := io.ReadAll(first); len(rest) > 0 || err != nil {
		t.Errorf("after QUIT: %q, %v; want the end of the connection", rest, err)
	}
	if !d.done() {
		t.Fatalf("it ended after a session in order:\n%s", d.log)
	}
	h.write(t, "etc/me", "new.example\n")
	second := d.give("198.51.100.9")
	if got := talk(t, second, "MAIL FROM:<a@one.example>"); !strings.HasPrefix(got, "220 new.example") || !strings.Contains(got, "\n503 ") {
		t.Errorf("second session, MAIL before EHLO:\n%s", got)
	}
	second.Close()
	if !d.done() {
		t.Fatal("it ended")
	}
	if got := talk(t, d.give("198.51.100.10"), "EHLO x.example", "MAIL FROM:<a@x.example>", "RCPT TO:<bob@new.example>", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT"); !strings.Contains(got, "221 ") {
		t.Errorf("third session:\n%s", got)
	}
	if !d.done() {
		t.Fatal("it ended")
	}
	unix.Shutdown(d.next, unix.SHUT_RDWR)
	if err := d.wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	all := string(h.files(t)[len(h.files(t))-1])
	if !strings.Contains(all, "198.51.100.10") || strings.Contains(all, "192.0.2.7") {
		t.Errorf("the third client's message says who sent it as:\n%s", all)
	}
	log := d.log.String()
	if !strings.Contains(log, "-3 q=") || !strings.Contains(log, "peer=198.51.100.10") {
		t.Errorf("the third connection has no name of its own in:\n%s", log)
	}
}

// A process whose client logged in, broke off in the middle, or let a transaction
// wait, for which it listens to signals from then on, serves nobody else.
func TestNextConnectionIsRefused(t *testing.T) {
	progtest.Bin(t, "login-ok")
	checkpw := progtest.Bin(t, "checkpw")
	begin := []string{"EHLO x", "MAIL FROM:<a@x.example>"}
	for name, hold := range map[string]func(t *testing.T, d *handed, c net.Conn){
		"after a login": func(t *testing.T, d *handed, c net.Conn) {
			talk(t, c, "EHLO x", "AUTH PLAIN AGJvYgBzZWNyZXQ=", "QUIT")
		},
		"after a half message": func(t *testing.T, d *handed, c net.Conn) {
			talk(t, c, append(begin, "RCPT TO:<bob@mx.example>", "DATA")...)
			fmt.Fprint(c, "Subject: cut\r\n")
		},
		"after a transaction that waited": func(t *testing.T, d *handed, c net.Conn) {
			talk(t, c, begin...)
			d.awaitEventfd()
			fmt.Fprint(c, "QUIT\r\n")
			io.ReadAll(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, t.TempDir())
			h.write(t, "mail/bob/keep", "")
			d, c := startHanded(t, h, "--plaintext-login", "--", checkpw)
			hold(t, d, c)
			c.Close()
			if d.done() {
				t.Errorf("it offers itself to the next client:\n%s", d.log)
			}
		})
	}
}

// awaitEventfd waits until the program has the descriptor by which signals wake it.
func (d *handed) awaitEventfd() {
	for range 3000 {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.pid))
		for _, fd := range fds {
			if to, _ := os.Readlink(fd); strings.Contains(to, "eventfd") {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.t.Fatal("it does not listen to signals")
}

// A configuration that has become wrong turns the next client away.
func TestNextConnectionOfAWrongConfiguration(t *testing.T) {
	h := newHost(t, t.TempDir())
	d, c := startHanded(t, h)
	talk(t, c, "QUIT")
	if !d.done() {
		t.Fatal("it ended")
	}
	h.write(t, "etc/databytes", "many\n")
	if got := talk(t, d.give("192.0.2.8")); !strings.HasPrefix(got, "421 ") {
		t.Errorf("with a wrong configuration it says %q", got)
	}
	if err := d.wait(); err == nil || !strings.Contains(d.log.String(), "databytes") {
		t.Errorf("it ended with %v and says\n%s", err, d.log)
	}
}
