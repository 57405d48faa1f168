package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir/disk"
)

// The catalogue's rows about where a message goes and who can bend that (D01 to
// D04, D15, D18). A file system that meddles runs in this process; all others run
// the program.

func TestD01_SymbolicLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"", "tmp", "new", "cur"} {
		h := mailHome(t)
		decoy := mailHome(t) + "/Maildir"
		path := filepath.Join(h, "Maildir", link)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(decoy, link), path); err != nil {
			t.Fatal(err)
		}
		wants(t, deliver(t, h, hello), 75, "4.3.5 ")
		holds(t, decoy)
		if link == "" {
			wants(t, deliver(t, h, hello, "--follow"), 0, "")
			holds(t, decoy, hello)
		} else {
			wants(t, deliver(t, h, hello, "--follow"), 75, "4.3.5 ")
		}
	}
}

func TestD01_FolderThatIsASymbolicLinkIsNoFolder(t *testing.T) {
	t.Parallel()
	h, decoy := mailHome(t), mailHome(t)+"/Maildir"
	if err := os.Symlink(decoy, h+"/Maildir/.work"); err != nil {
		t.Fatal(err)
	}
	wants(t, deliver(t, h, hello, "-a", "joe+work@c"), 0, "")
	holds(t, decoy)
	if n := len(messages(t, h+"/Maildir")); n != 1 {
		t.Errorf("%d messages in the inbox", n)
	}
}

// meddler does something right before a file is created, with its name.
type meddler struct {
	disk.FS
	before func(d *disk.Dir, name string)
	calls  int
}

func (m *meddler) Create(d *disk.Dir, name string) (disk.File, error) {
	m.calls++
	m.before(d, name)
	return m.FS.Create(d, name)
}

func TestD02_NameInTmpTaken(t *testing.T) {
	t.Parallel()
	for what, plant := range map[string]func(victim, path string) error{
		"symbolic link": os.Symlink,
		"hard link":     os.Link,
		"FIFO":          func(_, path string) error { return unix.Mkfifo(path, 0o666) },
		"directory":     func(_, path string) error { return os.Mkdir(path, 0o777) },
	} {
		box := mailHome(t) + "/Maildir"
		victim := filepath.Join(t.TempDir(), "victim")
		write(t, victim, "precious")
		planted := ""
		f := &meddler{FS: disk.OS, before: func(d *disk.Dir, name string) {
			if planted == "" {
				planted = d.Path() + "/" + name
				if err := plant(victim, planted); err != nil {
					t.Error(err)
				}
			}
		}}
		if err := inProcess(f, box, strings.NewReader(hello)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if b, _ := os.ReadFile(victim); string(b) != "precious" {
			t.Errorf("%s: the victim holds %q", what, b)
		}
		os.Remove(planted)
		holds(t, box, ours+hello)
	}
}

func TestD03_MaildirSwappedBetweenCheckAndUse(t *testing.T) {
	t.Parallel()
	box, decoy := mailHome(t)+"/Maildir", mailHome(t)+"/Maildir"
	f := &meddler{FS: disk.OS, before: func(*disk.Dir, string) {
		if err := errors.Join(os.Rename(box, box+".moved"), os.Symlink(decoy, box)); err != nil {
			t.Error(err)
		}
	}}
	if err := inProcess(f, box, strings.NewReader(hello)); err != nil {
		t.Error(err)
	}
	holds(t, decoy)
	holds(t, box+".moved", ours+hello)
}

func TestD04_AllNamesTaken(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	f := &meddler{FS: disk.OS, before: func(d *disk.Dir, name string) { write(t, d.Path()+"/"+name, "") }}
	err := inProcess(f, box, strings.NewReader(hello))
	if err == nil || judge(err).permanent() || f.calls != 3 {
		t.Errorf("%v after %d tries", err, f.calls)
	}
	if got := names(t, box+"/new"); len(got) != 0 {
		t.Errorf("new holds %q", got)
	}
}

func TestD15_HostileEnvelope(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{"() { :;}; touch owned", "../../etc", "..", ".", "/", "/etc/passwd", "a/../..", "a\nb", "a..b", ".work", "work.", "-rf", "~", "$(id)", "`id`", "|id",
		"INBOX", "new", "\xff", strings.Repeat("x", 300)} {
		h := mailHome(t, ".work", ".new")
		before := tree(t, filepath.Dir(h))
		env := []string{"HOME=" + h, "EXTENSION=" + ext, "SENDER=a\nBcc: victim@x\r\n\n" + ext, "RECIPIENT=joe+" + ext + "@c\nX-Evil: yes"}
		wants(t, progtest.Run(t, strings.NewReader(hello), env, "deliver"), 0, "")
		got := messages(t, h+"/Maildir")
		if ext == "new" { // a folder may be called that
			got = messages(t, h+"/Maildir/.new")
		}
		if len(got) != 1 {
			t.Fatalf("%q: %d messages in the inbox", ext, len(got))
		}
		header, body, _ := strings.Cut(got[0], "\n\n")
		if body != "world\n" || strings.Count(header, "\n") != 2 || !strings.HasSuffix(header, "\nSubject: hello") {
			t.Errorf("%q: header %q", ext, header)
		}
		if after := tree(t, filepath.Dir(h)); len(after) != len(before)+1 {
			t.Errorf("%q: %q became %q", ext, before, after)
		}
	}
}

// tree is the path of everything below dir.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestD18_WritableByOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		mode os.FileMode
		code int
		want string
	}{
		{"", 0o770, 75, "home"},
		{"", 0o702, 75, "home"},
		{"", 0o755, 0, ""},
		{"", 0o777 | os.ModeSticky, 0, ""},
		{"Maildir", 0o720, 75, "Maildir"},
		{"Maildir", 0o707, 75, "Maildir"},
		{"Maildir", 0o755, 0, ""},
		{"Maildir/.work", 0o770, 75, "Maildir"},
	} {
		h := mailHome(t, ".work")
		path := filepath.Join(h, tt.path)
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		want := ""
		if tt.code != 0 {
			want = fmt.Sprintf("4.3.5 mailbox cannot be used as it is set up: %s %s is writable by others (mode %04o); chmod go-w %s\n",
				tt.want, path, tt.mode.Perm(), path)
		}
		t.Logf("%q %v", tt.path, tt.mode)
		wants(t, deliver(t, h, hello, "-a", "joe+work@c"), tt.code, want)
	}
}

func TestD18_WrongOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for _, path := range []string{"", "Maildir"} {
		h := mailHome(t)
		if err := os.Chown(filepath.Join(h, path), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		r := deliver(t, h, hello)
		wants(t, r, 75, "4.3.5 ")
		if !strings.Contains(r.Stderr, "belongs to uid 12345, and deliver runs as uid 0; run it as uid 12345") {
			t.Errorf("%q: %q", path, r.Stderr)
		}
		holds(t, h+"/Maildir")
	}
}
