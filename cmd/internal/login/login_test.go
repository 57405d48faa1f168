package login

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rohrpost/protocol/auth"
)

func TestMaildirOfAnAccount(t *testing.T) {
	t.Parallel()
	for want, env := range map[string][]string{
		"/home/ann/Maildir":  {"HOME=/home/ann"},
		"/var/mail/ann":      {"HOME=/home/ann", "MAILDIR=/var/mail/ann/"},
		"/srv/dir/box":       {"HOME=/home/ann", "MAILDIR=./box"},
		"/srv/dir/Maildir":   {},
		"/first/Maildir":     {"HOME=/first", "HOME=/second"},
		"/srv/dir/h/Maildir": {"HOME=h"},
	} {
		if got := Maildir(env, "/srv/dir"); got != want {
			t.Errorf("%q: %s, want %s", env, got, want)
		}
	}
}

func TestSettingsReplace(t *testing.T) {
	t.Parallel()
	got := with([]string{"A=1", "AB=2", "B=3", "A=4"}, []string{"A=5", "C=6"})
	if !slices.Equal(got, []string{"AB=2", "B=3", "A=5", "C=6"}) {
		t.Errorf("%q", got)
	}
}

// TestMain lets the test binary be the program that Exec runs: first half and
// second half.
func TestMain(m *testing.M) {
	switch os.Getenv("LOGIN_TEST_HALF") {
	case "first":
		var uid, gid int
		fmt.Sscan(os.Getenv("LOGIN_TEST_ID"), &uid, &gid)
		id := auth.Identity{UID: uid, GIDs: []int{gid, 4}, Dir: os.Getenv("LOGIN_TEST_DIR"), Env: append(os.Environ(), "USER="+os.Getenv("LOGIN_TEST_USER"))}
		fmt.Println(os.Getpid(), Exec(id, []string{"--flag", "path"}, "LOGIN_TEST_HALF=second"))
		os.Exit(1)
	case "second":
		dir, _ := os.Getwd()
		groups, _ := os.Getgroups()
		slices.Sort(groups)
		fmt.Println(os.Getpid(), os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid(), groups, dir, os.Args[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// copyOf copies this test, as a program, into a directory of that mode.
func copyOf(t *testing.T, mode os.FileMode) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "login-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(dir+"/login", b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir + "/login"
}

// execAs runs the first half for an account, and returns what it, or the second
// half in the same process, said.
func execAs(t *testing.T, path string, uid, gid int, user, dir string, own *syscall.Credential) (said string) {
	t.Helper()
	c := exec.Command(path)
	c.Env = []string{"LOGIN_TEST_HALF=first", fmt.Sprintf("LOGIN_TEST_ID=%d %d", uid, gid), "LOGIN_TEST_USER=" + user, "LOGIN_TEST_DIR=" + dir}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: own}
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	pid, said, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if pid != fmt.Sprint(c.Process.Pid) {
		t.Errorf("process %s, was %d", pid, c.Process.Pid)
	}
	return said
}

func TestExecAsOneself(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	uid, gid := os.Getuid(), os.Getgid()
	said := execAs(t, self, uid, gid, "ann", "/usr", nil)
	if !strings.HasPrefix(said, fmt.Sprintf("%d %d %d %d ", uid, uid, gid, gid)) || !strings.HasSuffix(said, "/usr [--flag path]") {
		t.Errorf("second half: %s", said)
	}
	if said := execAs(t, self, uid, gid, "ann", "/nonexistent", nil); !strings.Contains(said, "home of the account: chdir /nonexistent") {
		t.Errorf("without home: %s", said)
	}
}

func TestExecAsAnother(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	open, closed := copyOf(t, 0o755), copyOf(t, 0o700)
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	for name, c := range map[string]struct {
		path     string
		uid, gid int
		user     string
		own      *syscall.Credential
		want     string
	}{
		"root becomes the account":       {open, 12345, 23456, "ann", nil, "12345 12345 23456 23456 [4 23456] /usr [--flag path]"},
		"also from a closed directory":   {closed, 12345, 23456, "ann", nil, "12345 12345 23456 23456 [4 23456] /usr [--flag path]"},
		"nobody else can":                {open, 12345, 23456, "ann", nobody, "the account has uid 12345, this program uid 65534: only root can change its uid"},
		"nobody becomes root":            {open, 0, 0, "root", nobody, "the account has uid 0, this program uid 65534: only root can change its uid"},
		"a virtual user has root's uid":  {open, 0, 0, "ann", nil, "0 0 0 0 "},
		"the account root is turned off": {open, 0, 0, "root", nil, ErrRoot.Error()},
	} {
		if said := execAs(t, c.path, c.uid, c.gid, c.user, "/usr", c.own); !strings.Contains(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}
