package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// errnos are what a call may fail with (RELIABILITY, part D, layer 2).
var errnos = []unix.Errno{unix.ENOSPC, unix.EDQUOT, unix.EIO, unix.EAGAIN, unix.ENOMEM, unix.EMFILE, unix.ENFILE,
	unix.ESTALE, unix.EROFS, unix.EXDEV, unix.EPERM, unix.EACCES, unix.ENAMETOOLONG, unix.EPIPE, unix.ETIMEDOUT}

// through opens m with another FS.
func through(t testing.TB, m *maildir.Maildir, f disk.FS) *maildir.Maildir {
	t.Helper()
	other, err := maildir.Open(m.Path(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// contents is the bytes of every message in new and cur, read by nobody's code
// but Go's.
func contents(t testing.TB, m *maildir.Maildir) (all []string) {
	t.Helper()
	for _, dir := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(m.Path(), dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
	}
	return all
}

func inTmp(t testing.TB, m *maildir.Maildir) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(m.Path(), "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Each call of a delivery fails in turn with each errno, not done or done all
// the same. Never is there a part of a message; never is there a yes without
// the whole; and what is left in tmp is one file at most.
func TestF01_D05_D06_D07_NoErrnoAtAnyCallMakesUsLie(t *testing.T) {
	t.Parallel()
	const half, text = "Subject: x\n\n", "Subject: x\n\nbody\n"
	for _, base := range []string{"", "entry.1"} {
		for _, done := range []bool{false, true} {
			for _, errno := range errnos {
				m := create(t)
				yes := 0
				for at := 1; ; at++ {
					f := &disktest.Faulty{FS: disktest.Fast, At: at, Err: errno, Done: done}
					what := fmt.Sprintf("base %q, call %d, %v, done %t", base, at, errno, done)
					before := len(contents(t, m))
					given := base
					if base != "" {
						given += "." + fmt.Sprint(at)
					}
					name, err := deliverHalves(through(t, m, f), given, half, strings.TrimPrefix(text, half))
					now := contents(t, m)
					for _, c := range now {
						if c != text {
							t.Fatalf("%s: a message of %q", what, c)
						}
					}
					if err == nil {
						yes++
						if _, e := os.Stat(filepath.Join(m.Path(), "new", name)); e != nil {
							t.Fatalf("%s: said yes: %v", what, e)
						}
					} else if !errors.Is(err, errno) {
						t.Errorf("%s: error %v", what, err)
					}
					if len(now) > before+1 {
						t.Errorf("%s: %d copies", what, len(now)-before)
					}
					if left := inTmp(t, m); left > 1 {
						t.Errorf("%s: %d files in tmp", what, left)
					}
					clean(t, m)
					if !f.Hit() {
						break
					}
				}
				if yes == 0 {
					t.Errorf("errno %v: not even the delivery without a fault succeeded", errno)
				}
			}
		}
	}
}

func clean(t *testing.T, m *maildir.Maildir) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(m.Path(), "tmp", "*"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// deliverHalves delivers in two writes.
func deliverHalves(m *maildir.Maildir, base, a, b string) (string, error) {
	d, err := m.Begin(base)
	if err != nil {
		return "", err
	}
	for _, s := range []string{a, b} {
		if _, err := io.WriteString(d, s); err != nil {
			d.Abort()
			return "", err
		}
	}
	return d.Commit()
}

func TestD05_FullDiskLeavesNothing(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 2; at++ {
		m := create(t)
		f := through(t, m, &disktest.Faulty{FS: disktest.Fast, Op: "write", At: at, Err: unix.ENOSPC})
		if _, err := deliverHalves(f, "", "one\n", "two\n"); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("write %d: %v", at, err)
		}
		if n := len(contents(t, m)); n != 0 || inTmp(t, m) != 0 {
			t.Errorf("write %d: %d messages, %d files in tmp", at, n, inTmp(t, m))
		}
	}
}

func TestD05_ErrorOfWriteIsNotForgottenByCommit(t *testing.T) {
	t.Parallel()
	m := create(t)
	f := through(t, m, &disktest.Faulty{FS: disktest.Fast, Op: "write", At: 1, Err: unix.EDQUOT})
	d, err := f.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(d, "one\n")
	if _, err := io.WriteString(d, "two\n"); !errors.Is(err, unix.EDQUOT) {
		t.Errorf("second write: %v", err)
	}
	if _, err := d.Commit(); !errors.Is(err, unix.EDQUOT) {
		t.Errorf("commit: %v", err)
	}
	if n := len(contents(t, m)); n != 0 || inTmp(t, m) != 0 {
		t.Errorf("%d messages, %d files in tmp", n, inTmp(t, m))
	}
}

func TestD06_ErrorOfTheLastCloseIsNoYes(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{unix.EDQUOT, unix.EIO} { // what NFS says as late as that
		m := create(t)
		f := through(t, m, &disktest.Faulty{FS: disktest.Fast, Op: "close", At: 1, Err: errno})
		if _, err := tryDeliver(f, "", "x\n"); !errors.Is(err, errno) {
			t.Errorf("error %v, want %v", err, errno)
		}
		if n := len(contents(t, m)); n != 0 || inTmp(t, m) != 0 {
			t.Errorf("%v: %d messages, %d files in tmp", errno, n, inTmp(t, m))
		}
	}
}

func TestD07_FailedSyncIsFinal(t *testing.T) {
	t.Parallel()
	m := create(t)
	f := &disktest.Faulty{FS: disktest.Fast, Op: "sync", At: 1, Err: unix.EIO}
	if _, err := tryDeliver(through(t, m, f), "", "x\n"); !errors.Is(err, unix.EIO) {
		t.Errorf("error %v", err)
	}
	if f.Calls() != 1 {
		t.Errorf("%d syncs of one file", f.Calls())
	}
	if n := len(contents(t, m)); n != 0 || inTmp(t, m) != 0 {
		t.Errorf("%d messages, %d files in tmp", n, inTmp(t, m))
	}
}

func TestD08_D09_DeliveryWorksWithoutHardLinksAndWithLostAnswers(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		m := create(t)
		f := &disktest.Faulty{FS: disktest.Fast, Op: "link", At: 1, Err: unix.EPERM, Done: done}
		name := deliver(t, through(t, m, f), "", "x\n")
		if l := scan(t, m); l.Len() != 1 || l.At(0).String() != name || inTmp(t, m) != 0 {
			t.Errorf("done %t: %d messages, %d files in tmp", done, l.Len(), inTmp(t, m))
		}
	}
}

func TestD10_DirectoryThatCannotBeSyncedIsAccepted(t *testing.T) {
	t.Parallel()
	// disk.OS turns EINVAL of a directory's fsync into success; /proc is such a
	// directory.
	d, err := disk.OpenDir("/proc")
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	if err := unix.Fsync(d.Fd()); !errors.Is(err, unix.EINVAL) {
		t.Skipf("fsync of /proc says %v", err)
	}
	if err := disk.OS.SyncDir(d); err != nil {
		t.Error(err)
	}
}

func TestD02_D04_TakenNamesAreReplacedThreeTimesAndThenAnError(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"create", "link"} {
		for taken := 1; taken <= 4; taken++ {
			m := create(t)
			f := &takenFS{FS: disktest.Fast, op: at, left: taken}
			_, err := tryDeliver(through(t, m, f), "", "x\n")
			if (err == nil) != (taken < 3) {
				t.Errorf("%s: after %d taken names: %v", at, taken, err)
			}
			if err != nil && !strings.Contains(err.Error(), "3 names in a row were taken") {
				t.Errorf("%s: error %v", at, err)
			}
			if err != nil && (len(contents(t, m)) != 0 || inTmp(t, m) != 0) {
				t.Errorf("%s: something was left", at)
			}
		}
	}
}

// takenFS says of so many new names that they exist.
type takenFS struct {
	disk.FS
	op   string
	left int
}

func (f *takenFS) Create(d *disk.Dir, name string) (disk.File, error) {
	if f.op == "create" && f.left > 0 {
		f.left--
		return nil, &fs.PathError{Op: "create", Path: name, Err: unix.EEXIST}
	}
	return f.FS.Create(d, name)
}

func (f *takenFS) Link(from *disk.Dir, old string, to *disk.Dir, new string) error {
	if f.op == "link" && f.left > 0 {
		f.left--
		return &fs.PathError{Op: "link", Path: new, Err: unix.EEXIST}
	}
	return f.FS.Link(from, old, to, new)
}

func TestHandOverOfOneBaseIsOneMessage(t *testing.T) {
	t.Parallel()
	m := create(t)
	first := deliver(t, m, "entry.1", "x\n")
	if second := deliver(t, m, "entry.1", "x\n"); second != first {
		t.Errorf("named %q and %q", first, second)
	}
	if n := len(contents(t, m)); n != 1 || inTmp(t, m) != 0 {
		t.Errorf("%d messages, %d files in tmp", n, inTmp(t, m))
	}
	// A user's mail reader moves it; the next attempt asks before.
	msg := scan(t, m).At(0)
	if _, err := m.SetFlags(msg, maildir.Seen|maildir.Replied, 0); err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string]bool{"entry.1": true, "entry": false, "entry.12": false, "entry.1,S=2": false} {
		if ok, err := m.Has(base); ok != want || err != nil {
			t.Errorf("Has(%q) is %t, %v", base, ok, err)
		}
	}
}

func TestBaseThatWouldNotBeOneIsRefused(t *testing.T) {
	t.Parallel()
	m := create(t)
	for _, base := range []string{".x", "../x", "a/b", "a,S=1", "a:2,S", "a\x00", "a b", "a\n", "é", "~a", "#a", "a~", strings.Repeat("x", 151)} {
		if _, err := m.Begin(base); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
	if n := inTmp(t, m); n != 0 {
		t.Errorf("%d files in tmp", n)
	}
}

func TestAbortLeavesNothingAndAfterCommitDoesNothing(t *testing.T) {
	t.Parallel()
	m := create(t)
	d, err := m.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(d, "x\n")
	d.Abort()
	d.Abort()
	if n := len(contents(t, m)); n != 0 || inTmp(t, m) != 0 {
		t.Errorf("%d messages, %d files in tmp", n, inTmp(t, m))
	}
	if d, err = m.Begin(""); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	d.Abort()
	if n := len(contents(t, m)); n != 1 {
		t.Errorf("%d messages after a commit", n)
	}
}

func TestCounterSeesLineEndsAcrossWrites(t *testing.T) {
	t.Parallel()
	for text, wire := range map[string]int64{
		"": 0, "\n": 2, "\r\n": 2, "\r": 1, "a\nb": 4, "\n\n": 4, "\r\r\n": 3, "\n\r": 3, "a\r\nb\nc\r\n\n": 11, "\x00\n": 3,
	} {
		for cut := range len(text) + 1 {
			var c maildir.Counter
			c.Add([]byte(text[:cut]))
			c.Add(nil)
			c.Add([]byte(text[cut:]))
			if c.Wire != wire || c.Stored != int64(len(text)) {
				t.Errorf("%q cut at %d: %+v, want %d", text, cut, c, wire)
			}
		}
	}
}

func TestD01_SymlinkInPlaceOfAnyDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"", "tmp", "new", "cur"} {
		m := create(t)
		path := filepath.Join(m.Path(), part)
		if err := os.Rename(path, path+".real"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path+".real", path); err != nil {
			t.Fatal(err)
		}
		for name, open := range map[string]func(string, disk.FS) (*maildir.Maildir, error){"Open": maildir.Open, "Create": maildir.Create, "OpenFollow": maildir.OpenFollow} {
			got, err := open(m.Path(), disk.OS)
			if err == nil {
				got.Close()
			}
			if refused := err != nil; refused == (part == "" && name == "OpenFollow") {
				t.Errorf("%s with %q a link: %v", name, part, err)
			}
		}
	}
}

func TestD03_SwapAfterOpenChangesNothing(t *testing.T) {
	t.Parallel()
	m := create(t)
	decoy := t.TempDir()
	for _, part := range []string{"tmp", "new", "cur"} {
		if err := os.Mkdir(filepath.Join(decoy, part), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	moved := m.Path() + ".moved"
	if err := os.Rename(m.Path(), moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(decoy, m.Path()); err != nil {
		t.Fatal(err)
	}
	name := deliver(t, m, "", "x\n")
	if _, err := os.Stat(filepath.Join(moved, "new", name)); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(decoy + "/*/*"); len(files) != 0 {
		t.Errorf("written through the link: %q", files)
	}
}

func TestMissingMaildirAndMissingPartsAreNamed(t *testing.T) {
	t.Parallel()
	m := create(t)
	if _, err := maildir.Open(m.Path()+"/absent", disk.OS); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(filepath.Join(m.Path(), "cur")); err != nil {
		t.Fatal(err)
	}
	if _, err := maildir.Open(m.Path(), disk.OS); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/cur") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(m.Path()+".file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := maildir.Create(m.Path()+".file", disk.OS); err == nil {
		t.Error("a file was taken for a Maildir")
	}
}
