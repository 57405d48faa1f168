package control_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
)

// write makes a configuration directory with one file.
func write(t testing.TB, name, text string) control.Dir {
	t.Helper()
	d := control.Dir{Path: t.TempDir()}
	if err := os.WriteFile(d.File(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestO04_BadFilesAreRefused: one clear line, and never a permissive default.
func TestO04_BadFilesAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim, text string
		prepare     func(path string) error
		want        string
	}{
		{"a NUL names its line", "1\n2\x00\n", nil, ":2: contains a NUL byte"},
		{"a megabyte is enough", strings.Repeat("#\n", 1<<20), nil, "is larger than 1 MiB"},
		{"a word is no number", "many\n", nil, `:1: "many" is not a number`},
		{"a number is not negative", "-1\n", nil, `:1: "-1" is not a number`},
		{"one value is one line", "1\n2\n", nil, ":2: databytes is one value"},
		{"everybody may write it", "1\n", func(p string) error { return os.Chmod(p, 0o646) }, "chmod o-w"},
		{"a FIFO does not block", "", func(p string) error { os.Remove(p); return unix.Mkfifo(p, 0o644) }, "is not a regular file"},
		{"a directory is no file", "", func(p string) error { os.Remove(p); return os.Mkdir(p, 0o755) }, "is not a regular file"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			d := write(t, "databytes", c.text)
			if c.prepare != nil {
				if err := c.prepare(d.File("databytes")); err != nil {
					t.Fatal(err)
				}
			}
			n, err := d.Int("", "databytes", 7)
			if err == nil || n != 0 {
				t.Fatalf("%d, %v: the default was used, or worse", n, err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), d.File("databytes")) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

func TestO04_MissingFileIsTheDefault(t *testing.T) {
	t.Parallel()
	d := control.Dir{Path: t.TempDir() + "/none"}
	if n, err := d.Int("", "databytes", 7); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestQueueAndMailPaths(t *testing.T) {
	d := write(t, "queue", "../q\n")
	for _, c := range []struct{ claim, flag, env, want string }{
		{"a relative path starts at the directory", "", "", filepath.Join(filepath.Dir(d.Path), "q")},
		{"the environment counts before the file", "", "/env/q", "/env/q"},
		{"the flag counts before both", "/flag/q", "/env/q", "/flag/q"},
	} {
		t.Setenv("ROHRPOST_QUEUE", c.env)
		if got, err := d.Queue(c.flag); got != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.claim, got, err)
		}
	}
	if got, err := d.Mail(""); got != control.DefaultMail || err != nil {
		t.Errorf("without a file: %q, %v", got, err)
	}
	os.WriteFile(d.File("mail"), []byte("a\nb\n"), 0o644)
	if got, err := d.Mail(""); err == nil {
		t.Errorf("two paths became %q", got)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	d := write(t, "expire", "# rules\nTrash 30d\nMy Lists.Noise\t2w\nINBOX 12h\n")
	rules, err := d.Expiry()
	if err != nil || len(rules) != 3 {
		t.Fatalf("%v, %v", rules, err)
	}
	if r := rules[1]; r.Folder != "My Lists.Noise" || r.Age != 14*24*time.Hour || r.No != 3 {
		t.Errorf("%+v", r)
	}
	for _, text := range []string{"Trash", "Trash 0d", "Trash 3", "Trash d", "Trash -1d", "Trash 3y", "Trash 99999d"} {
		if rules, err := write(t, "expire", text+"\n").Expiry(); err == nil {
			t.Errorf("%q is %v", text, rules)
		}
	}
}

// lines reads a File as strings.
func lines(t testing.TB, f *control.File) []string {
	t.Helper()
	var all []string
	if _, err := f.Each(func(r control.Row) (bool, error) {
		all = append(all, string(r.Text))
		return false, nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestA20_FileFollowsEveryChange changes a file in ways that leave as much of
// its state alone as can be.
func TestA20_FileFollowsEveryChange(t *testing.T) {
	t.Parallel()
	d := write(t, "users", "one\n")
	f := &control.File{Path: d.File("users")}
	old := time.Now().Add(-time.Hour)
	for i, change := range []func(text string) error{
		func(s string) error { return os.WriteFile(f.Path, []byte(s), 0o644) },
		func(s string) error { // in place, with the old time stamp
			err := os.WriteFile(f.Path, []byte(s), 0o644)
			return errors.Join(err, os.Chtimes(f.Path, old, old))
		},
		func(s string) error {
			return d.Replace("users", 0o644, func(w io.Writer) error { _, err := io.WriteString(w, s); return err })
		},
	} {
		for j := range 20 {
			text := fmt.Sprintf("%d%02d", i, j)
			if err := change(text + "\n"); err != nil {
				t.Fatal(err)
			}
			if got := lines(t, f); len(got) != 1 || got[0] != text {
				t.Fatalf("way %d, change %d: %q", i, j, got)
			}
		}
	}
	os.Remove(f.Path)
	if got := lines(t, f); len(got) != 0 {
		t.Errorf("a file that is gone has %q", got)
	}
}

func TestFileKeepsNothingThatIsLarge(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(strings.Repeat("x", 99)+"\n", 30_000)
	f := &control.File{Path: write(t, "users", text).File("users")}
	for range 2 {
		if got := len(lines(t, f)); got != 30_000 {
			t.Errorf("%d lines", got)
		}
	}
}

// A reader that comes in the middle of Replace sees the old file.
func TestReplaceIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	d := write(t, "users", "old\n")
	broken := errors.New("broken")
	err := d.Replace("users", 0o600, func(w io.Writer) error {
		io.WriteString(w, "half")
		if got, _ := os.ReadFile(d.File("users")); string(got) != "old\n" {
			t.Errorf("a reader sees %q", got)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	names, _ := os.ReadDir(d.Path)
	if got, _ := os.ReadFile(d.File("users")); string(got) != "old\n" || len(names) != 1 {
		t.Errorf("%q, %v", got, names)
	}
}

func TestReplaceRemovesWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	d := write(t, ".users.new", "half")
	if err := d.Replace("users", 0o600, func(w io.Writer) error { _, err := io.WriteString(w, "new\n"); return err }); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(d.File("users"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	names, _ := os.ReadDir(d.Path)
	if got, _ := os.ReadFile(d.File("users")); string(got) != "new\n" || len(names) != 1 {
		t.Errorf("%q, %v", got, names)
	}
}

func TestKnownFilesAreInTheManual(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../man/rohrpost-control.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range control.Names() {
		if !bytes.Contains(page, []byte("\n.It Pa "+name+"\n")) {
			t.Errorf("rohrpost-control(5) does not know %s", name)
		}
	}
	if n := bytes.Count(page, []byte("\n.It Pa ")); n != len(control.Known) {
		t.Errorf("rohrpost-control(5) has %d files, the programs have %d", n, len(control.Known))
	}
}

// FuzzFile checks that a File has the lines that its text has, or says why not.
func FuzzFile(f *testing.F) {
	f.Add("a\nb")
	f.Add("\n\n\x00")
	f.Add(strings.Repeat("x", control.MaxLine) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		d := write(t, "locals", text)
		table := &control.File{Path: d.File("locals")}
		var rows []string
		torn := false
		exists, err := table.Each(func(r control.Row) (bool, error) {
			if r.No != len(rows)+1 {
				t.Fatalf("line %d is called %d", len(rows)+1, r.No)
			}
			rows, torn = append(rows, string(r.Text)), r.Torn
			return false, nil
		})
		if !exists {
			t.Fatal("the file is there")
		}
		if err != nil {
			if !strings.Contains(text, "\x00") && len(text) < control.MaxLine {
				t.Fatal(err)
			}
			return
		}
		got := strings.Join(rows, "\n")
		if len(rows) > 0 && !torn {
			got += "\n"
		}
		if got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// FuzzControl reads a hostile control file in every form.
func FuzzControl(f *testing.F) {
	f.Add("12\n")
	f.Add("# x\nTrash 30d\n")
	f.Add("-9223372036854775808")
	f.Fuzz(func(t *testing.T, text string) {
		d := write(t, "x", text)
		if n, err := d.Int("", "x", 1); err == nil && n < 0 {
			t.Errorf("number %d", n)
		}
		if s, err := d.Seconds("", "x", 1); err == nil && s < 0 {
			t.Errorf("seconds %v", s)
		}
		if v, err := d.Value("x", ""); err == nil && strings.ContainsAny(v, "\n\x00") {
			t.Errorf("value %q", v)
		}
		os.Rename(d.File("x"), d.File("expire"))
		rules, err := d.Expiry()
		for _, r := range rules {
			if err == nil && (r.Age < time.Hour || r.Folder == "") {
				t.Errorf("rule %+v", r)
			}
		}
	})
}
