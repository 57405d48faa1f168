package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
)

// terminal opens a pseudo terminal: we type at one end, a program reads at the
// other.
func terminal(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals: ", err)
	}
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// typeIn answers each prompt of a command with the next line, and returns what
// the terminal showed.
func typeIn(t testing.TB, lines []string, args ...string) (shown string, code int) {
	t.Helper()
	ours, theirs := terminal(t)
	c := progtest.Command(t, nil, "rohrpost", args...)
	c.Stdin, c.Stdout, c.Stderr = theirs, theirs, theirs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { c.Process.Kill() })
	defer stop.Stop()
	buf := make([]byte, 4096)
	for _, line := range lines {
		for !strings.HasSuffix(shown, ": ") {
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			shown += string(buf[:n])
		}
		shown += "\n"
		if _, err := ours.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	c.Wait()
	settings, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	if err != nil || settings.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal has no echo any more: %v", err)
	}
	unix.SetNonblock(int(ours.Fd()), true)
	n, _ := unix.Read(int(ours.Fd()), buf) // what was said last lies there already
	return shown + string(buf[:max(n, 0)]), c.ProcessState.ExitCode()
}

func TestPasswordAtATerminal(t *testing.T) {
	t.Parallel()
	home := host(t)
	shown, code := typeIn(t, []string{"sesame", "sesame"}, "user", "add", "bob", "--home", home)
	if code != 0 || strings.Contains(shown, "sesame") || !strings.Contains(shown, "Password for bob: ") || !strings.Contains(shown, "Once more: ") {
		t.Fatalf("exit %d, shown %q", code, shown)
	}
	before := users(t, home)
	verify(t, before, "sesame")
	shown, code = typeIn(t, []string{"one", "two"}, "user", "passwd", "bob", "--home", home)
	if code != 100 || !strings.Contains(shown, "the two passwords differ; nothing was changed") || users(t, home) != before {
		t.Errorf("exit %d, shown %q", code, shown)
	}
}
