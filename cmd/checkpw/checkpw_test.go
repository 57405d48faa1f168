package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rohrpost/cmd/internal/password"
	"rohrpost/cmd/internal/progtest"
)

// host is a configuration directory with a mail directory.
type host struct{ etc, mail string }

func newHost(t *testing.T, users string) host {
	t.Helper()
	dir := t.TempDir()
	// Whoever checkpw becomes must be able to enter a home.
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	h := host{filepath.Join(dir, "etc"), filepath.Join(dir, "mail")}
	for _, d := range []string{h.etc, h.mail, h.mail + "/bob", h.mail + "/amy", h.mail + "/example.org/bob"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.write(t, "me", "mx.example.net\n")
	h.write(t, "locals", "mx.example.net\nexample.com\n")
	h.write(t, "users", users)
	return h
}

func (h host) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.etc, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// show is what a right password runs in these tests.
var show = []string{"sh", "-c", "echo $USER $HOME $SHELL; pwd"}

// command is checkpw over h with a record on descriptor 3.
func (h host) command(t *testing.T, record string, argv ...string) *exec.Cmd {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	go func() {
		// Byte by byte, since nobody promises more.
		for i := range record {
			if _, err := w.Write([]byte(record[i : i+1])); err != nil {
				break
			}
		}
		w.Close()
	}()
	c := progtest.Command(t, []string{"USER=caller", "MAILDIR=./Maildir"}, "checkpw",
		append([]string{"--etc", h.etc, "--mail", h.mail}, argv...)...)
	c.ExtraFiles = []*os.File{r}
	return c
}

func (h host) login(t *testing.T, login, pass string) progtest.Result {
	t.Helper()
	return progtest.RunCmd(t, nil, h.command(t, login+"\x00"+pass+"\x00stamp\x00", show...))
}

const people = `# a comment
bob:{PLAIN}secret:::::
amy:{SHA256-CRYPT}$5$mctEyCHiqeqhQNr8$/BR4gSo0lfclc7radmO9uh/2OzSQRTBpCU/WSoAqQW5:::::
bob@example.org:{PLAIN}other
locked::::::
nohash:{MD5}5ebe2294ecd0e0f08eab7690d2a6ee69:::::
`

func TestLogin(t *testing.T) {
	t.Parallel()
	h := newHost(t, people)
	ok := func(name, home string) string {
		return fmt.Sprintf("%s %s/%s /bin/sh\n%s/%s\n", name, h.mail, home, h.mail, home)
	}
	for _, c := range []struct {
		claim, login, pass string
		code               int
		stdout             string
	}{
		{"a name", "bob", "secret", 0, ok("bob", "bob")},
		{"a hash", "amy", "secret", 0, ok("amy", "amy")},
		{"a name has no case", "Bob", "secret", 0, ok("bob", "bob")},
		{"with the name of this host", "bob@mx.example.net", "secret", 0, ok("bob", "bob")},
		{"with a domain of locals", "bob@Example.COM", "secret", 0, ok("bob", "bob")},
		{"with localhost", "bob@localhost", "secret", 0, ok("bob", "bob")},
		{"of a virtual domain", "bob@example.org", "other", 0, ok("bob@example.org", "example.org/bob")},
		{"not of another user's password", "bob@example.org", "secret", 1, ""},
		{"not of a domain that is not ours", "bob@example.net", "secret", 1, ""},
		{"a password has case", "bob", "Secret", 1, ""},
		{"a password is not a beginning", "bob", "secret2", 1, ""},
		{"who has no hash cannot log in", "locked", "", 1, ""},
		{"who has no hash cannot log in with any password", "locked", "x", 1, ""},
		{"nobody", "eve", "secret", 1, ""},
		{"a comment is nobody", "# a comment", "", 1, ""},
	} {
		r := h.login(t, c.login, c.pass)
		if r.Code != c.code || r.Stdout != c.stdout {
			t.Errorf("%s: login %q: exit %d, stdout %q; want %d, %q\n%s", c.claim, c.login, r.Code, r.Stdout, c.code, c.stdout, r.Stderr)
		}
		if strings.Contains(r.Stderr, c.pass) && len(c.pass) > 1 {
			t.Errorf("%s: the log has the password: %s", c.claim, r.Stderr)
		}
	}
}

func TestBadHashIsTemporaryAndNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t, people)
	r := h.login(t, "nohash", "secret")
	if r.Code != 111 || !strings.Contains(r.Stderr, "users:6") || !strings.Contains(r.Stderr, "rohrpost user passwd nohash") {
		t.Errorf("exit %d, %s", r.Code, r.Stderr)
	}
}

