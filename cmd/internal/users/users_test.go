package users_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
)

// write makes a configuration directory with this users file.
func write(t testing.TB, text string) control.Dir {
	t.Helper()
	etc := control.Dir{Path: t.TempDir()}
	if err := os.WriteFile(etc.File("users"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return etc
}

func TestLookup(t *testing.T) {
	t.Parallel()
	etc := write(t, "# bob:{PLAIN}comment\n\nbob:{PLAIN}secret:1000:1001:Bob:/srv/bob:/bin/sh:userdb_quota_rule=*:storage=1G:messages=5 more=x\n"+
		"Ann@Shop.Example:$6$x\ncarl:::::\r\nbob:{PLAIN}second\ndave::::: /x\n")
	for _, c := range []struct {
		claim, name string
		want        users.User
	}{
		{"all fields are read", "bob", users.User{Name: "bob", Hash: "{PLAIN}secret", UID: 1000, GID: 1001, Home: "/srv/bob", Quota: "1073741824S,5C", Line: 3}},
		{"names have no case", "BOB", users.User{Name: "bob", Hash: "{PLAIN}secret", UID: 1000, GID: 1001, Home: "/srv/bob", Quota: "1073741824S,5C", Line: 3}},
		{"a virtual user's home is below the domain", "ann@shop.example", users.User{Name: "ann@shop.example", Hash: "$6$x", UID: -1, GID: -1, Home: "/mail/shop.example/ann", Line: 4}},
		{"a line may end in CR LF and be short", "carl", users.User{Name: "carl", UID: -1, GID: -1, Home: "/mail/carl", Line: 5}},
		{"the bare name is another user than the virtual one", "ann", users.User{}},
		{"a part of a name is nobody", "bo", users.User{}},
		{"a comment is nobody", "# bob", users.User{}},
		{"the empty name is nobody", "", users.User{}},
	} {
		t.Run(c.claim, func(t *testing.T) {
			got, ok, err := users.Lookup(etc, "/mail", c.name)
			if err != nil {
				t.Fatal(err)
			}
			if ok != (c.want.Name != "") {
				t.Fatalf("found: %v", ok)
			}
			if ok {
				c.want.File = etc.File("users")
			}
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestFirstOfSeveralNames(t *testing.T) {
	t.Parallel()
	table := users.Open(write(t, "bob:x\nbob-lists:y\n"), "/mail")
	u, which, err := table.First("bob-lists-go", "bob-lists", "bob")
	if err != nil || which != 1 || u.Name != "bob-lists" {
		t.Errorf("%v, %d, %v: the longer name counts although it stands later", u.Name, which, err)
	}
	if _, which, err = table.First("eve", "eve-x"); which != -1 || err != nil {
		t.Errorf("nobody: %d, %v", which, err)
	}
}

// A directory that is mistyped or not mounted must not make everybody unknown:
// that would bounce mail.
func TestMissingFileIsAnErrorAndAnEmptyOneIsNot(t *testing.T) {
	t.Parallel()
	gone := control.Dir{Path: t.TempDir() + "/none"}
	_, ok, err := users.Lookup(gone, "/mail", "bob")
	if ok || err == nil || !strings.Contains(err.Error(), "none/users: does not exist; 'rohrpost user add' makes it") {
		t.Errorf("%v, %v", ok, err)
	}
	if taken, err := users.Open(gone, "/mail").Has("bob"); taken || err != nil {
		t.Errorf("taken %v, %v", taken, err)
	}
	if _, ok, err := users.Lookup(write(t, ""), "/mail", "bob"); ok || err != nil {
		t.Errorf("empty file: %v, %v", ok, err)
	}
}

// What a line can have wrong, and what is said then.
var wrongLines = []struct{ claim, line, want string }{
	{"root has no mailbox", "bob:x:0:\n", `1: uid of bob is 0`},
	{"a uid is a number", "bob:x:mail:\n", `"mail" is not a number`},
	{"a gid is below 2^32-1", "bob:x:1:4294967295\n", `"4294967295" is not a number`},
	{"a home is not a blank", "bob:x:::: :\n", `home " " of bob`},
	{"a relative home is refused", "bob:x::::mail/bob\n", `home "mail/bob" of bob is not an absolute path`},
	{"a quota names its unit", "bob:x::::::userdb_quota_rule=*:size=1\n", "quota of bob"},
	{"a quota does not overflow", "bob:x::::::userdb_quota_rule=*:storage=99999999T\n", "is not a size"},
	{"a line has a colon", "bob\n", `"bob" has no colon`},
	{"the last line ends", "bob:x", "half written"},
	{"a line is not endless", "bob:" + strings.Repeat("x", control.MaxLine) + "\n", "is longer than"},
	{"a line has no NUL", "bob:\x00x\n", "NUL"},
}

func TestWrongLines(t *testing.T) {
	t.Parallel()
	for _, c := range wrongLines {
		t.Run(c.claim, func(t *testing.T) {
			etc := write(t, c.line)
			_, ok, err := users.Lookup(etc, "/mail", "bob")
			var ce *control.Error
			if ok || !errors.As(err, &ce) || ce.Line != 1 || ce.File != etc.File("users") {
				t.Fatalf("found %v, error %v: want a control.Error in line 1", ok, err)
			}
			if !strings.Contains(err.Error(), c.want) || ce.Remedy == "" {
				t.Errorf("%q does not say %q, or no remedy", err, c.want)
			}
		})
	}
}

// TestA20_... : a users file that is written or kept carelessly is refused, and
// nobody is unknown because of it.
func TestA20_TornLastLineIsRefused(t *testing.T) {
	t.Parallel()
	etc := write(t, "ann:x:::::\nbob:{PLAIN}x::::/srv/bo")
	if _, ok, err := users.Lookup(etc, "/mail", "bob"); ok || err == nil {
		t.Errorf("a home that may be cut short was used: %v, %v", ok, err)
	}
	if _, ok, err := users.Lookup(etc, "/mail", "ann"); !ok || err != nil {
		t.Errorf("a whole line counts: %v, %v", ok, err)
	}
}

func TestA20_ModesThatShowSecretsAreRefused(t *testing.T) {
	t.Parallel()
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o644: false, 0o660: false, 0o602: false, 0o604: false} {
		etc := write(t, "bob:x:::::\n")
		if err := os.Chmod(etc.File("users"), mode); err != nil {
			t.Fatal(err)
		}
		_, found, err := users.Lookup(etc, "/mail", "bob")
		if found != ok || (err == nil) != ok {
			t.Errorf("mode %o: found %v, error %v", mode, found, err)
		}
		if !ok && !strings.Contains(fmt.Sprint(err), "chmod") {
			t.Errorf("mode %o: %v names no remedy", mode, err)
		}
	}
}

func TestA20_ReplacedFileCountsAtOnce(t *testing.T) {
	t.Parallel()
	etc := write(t, "bob:one\n")
	table := users.Open(etc, "/mail")
	for i := range 50 {
		hash := fmt.Sprintf("%03d", i) // the same size each time
		if err := table.SetHash(etc, "bob", hash); err != nil {
			t.Fatal(err)
		}
		if u, _, err := table.First("bob"); err != nil || u.Hash != hash {
			t.Fatalf("after change %d: %q, %v", i, u.Hash, err)
		}
	}
}

func TestA20_MillionUsersAreReadThrough(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 60 MB")
	}
	var b bytes.Buffer
	const n = 1_000_000
	for i := range n {
		fmt.Fprintf(&b, "user%d@shop.example:{ARGON2ID}$argon2id$v=19$x:::::\n", i)
	}
	etc := write(t, b.String())
	u, ok, err := users.Lookup(etc, "/mail", fmt.Sprintf("user%d@shop.example", n-1))
	if !ok || err != nil || u.Line != n {
		t.Errorf("%v, %v, line %d", ok, err, u.Line)
	}
}

func TestEditing(t *testing.T) {
	t.Parallel()
	const before = "# people\nbob:old:1:2:Bob:/srv/bob::extra=1\n\ncarl:x\n"
	for _, c := range []struct {
		claim string
		edit  func(*users.Table, control.Dir) error
		want  string
		err   error
	}{
		{"a new user is appended", func(u *users.Table, d control.Dir) error { return u.Add(d, "eve:y:::::") }, before + "eve:y:::::\n", nil},
		{"a user is added once", func(u *users.Table, d control.Dir) error { return u.Add(d, "BOB:y:::::") }, before, users.ErrExists},
		{"a new hash leaves the rest of the line", func(u *users.Table, d control.Dir) error { return u.SetHash(d, "Bob", "new") },
			strings.Replace(before, ":old:", ":new:", 1), nil},
		{"a short line gets its hash", func(u *users.Table, d control.Dir) error { return u.SetHash(d, "carl", "new") },
			strings.Replace(before, "carl:x", "carl:new", 1), nil},
		{"nobody gets no hash", func(u *users.Table, d control.Dir) error { return u.SetHash(d, "eve", "new") }, before, users.ErrMissing},
		{"a hash cannot bring a line of its own", func(u *users.Table, d control.Dir) error { return u.SetHash(d, "bob", "x\nroot:y") }, before, errAny},
		{"a deleted line takes nothing else away", func(u *users.Table, d control.Dir) error { return u.Delete(d, "bob") }, "# people\n\ncarl:x\n", nil},
		{"nobody cannot be deleted", func(u *users.Table, d control.Dir) error { return u.Delete(d, "# people") }, before, errAny},
		{"a wrong line is not added", func(u *users.Table, d control.Dir) error { return u.Add(d, "eve:y:0:") }, before, errAny},
	} {
		t.Run(c.claim, func(t *testing.T) {
			etc := write(t, before)
			err := c.edit(users.Open(etc, "/mail"), etc)
			if (err != nil) != (c.err != nil) || c.err != errAny && !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			got, _ := os.ReadFile(etc.File("users"))
			if string(got) != c.want {
				t.Errorf("the file is now\n%swant\n%s", got, c.want)
			}
			if left, _ := filepath.Glob(etc.File(".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// errAny stands for any error.
var errAny = errors.New("any")

func TestEditKeepsMode(t *testing.T) {
	t.Parallel()
	etc := write(t, "bob:x\n")
	os.Chmod(etc.File("users"), 0o640)
	if err := users.Open(etc, "/mail").SetHash(etc, "bob", "y"); err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(etc.File("users")); st.Mode().Perm() != 0o640 {
		t.Errorf("mode %o", st.Mode().Perm())
	}
}

func TestLineRefusesSeparators(t *testing.T) {
	t.Parallel()
	for _, c := range [][4]string{{"b:ob", "h", "", ""}, {"bob", "h\n", "", ""}, {"bob", "h", "/a:b", ""}, {"bob", "h", "", "storage=1G\nroot:x"}} {
		if line, err := users.Line(c[0], c[1], users.None, users.None, c[2], c[3]); err == nil {
			t.Errorf("%q became %q", c, line)
		}
	}
}

func TestParseQuota(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"storage=1G": "1073741824S", "storage=10": "10240S", "bytes=10": "10S", "storage=2M:messages=7": "2097152S,7C",
		"storage=": "", "storage=1X": "", "storage=-1": "", "": "", "storage=1GG": "", "messages=x": "",
	} {
		got, err := users.ParseQuota(rule)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", rule, got, err, want)
		}
	}
}

// FuzzLine checks that no line of the file leads a default home out of the mail
// directory, and that a user found has the name that was asked for.
func FuzzLine(f *testing.F) {
	for _, c := range wrongLines {
		f.Add(c.line, "bob")
	}
	f.Add("../x:y:::::\n", "../x")
	f.Add("a@../b:y:::::\n", "a@../b")
	f.Add("bob:x:::::\n#:\n", "#")
	f.Fuzz(func(t *testing.T, text, name string) {
		u, ok, err := users.Lookup(write(t, text), "/mail", name)
		if !ok || err != nil {
			return
		}
		if u.Name != users.Fold(name) {
			t.Errorf("%q found %q", name, u.Name)
		}
		if home := users.DefaultHome("/mail", u.Name); !strings.HasPrefix(home, "/mail/") || strings.Contains(home, "..") {
			t.Errorf("%q lives in %q", name, home)
		}
		if u.UID == 0 || !filepath.IsAbs(u.Home) {
			t.Errorf("%+v", u)
		}
	})
}
