package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// The catalogue's rows about what surrounds the process (D17, D19 to D21, D30).

func TestD17_Umask(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"000", "777", "022"} {
		h := home(t)
		wants(t, shell(t, h, strings.NewReader(hello), `umask `+mask+`; exec "$0"`), 0, "")
		for path, want := range map[string]os.FileMode{"": 0o700, "tmp": 0o700, "new": 0o700, "cur": 0o700, "new/*": 0o600} {
			match, _ := filepath.Glob(filepath.Join(h, "Maildir", path))
			if len(match) != 1 {
				t.Fatalf("umask %s: %q is %q", mask, path, match)
			}
			if st, err := os.Stat(match[0]); err != nil || st.Mode().Perm() != want {
				t.Errorf("umask %s: %q has mode %v, %v", mask, path, st.Mode(), err)
			}
		}
	}
}

func TestD17_Surroundings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		code         int
		stderr       string
	}{
		{"the working directory is gone", `d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$0"`, 0, ""},
		{"a relative path from there", `d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$0" Maildir`, 75, "4.3.0 "},
		{"standard output is closed", `exec "$0" >&-`, 0, ""},
		{"standard error is closed", `exec "$0" 2>&-`, 0, ""},
		{"all but standard input are closed, and it fails", `exec "$0" /nonexistent/Maildir >&- 2>&-`, 75, ""},
		{"a file size limit", `ulimit -f 0; exec "$0"`, 75, "4.3.1 "},
		{"ignored signals", `trap '' XFSZ PIPE ALRM TERM; exec "$0"`, 0, ""},
		{"too few descriptors", `ulimit -n 6; exec "$0"`, 75, "4.3.0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := mailHome(t)
			wants(t, shell(t, h, strings.NewReader(hello), tt.script), tt.code, tt.stderr)
			if tt.code == 0 {
				holds(t, h+"/Maildir", hello)
			} else {
				holds(t, h+"/Maildir")
			}
		})
	}
}

// A caller that reads none of our complaints still gets the exit code.
func TestD17_NobodyReadsStandardError(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	c := progtest.Command(t, []string{"HOME=" + mailHome(t) + "/none"}, "deliver")
	c.Stdin, c.Stderr = strings.NewReader(hello), w
	c.Run()
	if code := c.ProcessState.ExitCode(); code != 75 {
		t.Errorf("exit %d, %v", code, c.ProcessState)
	}
}

// waiting starts the program with a message that goes on, and returns once it
// has begun to write: then it also looks out for signals.
func waiting(t *testing.T, h string) (c *exec.Cmd, in io.WriteCloser, stderr *strings.Builder) {
	t.Helper()
	c = progtest.Command(t, []string{"HOME=" + h}, "deliver")
	stderr = &strings.Builder{}
	c.Stderr = stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	if _, err := io.WriteString(in, large); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); len(names(t, h+"/Maildir/tmp")) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing in tmp")
		}
	}
	return c, in, stderr
}

func TestD17_Signals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		h := mailHome(t)
		c, _, stderr := waiting(t, h)
		c.Process.Signal(sig)
		c.Wait()
		wants(t, progtest.Result{Code: c.ProcessState.ExitCode(), Stderr: stderr.String()}, 75, "4.3.2 delivery was interrupted: ")
		holds(t, h+"/Maildir")
	}
	h := mailHome(t)
	c, in, stderr := waiting(t, h)
	for _, sig := range []syscall.Signal{syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ, syscall.SIGUSR1} {
		c.Process.Signal(sig)
	}
	in.Close()
	c.Wait()
	wants(t, progtest.Result{Code: c.ProcessState.ExitCode(), Stderr: stderr.String()}, 0, "")
	holds(t, h+"/Maildir", large)
}

// cloned runs the program in namespaces of its own, or skips the test.
func cloned(t *testing.T, h string, flags uintptr, script string) {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", script, progtest.Bin(t, "deliver"))
	c.Env = []string{"HOME=" + h, "PATH=" + os.Getenv("PATH")}
	c.Stdin = strings.NewReader(hello)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	out, err := c.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestD19_SamePIDSameHost(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for range 4 {
		cloned(t, h, unix.CLONE_NEWPID, `exec "$0"`)
	}
	got := names(t, h+"/Maildir/new")
	if len(got) != 4 || !strings.Contains(got[0], "P1Q") {
		t.Errorf("stored as %q", got)
	}
}

func TestD20_HostName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{`a/b:c,d`: `a\057b\072c\054d`, "": "localhost", strings.Repeat("h", 64): strings.Repeat("h", 40)} {
		h := mailHome(t)
		cloned(t, h, unix.CLONE_NEWUTS, `printf '`+name+`\n' >/proc/sys/kernel/hostname; exec "$0"`)
		got := names(t, h+"/Maildir/new")
		if len(got) != 1 || !strings.Contains(got[0], want) || strings.ContainsAny(got[0], "/:") {
			t.Errorf("%q: stored as %q", name, got)
		}
	}
}

func TestD21_Clock(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	p := place{maildir: part{box, "test"}}
	x, err := p.open(disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	clock := []int64{1700000000, 0, -1, 1700000000}
	namer := &maildir.Namer{Host: "h", PID: 1, Rand: &repeat{text: []byte("random"), left: 1 << 10}, Now: func() time.Time {
		s := clock[0]
		clock = append(clock[1:], s)
		return time.Unix(s, 0)
	}}
	x.box.SetNamer(namer)
	var order []string
	for range 8 {
		d, err := x.box.Begin("")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(d, hello)
		name, err := commit(d, x.inbox, "", mailboxFull)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, name)
	}
	if got := names(t, box+"/new"); len(got) != 8 || !slices.Equal(got, order) {
		t.Errorf("delivered as %q, sorted %q", order, got)
	}
}

func TestD30_TimesFromTheFuture(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	future := time.Now().Add(1000 * time.Hour)
	write(t, h+"/Maildir/new/9999999999.M0P1Q1.h", "old")
	for _, name := range []string{"new/9999999999.M0P1Q1.h", "new", "cur", "tmp", ""} {
		if err := os.Chtimes(h+"/Maildir/"+name, future, future); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, deliver(t, h, hello), 0, "")
	holds(t, h+"/Maildir", "old", hello)
}
