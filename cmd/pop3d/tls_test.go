package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

// wrapper plays the TLS wrapper of the UCSPI-TLS convention: the control socket,
// and the pair that carries what comes out of TLS.
type wrapper struct {
	ctl, clear *os.File
}

// wrapped starts pop3d under such a wrapper, as seen by a client elsewhere.
func wrapped(t *testing.T, args ...string) (*client, wrapper) {
	t.Helper()
	progtest.Bin(t, "login-ok")
	ctl, theirCtl := socketpair(t)
	clear, theirClear := socketpair(t)
	c := start(t, []string{"PROTO=TCP", "TCPREMOTEIP=192.0.2.1", "SSLCTLFD=3", "SSLREADFD=4", "SSLWRITEFD=5"}, args...)
	c.cmd.ExtraFiles = []*os.File{theirCtl, theirClear, theirClear}
	c.run()
	theirCtl.Close()
	theirClear.Close()
	t.Cleanup(func() { ctl.Close(); clear.Close() })
	c.want("+OK POP3 ready")
	return c, wrapper{ctl, clear}
}

// authOf writes an authenticator that lets ann in with the password secret, and
// what it sees of the environment into a file.
func authOf(t *testing.T) (argv []string, seen string) {
	t.Helper()
	dir := t.TempDir()
	seen = dir + "/seen"
	put(t, dir+"/auth", `env >"${0%/*}/seen"; ls /proc/$$/fd >>"${0%/*}/seen"
tr '\0' '\n' <&3 | {
	read -r user
	read -r pass
	test "$user $pass" = "ann secret" || exit 1
	cd "${0%/*}"
	HOME=$PWD exec "$@"
}`)
	return []string{"--", "/bin/sh", dir + "/auth"}, seen
}

// STLS, and a login and a session through it.
func TestStartTLS(t *testing.T) {
	t.Parallel()
	argv, seen := authOf(t)
	c, w := wrapped(t, argv...)
	c.ask("CAPA", "+OK")
	if got := c.body(); !strings.Contains(got, "STLS\r\n") || strings.Contains(got, "USER\r\n") || strings.Contains(got, "SASL") {
		t.Errorf("before TLS: CAPA %q", got)
	}
	c.ask("USER ann", "-ERR passwords only after STLS")
	c.ask("STLS", "+OK begin TLS now")
	var one [1]byte
	if _, err := io.ReadFull(w.ctl, one[:]); err != nil || one[0] != 'Y' {
		t.Fatalf("control socket: %q, %v", one, err)
	}
	// Whatever comes in clear now is never read, not even if it is a login.
	c.send("USER mallory\r\nQUIT\r\n")
	io.WriteString(w.ctl, "SSL_PROTOCOL=TLSv1.3\x00SSL_CIPHER=X\x00\x00")
	c.conn, c.r = w.clear, bufio.NewReader(w.clear)
	c.ask("CAPA", "+OK")
	if got := c.body(); strings.Contains(got, "STLS") || !strings.Contains(got, "USER\r\nSASL PLAIN\r\n") {
		t.Errorf("after TLS: CAPA %q", got)
	}
	c.ask("STLS", "-ERR STLS is not offered")
	c.ask("PASS secret", "-ERR USER comes first")
	c.ask("USER ann", "+OK")
	c.ask("PASS secret", "+OK 0 messages")
	c.ask("STLS", "-ERR command not valid in this state")
	c.quit()
	if !strings.Contains(c.log.String(), "user=ann peer=192.0.2.1 mech=USER tls=yes") {
		t.Errorf("log: %s", c.log.String())
	}
	b, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); strings.Contains(got, "SSLCTLFD") || !strings.Contains(got, "SSL_CIPHER=X") || !strings.Contains(got, "TCPREMOTEIP=192.0.2.1") {
		t.Errorf("the authenticator sees:\n%s", got)
	}
}

// P01: what comes in one segment with STLS ends the session. It never runs, not
// in clear and not under TLS, and TLS is not asked for.
func TestP01_CommandsBehindSTLS(t *testing.T) {
	t.Parallel()
	for _, behind := range []string{"USER ann\r\nPASS secret\r\n", "X", "\r\n", "\x16\x03\x01"} {
		t.Run(fmt.Sprintf("%q", behind), func(t *testing.T) {
			t.Parallel()
			argv, seen := authOf(t)
			c, w := wrapped(t, argv...)
			c.send("STLS\r\n" + behind)
			c.ended()
			if n, _ := w.ctl.Read(make([]byte, 1)); n > 0 {
				t.Error("TLS was asked for")
			}
			if _, err := os.Stat(seen); err == nil {
				t.Error("a login was tried")
			}
			if !strings.Contains(c.log.String(), "plain text behind the command that starts TLS") {
				t.Errorf("log: %s", c.log.String())
			}
		})
	}
}

// P01: the same over a pipe.
func TestP01_CommandsBehindSTLSOverPipe(t *testing.T) {
	t.Parallel()
	progtest.Bin(t, "login-ok")
	ctl, theirCtl := socketpair(t)
	defer ctl.Close()
	defer theirCtl.Close()
	cmd := progtest.Command(t, []string{"SSLCTLFD=3", "SSLREADFD=3", "SSLWRITEFD=3"}, "pop3d", "--", "/bin/false")
	cmd.ExtraFiles = []*os.File{theirCtl}
	r := progtest.RunCmd(t, strings.NewReader("STLS\r\nNOOP\r\n"), cmd)
	if r.Stdout != "+OK POP3 ready\r\n" || r.Code != 0 {
		t.Errorf("got %+v", r)
	}
}

// A wrapper whose handshake fails closes the control socket: the session ends,
// and nothing is taken in clear any more.
func TestStartTLSFails(t *testing.T) {
	t.Parallel()
	argv, _ := authOf(t)
	c, w := wrapped(t, argv...)
	c.ask("STLS", "+OK")
	if _, err := io.ReadFull(w.ctl, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c.send("QUIT\r\n")
	w.ctl.Close()
	c.ended()
	if !strings.Contains(c.log.String(), "TLS handshake: ") {
		t.Errorf("log: %s", c.log.String())
	}
}

// The descriptors of systemd and of the wrapper reach neither the authenticator
// nor the second half, whose own are 0, 1 and 2.
func TestSecondHalfInheritsThreeDescriptors(t *testing.T) {
	t.Parallel()
	argv, _ := authOf(t)
	c, _ := wrapped(t, append([]string{"--plaintext-login"}, argv...)...)
	c.ask("USER ann", "+OK")
	c.ask("PASS secret", "+OK 0 messages")
	for _, fd := range []string{"3", "4", "5"} {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", c.cmd.Process.Pid, fd))
		if err == nil && strings.HasPrefix(link, "socket:") {
			t.Errorf("descriptor %s is %s", fd, link)
		}
	}
	c.ask("CAPA", "+OK")
	if got := c.body(); !strings.Contains(got, "STLS\r\n") {
		t.Errorf("RFC 2449 section 5: CAPA after login lacks STLS, which it had before: %q", got)
	}
	c.quit()
}