// The answer to a login that nobody has must not differ from that to a wrong
// password: neither in words nor in the work that is done. The work shows in
// memory, of which the hash takes 19 MiB. (Not parallel: others allocate too.)
func TestA01_UnknownUserCostsAHash(t *testing.T) {
	hash, err := password.Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, "locked:\nbob:"+hash+"\n")
	for _, login := range []string{"bob", "eve", "locked", "eve@example.org"} {
		if n := refusalAllocates(t, h, login); n < 19<<20 {
			t.Errorf("login %s: %d bytes allocated, so no hash was computed", login, n)
		}
	}
	if n := refusalAllocates(t, newHost(t, ""), "eve"); n < 19<<20 {
		t.Errorf("no users at all: %d bytes allocated, so no hash was computed", n)
	}
	// Among users of another scheme nobody costs what they do.
	if n := refusalAllocates(t, newHost(t, people), "eve"); n > 10<<20 {
		t.Errorf("among cheap hashes: %d bytes allocated, so another hash was computed", n)
	}
}

// refusalAllocates is how many bytes the refusal of a login allocates.
func refusalAllocates(t *testing.T, h host, login string) uint64 {
	t.Helper()
	o := options{etc: h.etc, mail: h.mail}
	books, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	return allocates(func() {
		if _, err := check(books, record{login, "wrong"}); err != refused {
			t.Errorf("login %s: %v, want a refusal", login, err)
		}
	})
}

func allocates(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestA01_SameWords(t *testing.T) {
	t.Parallel()
	h := newHost(t, people)
	wrong, unknown := h.login(t, "bob", "wrong"), h.login(t, "eve", "wrong")
	if wrong.Code != unknown.Code || wrong.Stdout != unknown.Stdout {
		t.Errorf("a wrong password: %d %q; an unknown user: %d %q", wrong.Code, wrong.Stdout, unknown.Code, unknown.Stdout)
	}
}

// A login that cannot be one is refused before the file is looked at: here the
// file is one that every look reports as broken.
func TestA02_StrangeLoginsAreNotLookedUp(t *testing.T) {
	t.Parallel()
	h := newHost(t, people)
	if err := os.Chmod(h.etc+"/users", 0o666); err != nil {
		t.Fatal(err)
	}
	if r := h.login(t, "bob", "secret"); r.Code != 111 {
		t.Fatalf("the file is not reported: exit %d", r.Code)
	}
	for _, login := range []string{
		"", "bob\n", "bob\r", "a/b", "..", "../bob", "%u", "*)(uid=*", "bob:x", ".bob", "-rf", "#", "b\xffb",
		"bob@", "@example.org", "bob@../x", strings.Repeat("b", 400),
	} {
		if r := h.login(t, login, "secret"); r.Code != 1 {
			t.Errorf("login %q: exit %d, want 1\n%s", login, r.Code, r.Stderr)
		}
	}
}

func TestA03_PasswordsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	h := newHost(t, people+"void:{PLAIN}:::::\n")
	for name, pass := range map[string]string{"empty": "", "1 MB": strings.Repeat("s", 1<<20), "with NUL": "sec\x00ret"} {
		if r := h.login(t, "bob", pass); r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", name, r.Code, r.Stderr)
		}
	}
	if r := h.login(t, "void", ""); r.Code != 1 {
		t.Errorf("an empty password for an empty hash: exit %d", r.Code)
	}
}

