package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// host makes a mail host without programs in it: etc with me, mail and queue.
func host(t testing.TB) string {
	t.Helper()
	home := t.TempDir()
	for _, dir := range []string{"etc", "mail"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	q, err := queue.Create(filepath.Join(home, "queue"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	for name, value := range map[string]string{"me": "mx.example", "mail": "../mail", "queue": "../queue"} {
		put(t, filepath.Join(home, "etc", name), value+"\n", 0o644)
	}
	return home
}

func put(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
}

// programs is a directory in which all programs of ours can be found. Nothing
// here runs them.
func programs(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"listen", "smtpd", "relay", "deliver", "pop3d", "checkpw", "login-ok"} {
		put(t, filepath.Join(dir, name), "#!/bin/sh\n", 0o755)
	}
	return "ROHRPOST_LIBEXEC=" + dir
}

// in runs rohrpost with a host as its working directory.
func in(t testing.TB, home, stdin string, args ...string) progtest.Result {
	t.Helper()
	c := progtest.Command(t, []string{programs(t)}, "rohrpost", args...)
	c.Dir = home
	return progtest.RunCmd(t, strings.NewReader(stdin), c)
}

func TestCheckFindsNothingWrong(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\nann@shop.example:::::\n", 0o600)
	put(t, home+"/etc/aliases", "postmaster: bob\nclub: :include:"+home+"/club\n", 0o644)
	put(t, home+"/club", "ann@shop.example\nx@far.example\n", 0o644)
	put(t, home+"/etc/virtualdomains", "shop.example\n", 0o644)
	put(t, home+"/etc/senders", "bob: @shop.example, sales@mx.example\n", 0o644)
	put(t, home+"/etc/expire", "Trash 30d\n", 0o644)
	r := in(t, home, "", "check", "--etc", "etc")
	if r.Code != 0 || !strings.HasSuffix(r.Stdout, "etc: all is well\n") || r.Stderr != "" {
		t.Errorf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// TestO04_WrongConfigurations : each file of testdata/wrong is a small wrong
// tree with the line that check has to print. Its section "do" are shell
// commands that files cannot express.
func TestO04_WrongConfigurations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no wrong configurations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			home := host(t)
			want := plant(t, home, file)
			r := in(t, home, "", "check", "--etc", "etc")
			code := 100
			if strings.HasPrefix(want, "warning: ") {
				code = 0
			}
			if r.Code != code || !hasLine(r.Stdout, want) {
				t.Errorf("exit %d, want %d and the line\n%s\ngot\n%s%s", r.Code, code, want, r.Stdout, r.Stderr)
			}
			if n := strings.Count(strings.ReplaceAll(r.Stdout, "warning: sysctl", ""), "\n"); n > 3 {
				t.Errorf("one slip gives %d lines:\n%s", n, r.Stdout)
			}
		})
	}
}

// plant writes a wrong tree into a host and returns the line to expect.
func plant(t *testing.T, home, file string) (want string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	do := ""
	put(t, filepath.Join(home, "etc/users"), "", 0o600)
	for _, f := range a.Files {
		switch f.Name {
		case "want":
			want = strings.TrimSpace(string(f.Data))
		case "do":
			do = string(f.Data)
		default:
			put(t, filepath.Join(home, f.Name), string(f.Data), 0o644)
		}
	}
	c := exec.Command("sh", "-ec", do)
	c.Dir = home
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", do, err, out)
	}
	return want
}

// hasLine looks for a line that is want, or contains it where the line tells
// more: paths of the test's directory.
func hasLine(text, want string) bool {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "warning: ") == strings.HasPrefix(want, "warning: ") && strings.Contains(line, want) {
			return true
		}
	}
	return false
}
