package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/password"
	"rohrpost/cmd/internal/progtest"
)

// users is the file users of a host.
func users(t testing.TB, home string) string {
	t.Helper()
	b, err := os.ReadFile(home + "/etc/users")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

// verify wants a password to be that of a line.
func verify(t testing.TB, line, plain string) {
	t.Helper()
	hash := strings.SplitN(line, ":", 3)[1]
	if ok, err := password.Verify(hash, plain); !ok || err != nil {
		t.Errorf("%q is not the password of %q: %v", plain, line, err)
	}
}

func TestUserAdd(t *testing.T) {
	t.Parallel()
	home := host(t)
	r := in(t, home, "sesame\n", "user", "add", "--home", ".", "Bob@MX.example", "--quota", "storage=1G")
	if r.Code != 0 || r.Stdout != "" || !strings.Contains(r.Stderr, "added bob, mail in "+home+"/mail/bob/Maildir") {
		t.Fatalf("exit %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	line := users(t, home)
	if !strings.HasPrefix(line, "bob:{ARGON2ID}") || !strings.HasSuffix(line, ":::::::userdb_quota_rule=*:storage=1G\n") && !strings.HasSuffix(line, "::::::userdb_quota_rule=*:storage=1G\n") {
		t.Errorf("line %q", line)
	}
	verify(t, line, "sesame")
	for _, dir := range []string{"tmp", "new", "cur"} {
		if st, err := os.Stat(filepath.Join(home, "mail/bob/Maildir", dir)); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", st, err)
		}
	}
	if st, _ := os.Stat(home + "/etc/users"); st.Mode().Perm() != 0o600 {
		t.Errorf("hashes in a file of mode %o", st.Mode().Perm())
	}
}

func TestUserAddServesTheDomain(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/virtualdomains", "old.example:bob", 0o640)
	r := in(t, home, "", "user", "add", "--etc", "etc", "--generate", "ann@bücher.example")
	if r.Code != 0 || !strings.Contains(r.Stderr, "virtualdomains: added xn--bcher-kva.example") {
		t.Fatalf("exit %d %s", r.Code, r.Stderr)
	}
	if !regexp.MustCompile(`^[a-z2-9]{5}(-[a-z2-9]{5}){3}\n$`).MatchString(r.Stdout) {
		t.Errorf("generated %q", r.Stdout)
	}
	verify(t, users(t, home), strings.TrimSpace(r.Stdout))
	got, _ := os.ReadFile(home + "/etc/virtualdomains")
	if string(got) != "old.example:bob\nxn--bcher-kva.example\n" {
		t.Errorf("virtualdomains is %q", got)
	}
	if r = in(t, home, "", "explain", "--etc", "etc", "ann@bücher.example"); !strings.Contains(r.Stdout, "/mail/xn--bcher-kva.example/ann/Maildir\n") {
		t.Errorf("explain says %s", r.Stdout)
	}
}

// What user refuses, and what is as before then.
func TestUserRefuses(t *testing.T) {
	t.Parallel()
	home := host(t)
	const before = "bob:{PLAIN}x:::::\n"
	put(t, home+"/etc/users", before, 0o600)
	put(t, home+"/etc/virtualdomains", "old.example:bob\n", 0o644)
	for _, c := range []struct {
		claim, stdin string
		args         []string
		want         string
		code         int
	}{
		{"a user who is there", "pw\n", []string{"add", "BOB"}, "there is such a user already; 'rohrpost user passwd' changes", 100},
		{"a path", "pw\n", []string{"add", "../bob"}, "begins with", 100},
		{"a path inside", "pw\n", []string{"add", "a/b"}, "contains '/'", 100},
		{"two dots", "pw\n", []string{"add", "a..b"}, "two dots", 100},
		{"a percent sign", "pw\n", []string{"add", "a%d"}, "contains '%'", 100},
		{"a colon", "pw\n", []string{"add", "a:0"}, "contains ':'", 100},
		{"a line end", "pw\n", []string{"add", "a\nroot"}, "contains", 100},
		{"no name", "pw\n", []string{"add", ""}, "name is empty", 100},
		{"a domain that is none", "pw\n", []string{"add", "bob@-x-"}, "is not a domain", 100},
		{"a domain that is rewritten", "pw\n", []string{"add", "eve@old.example"}, "virtualdomains rewrites eve@old.example to bob-eve", 111},
		{"an empty password", "\n", []string{"add", "eve"}, "password is empty", 100},
		{"no password", "", []string{"add", "eve"}, "read password", 100},
		{"a password of a megabyte", strings.Repeat("x", 1<<20), []string{"passwd", "bob"}, "longer than 256 bytes", 100},
		{"root's uid", "pw\n", []string{"add", "eve", "--uid", "0", "--gid", "0"}, "uid of eve is 0", 100},
		{"a quota that is none", "pw\n", []string{"add", "eve", "--quota", "1G"}, "is neither storage=", 100},
		{"a quota with a line of its own", "pw\n", []string{"add", "eve", "--quota", "storage=1G\nx:y"}, "contains a blank", 100},
		{"a size that is none", "pw\n", []string{"add", "eve", "--quota", "storage=foo"}, `--quota: "foo" is not a size; write it as storage=1G or storage=1G:messages=10000`, 100},
		{"a uid without gid", "pw\n", []string{"add", "eve", "--uid", "4242"}, "--uid and --gid need each other", 100},
		{"a gid without uid", "pw\n", []string{"add", "eve", "--gid", "4242"}, "--uid and --gid need each other", 100},
		{"a domain with an underscore", "pw\n", []string{"add", "x@local_host"}, `"local_host" is not a domain`, 100},
		{"a new password for nobody", "pw\n", []string{"passwd", "eve"}, "eve: there is no such user", 100},
		{"to remove nobody", "", []string{"del", "eve"}, "eve: there is no such user", 100},
		{"a host that is not there", "pw\n", []string{"add", "eve", "--home", "nowhere"}, "nowhere/etc: there is no such configuration directory; give --home", 111},
	} {
		t.Run(c.claim, func(t *testing.T) {
			args := append([]string{"user"}, c.args...)
			if !strings.Contains(strings.Join(args, " "), "--home") {
				args = append(args, "--home", ".")
			}
			r := in(t, home, c.stdin, args...)
			if r.Code != c.code || !strings.Contains(r.Stderr, c.want) || strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("exit %d, want %d: %q does not say %q", r.Code, c.code, r.Stderr, c.want)
			}
			if got := users(t, home); got != before {
				t.Errorf("users is now %q", got)
			}
			if names, _ := os.ReadDir(home + "/mail"); len(names) != 0 {
				t.Errorf("left in mail: %v", names)
			}
		})
	}
}

func TestUserPasswdChangesNothingElse(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "# us\nbob:{PLAIN}x:::Bob B.:/srv/bob::quota\ncarl::::::\n", 0o640)
	r := in(t, home, "new\n", "user", "passwd", "--home", ".", "bob@localhost")
	got := strings.Split(users(t, home), "\n")
	if r.Code != 0 || len(got) != 4 || got[0] != "# us" || got[2] != "carl::::::" || !strings.HasSuffix(got[1], ":::Bob B.:/srv/bob::quota") {
		t.Fatalf("exit %d %s: %q", r.Code, r.Stderr, got)
	}
	verify(t, got[1], "new")
}