// Whatever happens after the password was found right, only the program's own
// exit may say so.
func TestA06_NoSuccessWithoutTheProgram(t *testing.T) {
	t.Parallel()
	h := newHost(t, people+"homeless:{PLAIN}secret:::::\n")
	const right = "bob\x00secret\x00\x00"
	for name, argv := range map[string][]string{
		"missing": {"/nonexistent/program"}, "a directory": {"/"}, "not in PATH": {"no-such-program-here"},
	} {
		if r := progtest.RunCmd(t, nil, h.command(t, right, argv...)); r.Code != 111 || !strings.Contains(r.Stderr, argv[0]) {
			t.Errorf("program %s: exit %d, %s", name, r.Code, r.Stderr)
		}
	}
	r := h.login(t, "homeless", "secret")
	if r.Code != 111 || r.Stdout != "" || !strings.Contains(r.Stderr, "install -d -m 700 "+h.mail+"/homeless") {
		t.Errorf("no home: exit %d, stdout %q, %s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestA07_RecordIsReadExactly(t *testing.T) {
	t.Parallel()
	h := newHost(t, "bob:{PLAIN}secret\nlong:{PLAIN}"+strings.Repeat("p", 480)+"\n")
	h.write(t, "me", "long")
	if err := os.Mkdir(h.mail+"/long", 0o755); err != nil {
		t.Fatal(err)
	}
	long := "long\x00" + strings.Repeat("p", 480) + "\x00"
	fill := func(n int) string { return long + strings.Repeat("t", n-len(long)-1) + "\x00" }
	for _, c := range []struct {
		claim, record string
		code          int
	}{
		{"three fields", "bob\x00secret\x00stamp\x00", 0},
		{"more may follow", "bob\x00secret\x00stamp\x00more", 0},
		{"512 bytes", fill(512), 0},
		{"513 bytes", fill(513), 1},
		{"nothing", "", 2},
		{"no NUL at all", "bob", 2},
		{"no password", "bob\x00", 2},
		{"no end of the password", "bob\x00secret", 2},
		{"no timestamp", "bob\x00secret\x00", 2},
		{"no end of the timestamp", "bob\x00secret\x00stamp", 2},
	} {
		if r := progtest.RunCmd(t, nil, h.command(t, c.record, show...)); r.Code != c.code {
			t.Errorf("%s: exit %d, want %d\n%s", c.claim, r.Code, c.code, r.Stderr)
		}
	}
	closed := progtest.Command(t, nil, "checkpw", "--etc", h.etc, "true")
	if r := progtest.RunCmd(t, nil, closed); r.Code != 2 || !strings.Contains(r.Stderr, "descriptor 3") {
		t.Errorf("descriptor 3 closed: exit %d, %s", r.Code, r.Stderr)
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--no-such-flag", "true"}} {
		if r := progtest.Run(t, nil, nil, "checkpw", args...); r.Code != 2 {
			t.Errorf("%q: exit %d, %s", args, r.Code, r.Stderr)
		}
	}
}

func TestA20_UsersFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim, users string
		mode         os.FileMode
		code         int
		says         string
	}{
		{"a group may read it", people, 0o640, 0, ""},
		{"not everybody", people, 0o644, 111, "chmod"},
		{"nobody else may write it", people, 0o602, 111, "chmod"},
		{"a line without an end may be half written", "bob:{PLAIN}secret", 0o600, 111, "half written"},
		{"a half written line is not the others' trouble", people + "zoe:{PLA", 0o600, 0, ""},
		{"root has no mailbox", "bob:{PLAIN}secret:0:0::\n", 0o600, 111, "root"},
		{"a uid is a number", "bob:{PLAIN}secret:x:0::\n", 0o600, 111, "users:1"},
	} {
		h := newHost(t, c.users)
		if err := os.Chmod(h.etc+"/users", c.mode); err != nil {
			t.Fatal(err)
		}
		if r := h.login(t, "bob", "secret"); r.Code != c.code || !strings.Contains(r.Stderr, c.says) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", c.claim, r.Code, c.code, c.says, r.Stderr)
		}
	}
}

