package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"

	"golang.org/x/sys/unix"
)

// client is a POP3 client of one pop3d, over a socket, for tests in which
// something else happens between two commands.
type client struct {
	t    *testing.T
	cmd  *exec.Cmd
	conn *os.File
	r    *bufio.Reader
	log  bytes.Buffer
}

// start starts pop3d on one end of a pair of sockets.
func start(t *testing.T, env []string, args ...string) *client {
	t.Helper()
	ours, theirs := socketpair(t)
	c := &client{t: t, cmd: progtest.Command(t, env, "pop3d", args...), conn: ours, r: bufio.NewReader(ours)}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirs, theirs, &c.log
	return c
}

// dial is start, and waits for the greeting.
func dial(t *testing.T, args ...string) *client {
	t.Helper()
	c := start(t, nil, args...)
	c.run()
	c.want("+OK")
	return c
}

func (c *client) run() {
	c.t.Helper()
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.cmd.Stdin.(*os.File).Close()
	stop := time.AfterFunc(time.Minute, func() { c.cmd.Process.Kill() })
	c.t.Cleanup(func() { stop.Stop(); c.conn.Close(); c.cmd.Process.Kill(); c.cmd.Wait() })
}

func socketpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := c.conn.WriteString(s); err != nil {
		c.t.Fatalf("send %q: %v", s, err)
	}
}

// line is the next line, without CRLF; "EOF" at the end.
func (c *client) line() string {
	c.t.Helper()
	l, err := c.r.ReadString('\n')
	if err != nil && l == "" {
		return "EOF"
	}
	if !strings.HasSuffix(l, "\r\n") {
		c.t.Fatalf("line %q does not end in CRLF", l)
	}
	return l[:len(l)-2]
}

// want reads one line, which must begin so.
func (c *client) want(prefix string) string {
	c.t.Helper()
	l := c.line()
	if !strings.HasPrefix(l, prefix) {
		c.t.Fatalf("got %q, want %q; log:\n%s", l, prefix, c.log.String())
	}
	return l
}

// ask sends a command and reads the first line of the answer.
func (c *client) ask(command, prefix string) string {
	c.t.Helper()
	c.send(command + "\r\n")
	return c.want(prefix)
}

// body reads the rest of a multi-line answer as it came, final dot included.
func (c *client) body() string {
	c.t.Helper()
	var b strings.Builder
	for {
		l := c.line()
		if l == "EOF" {
			c.t.Fatalf("answer has no end; log:\n%s", c.log.String())
		}
		b.WriteString(l + "\r\n")
		if l == "." {
			return b.String()
		}
	}
}

// quit ends the session and waits for the program.
func (c *client) quit() {
	c.t.Helper()
	c.ask("QUIT", "+OK")
	c.ended()
}

// ended waits for the end of the session and of the program.
func (c *client) ended() {
	c.t.Helper()
	if rest, _ := io.ReadAll(c.r); len(rest) > 0 {
		c.t.Fatalf("got %q, want the end", rest)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("pop3d: %v; log:\n%s", err, c.log.String())
	}
}

// peakMemory is the most memory the program has had so far, in bytes; 0 once it
// has ended. (The peak in rusage counts the test's own, before exec.)
func (c *client) peakMemory() (n int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	if _, after, ok := strings.Cut(string(b), "VmHWM:"); ok {
		fmt.Sscan(after, &n)
	}
	return n << 10
}

// newMaildir makes a Maildir with these files: new/… or cur/….
func newMaildir(t *testing.T, files map[string]string) string {
	t.Helper()
	box := filepath.Join(t.TempDir(), "Maildir")
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(box, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		put(t, filepath.Join(box, name), text)
	}
	return box
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// messages are the names in new and cur.
func messages(t *testing.T, box string) (names []string) {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(box, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, sub+"/"+e.Name())
		}
	}
	return names
}

// three is a Maildir of three messages.
func three(t *testing.T) string {
	files := map[string]string{}
	for i := 1; i <= 3; i++ {
		files[fmt.Sprintf("cur/170000000%d.M1P1.mx:2,", i)] = fmt.Sprintf("Subject: %d\n\nbody %d\n", i, i)
	}
	return newMaildir(t, files)
}