func TestUserDelKeepsTheMail(t *testing.T) {
	t.Parallel()
	home := host(t)
	in(t, home, "pw\n", "user", "add", "--home", ".", "bob")
	r := in(t, home, "", "user", "del", "--home", ".", "bob")
	if r.Code != 0 || users(t, home) != "" || !strings.Contains(r.Stderr, "the mail is still in "+home+"/mail/bob/Maildir") {
		t.Fatalf("exit %d %s", r.Code, r.Stderr)
	}
	if _, err := os.Stat(home + "/mail/bob/Maildir/cur"); err != nil {
		t.Error(err)
	}
	in(t, home, "pw\n", "user", "add", "--home", ".", "bob")
	if r := in(t, home, "", "user", "del", "--home", ".", "--mail", "bob"); r.Code != 0 {
		t.Fatalf("exit %d %s", r.Code, r.Stderr)
	}
	if _, err := os.Stat(home + "/mail/bob"); !os.IsNotExist(err) {
		t.Errorf("the mail is still there: %v", err)
	}
}

func TestUserList(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:{ARGON2ID}x::::::userdb_quota_rule=*:storage=1M\ncarl:::::/srv/carl::\n", 0o600)
	r := in(t, home, "", "user", "list", "--home", ".")
	want := []string{`NAME +HOME +SCHEME +QUOTA`, `bob +` + home + `/mail/bob +ARGON2ID +1048576S`, `carl +/srv/carl +- +-`}
	if !regexp.MustCompile("^" + strings.Join(want, "\n") + "\n$").MatchString(r.Stdout) {
		t.Errorf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// Root adds users for the mail uid: what it makes belongs to that.
func TestUserAddByRootGivesTheMailAway(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	t.Parallel()
	home := host(t)
	const uid = 4242
	for _, dir := range []string{home, home + "/mail", home + "/etc"} {
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	in(t, home, "pw\n", "user", "add", "--home", ".", "bob")
	in(t, home, "pw\n", "user", "add", "--home", ".", "--uid", "4343", "--gid", "4344", "ann@shop.example")
	for path, want := range map[string]uint32{"mail/bob": uid, "mail/bob/Maildir/new": uid, "etc/users": uid, "etc/virtualdomains": uid,
		"mail/shop.example/ann/Maildir/cur": 4343, "mail/shop.example/ann": 4343} {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(home, path), &st); err != nil || st.Uid != want {
			t.Errorf("%s belongs to %d, %v", path, st.Uid, err)
		}
	}
}

// In a configuration that is root's, users is what the mail uid may read and
// nobody else but root.
func TestUserAddByRootLetsTheProgramsRead(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	t.Parallel()
	for _, c := range []struct {
		claim string
		id    int // of mail and queue
		mode  os.FileMode
	}{{"the mail is another uid's", 4242, 0o640}, {"the mail is root's", 0, 0o600}} {
		home := host(t)
		for _, dir := range []string{"mail", "queue"} {
			if err := os.Chown(home+"/"+dir, c.id, c.id); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(home+"/etc", 0o755); err != nil {
			t.Fatal(err)
		}
		if r := in(t, home, "pw\n", "user", "add", "--home", ".", "bob"); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		var st unix.Stat_t
		err := unix.Stat(home+"/etc/users", &st)
		if err != nil || st.Uid != 0 || st.Gid != uint32(c.id) || os.FileMode(st.Mode&0o777) != c.mode {
			t.Errorf("%s: users is %d:%d, mode %o, %v", c.claim, st.Uid, st.Gid, st.Mode&0o777, err)
		}
		if r := in(t, home, "", "check", "--home", "."); r.Code != 0 {
			t.Errorf("%s: check says\n%s%s", c.claim, r.Stdout, r.Stderr)
		}
		if err := os.Chown(home+"/etc/users", 0, 0); err != nil {
			t.Fatal(err)
		}
		r := in(t, home, "", "check", "--home", ".")
		if c.id != 0 && (r.Code != 100 || !strings.Contains(r.Stdout, "etc/users: uid 4242, who owns "+home+"/mail, cannot read it; chgrp 4242 ")) {
			t.Errorf("%s: of a file that is all root's, check says\n%s%s", c.claim, r.Stdout, r.Stderr)
		}
	}
}

func TestUserAddWithAnotherUidSaysSo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	t.Parallel()
	home := host(t)
	r := in(t, home, "pw\n", "user", "add", "--home", ".", "eve", "--uid", "4343", "--gid", "4344")
	if want := "mail for eve waits until relay and deliver run as uid 4343\n"; r.Code != 0 || !strings.Contains(r.Stderr, want) {
		t.Errorf("exit %d %s, want %s", r.Code, r.Stderr, want)
	}
	r = in(t, home, "", "check", "--home", ".")
	if want := "etc/users:1: mail for eve waits: its uid is 4343"; r.Code != 100 || !strings.Contains(r.Stdout, want) {
		t.Errorf("exit %d %s, want %s", r.Code, r.Stdout, want)
	}
}

// full is a file that takes nothing.
func full(t testing.TB) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// unheard runs rohrpost with an output that takes nothing.
func unheard(t testing.TB, home string, args ...string) (code int, stderr string) {
	t.Helper()
	c := progtest.Command(t, []string{programs(t)}, "rohrpost", args...)
	var log strings.Builder
	c.Dir, c.Stdout, c.Stderr = home, full(t), &log
	c.Run()
	return c.ProcessState.ExitCode(), log.String()
}

// A password that nobody has seen is no password.
func TestUserGenerateSaysThatNobodyHeard(t *testing.T) {
	t.Parallel()
	home := host(t)
	for _, verb := range []string{"add", "passwd"} {
		code, log := unheard(t, home, "user", verb, "--home", ".", "--generate", "bob")
		if want := "bob has a new password, but printing it failed: write /dev/stdout: no space left on device; set it again with 'rohrpost user passwd bob'"; code != 111 || !strings.Contains(log, want) {
			t.Errorf("%s: exit %d %s", verb, code, log)
		}
	}
}

// A password that is not the user's is not shown.
func TestUserGenerateShowsOnlyWhatCounts(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:{PLAIN}x:::::\n", 0o600)
	if r := in(t, home, "", "user", "add", "--home", ".", "--generate", "bob"); r.Code != 100 || r.Stdout != "" {
		t.Errorf("exit %d, shown %q", r.Code, r.Stdout)
	}
}

func TestUserDelOfTheLastSaysThatTheDomainStays(t *testing.T) {
	t.Parallel()
	home := host(t)
	for _, name := range []string{"ann@shop.example", "bob@shop.example"} {
		in(t, home, "pw\n", "user", "add", "--home", ".", name)
	}
	const want = "nobody is left in shop.example, which stays in "
	if r := in(t, home, "", "user", "del", "--home", ".", "ann@shop.example"); r.Code != 0 || strings.Contains(r.Stderr, want) {
		t.Errorf("exit %d %s", r.Code, r.Stderr)
	}
	if r := in(t, home, "", "user", "del", "--home", ".", "bob@shop.example"); r.Code != 0 || !strings.Contains(r.Stderr, want) {
		t.Errorf("exit %d %s", r.Code, r.Stderr)
	}
}