// The file is read through in place. (Not parallel: others allocate too.)
func TestA20_AMillionUsers(t *testing.T) {
	h := newHost(t, "")
	f, err := os.Create(h.etc + "/users")
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range 1_000_000 {
		fmt.Fprintf(w, "user%d:{PLAIN}p%d:::::\n", i, i)
	}
	w.WriteString("bob:{PLAIN}secret:::::\n")
	if err := errors.Join(w.Flush(), f.Chmod(0o600), f.Close()); err != nil {
		t.Fatal(err)
	}
	o := options{etc: h.etc, mail: h.mail}
	books, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	n := allocates(func() {
		if a, err := check(books, record{"bob", "secret"}); err != nil || a.name != "bob" {
			t.Errorf("the last of a million: %+v, %v", a, err)
		}
	})
	if n > 1<<20 {
		t.Errorf("a login among a million allocates %d bytes", n)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	own := fmt.Sprintf("bob:{PLAIN}secret:%d:%d::\n", os.Getuid(), os.Getgid())
	if os.Getuid() != 0 {
		h := newHost(t, own+"amy:{PLAIN}secret:4242:4242::\n")
		if r := h.login(t, "bob", "secret"); r.Code != 0 {
			t.Errorf("own uid: exit %d, %s", r.Code, r.Stderr)
		}
		if r := h.login(t, "amy", "secret"); r.Code != 111 || !strings.Contains(r.Stderr, "only root") {
			t.Errorf("another's uid: exit %d, %s", r.Code, r.Stderr)
		}
		return
	}
	h := newHost(t, "bob:{PLAIN}secret:4242:4343::\namy:{PLAIN}secret:4242:::\n")
	r := progtest.RunCmd(t, nil, h.command(t, "bob\x00secret\x00\x00", "sh", "-c", "id -u; id -g; id -G"))
	if r.Code != 0 || r.Stdout != "4242\n4343\n4343\n" {
		t.Errorf("identity: exit %d, %q, %s", r.Code, r.Stdout, r.Stderr)
	}
	if r := h.login(t, "amy", "secret"); r.Code != 111 || !strings.Contains(r.Stderr, "add the gid") {
		t.Errorf("uid without gid: exit %d, %s", r.Code, r.Stderr)
	}
}

func TestSystemAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b := systemBook{
		passwd: file("passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1001:100::/home/bob:/bin/bash\n"+
			"old:x:1002:100::/home/old:/bin/sh\nlocked:x:1003:100::/home/l:/bin/sh\nshort:x:1\nonly:x:1004:100::/:/bin/sh\n"),
		shadow: file("shadow", "root:$5$a$b:1::::::\nbob:$y$j75$s$h:19000:0:99999:7:::\nold:$5$a$b:1:::::2:\n"+
			"locked:!$5$a$b:1::::::\nshort:$5$a$b:1::::::\n"),
		group: file("group", "users:x:100:\nmail:x:8:amy,bob\nadm:x:4:bobby\n"),
	}
	a, ok, err := b.find("bob")
	if err != nil || !ok || a.uid != 1001 || a.gid != 100 || a.home != "/home/bob" || a.shell != "/bin/bash" ||
		a.hash != "$y$j75$s$h" || fmt.Sprint(a.groups) != "[8]" {
		t.Errorf("bob: %+v, %v, %v", a, ok, err)
	}
	for _, login := range []string{"root", "old", "short", "only", "eve", ""} {
		if a, ok, err := b.find(login); ok || err != nil {
			t.Errorf("%s: %+v, %v, %v; want nobody", login, a, ok, err)
		}
	}
	if a, ok, _ := b.find("locked"); !ok || a.hash != "" {
		t.Errorf("locked: %+v, %v; want an account without a hash", a, ok)
	}
	if expired("20000", time.Unix(20000*24*60*60-1, 0)) || !expired("20000", time.Unix(20000*24*60*60, 0)) {
		t.Error("an account expires at the beginning of its day")
	}
	b.shadow = dir + "/none"
	if _, _, err := b.find("bob"); err == nil {
		t.Error("no shadow file: no error")
	}
}
