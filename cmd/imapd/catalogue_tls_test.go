package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
)

func socketpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	mustDo(t, err)
	a, b = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// I05: what comes in one segment with STARTTLS ends the session. It never runs, not in
// clear and not under TLS, and TLS is not asked for (RFC 9051 section 6.2.1; CVE-2021-33515).
func TestI05CommandsBehindStartTLS(t *testing.T) {
	t.Parallel()
	progtest.Bin(t, "login-ok")
	for _, behind := range []string{"b LOGIN ann secret\r\n", "X", "\r\n", "\x16\x03\x01"} {
		dir := t.TempDir()
		putFile(t, dir+"/auth", `touch "${0%/*}/asked"; cd "${0%/*}"; exec "$@"`)
		ctl, theirCtl := socketpair(t)
		_, theirClear := socketpair(t)
		ours, theirs := socketpair(t)
		env := []string{"PROTO=TCP", "TCPREMOTEIP=192.0.2.1", "SSLCTLFD=3", "SSLREADFD=4", "SSLWRITEFD=5"}
		c := progtest.Command(t, env, "imapd", "--", "/bin/sh", filepath.Join(dir, "auth"))
		c.Stdin, c.Stdout, c.ExtraFiles = theirs, theirs, []*os.File{theirCtl, theirClear, theirClear}
		var log strings.Builder
		c.Stderr = &log
		fmt.Fprintf(ours, "a STARTTLS\r\n%s", behind)
		mustDo(t, c.Start())
		theirCtl.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("%q: %v", behind, err)
		}
		if n, _ := ctl.Read(make([]byte, 1)); n > 0 {
			t.Errorf("%q: TLS was asked for", behind)
		}
		if _, err := os.Stat(dir + "/asked"); err == nil {
			t.Errorf("%q: a login was tried", behind)
		}
		if !strings.Contains(log.String(), "plain text behind the command that starts TLS") {
			t.Errorf("%q: log: %s", behind, log.String())
		}
	}
}
