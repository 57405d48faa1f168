package maildir_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// tree is a Maildir with these folders, each with a message that says its name.
func tree(t *testing.T, names ...string) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	furnish(t, m, names...)
	return m
}

func furnish(t *testing.T, m *maildir.Maildir, names ...string) {
	t.Helper()
	for _, name := range names {
		f, err := m.CreateFolder(name)
		if err != nil {
			t.Fatal(err)
		}
		deliver(t, f, "", name)
		f.Close()
	}
}

// folderTexts is the folders of the Maildir at path and what their messages say.
func folderTexts(path string) (map[string]string, error) {
	m, err := maildir.Open(path, disktest.Fast)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	names, err := m.Folders()
	if err != nil {
		return nil, err
	}
	says := map[string]string{}
	for _, name := range names {
		files, err := filepath.Glob(filepath.Join(path, "."+name, "new", "*"))
		if err != nil {
			return nil, err
		}
		says[name] = ""
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			says[name] += string(b)
		}
	}
	return says, nil
}

func wantFolders(t *testing.T, m *maildir.Maildir, want map[string]string) {
	t.Helper()
	got, err := folderTexts(m.Path())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("folders %v, %v, want %v", got, err, want)
	}
}

// RFC 9051 section 6.3.5: "The DELETE command MUST NOT remove inferior hierarchical
// names."
func TestI36DeleteLeavesChildren(t *testing.T) {
	t.Parallel()
	m := tree(t, "a", "a.b", "ab")
	if err := m.DeleteFolder("a"); err != nil {
		t.Fatal(err)
	}
	wantFolders(t, m, map[string]string{"a.b": "a.b", "ab": "ab"})
	if left, _ := os.ReadDir(m.Path() + "/tmp"); len(left) != 0 {
		t.Errorf("tmp holds %v", left)
	}
	if err := m.DeleteFolder("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := m.DeleteFolder("INBOX"); !errors.Is(err, maildir.ErrFolderName) {
		t.Errorf("the inbox: %v", err)
	}
}

func TestI11DeleteFollowsNoSymlink(t *testing.T) {
	t.Parallel()
	m := tree(t, "a")
	outside := t.TempDir()
	keep := filepath.Join(outside, "keep")
	must(t, os.WriteFile(keep, nil, 0o600))
	must(t, os.Symlink(outside, m.Path()+"/.link"))
	must(t, os.Symlink(outside, m.Path()+"/.a/cur/link"))
	must(t, os.Mkdir(m.Path()+"/.a/extra", 0o700))
	must(t, os.Symlink(keep, m.Path()+"/.a/extra/link"))
	if err := m.DeleteFolder("link"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link: %v", err)
	}
	if err := m.DeleteFolder("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(m.Path() + "/.link"); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(m.Path() + "/tmp"); len(left) != 0 {
		t.Errorf("tmp holds %v", left)
	}
}

func TestDeleteEndsWhereDirectoriesAreNestedTooDeep(t *testing.T) {
	t.Parallel()
	m := tree(t, "a")
	must(t, os.MkdirAll(m.Path()+"/.a"+strings.Repeat("/d", 40), 0o700))
	if err := m.DeleteFolder("a"); err != nil {
		t.Fatal(err)
	}
	wantFolders(t, m, map[string]string{})
	if _, err := m.Sweep(time.Now()); err == nil {
		t.Error("Sweep says that it has removed 40 levels")
	}
}

func TestSweepRemovesWhatAKilledDeleteLeft(t *testing.T) {
	t.Parallel()
	m := tree(t, "a", "b")
	broken := &disktest.Faulty{FS: disktest.Fast, Op: "remove", At: 1, Err: unix.EIO}
	b, err := maildir.Open(m.Path(), broken)
	must(t, err)
	defer b.Close()
	must(t, b.DeleteFolder("a"))
	if left, _ := os.ReadDir(m.Path() + "/tmp"); len(left) != 1 {
		t.Fatalf("tmp holds %v", left)
	}
	if n, err := m.Sweep(time.Now()); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if left, _ := os.ReadDir(m.Path() + "/tmp"); len(left) != 0 {
		t.Errorf("tmp holds %v", left)
	}
}

// RFC 9051 section 6.3.6: "If the name has inferior hierarchical names, then the
// inferior hierarchical names MUST also be renamed."
func TestI36RenameTakesChildrenAlong(t *testing.T) {
	t.Parallel()
	m := tree(t, "a", "a.b", "a.b.c", "ab", "z")
	if err := m.RenameFolder("a", "x.y"); err != nil {
		t.Fatal(err)
	}
	wantFolders(t, m, map[string]string{"x.y": "a", "x.y.b": "a.b", "x.y.b.c": "a.b.c", "ab": "ab", "z": "z"})
}

func TestRenameOfAParentThatIsNoFolderItself(t *testing.T) {
	t.Parallel()
	m := tree(t, "a.b")
	if err := m.RenameFolder("a", "x"); err != nil {
		t.Fatal(err)
	}
	wantFolders(t, m, map[string]string{"x.b": "a.b"})
}

func TestI36RenameThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", 200)
	for _, c := range []struct {
		about, old, new string
		want            error
	}{
		{"the new name is taken", "a", "b", maildir.ErrFolderExists},
		{"a child's new name is taken", "a", "c", maildir.ErrFolderExists},
		{"the new name of a mere parent is taken", "p", "b", maildir.ErrFolderExists},
		{"the same name", "a", "a", maildir.ErrFolderExists},
		{"into itself", "a", "a.x", maildir.ErrFolderName},
		{"there is none", "x", "y", fs.ErrNotExist},
		{"no name", "a", "x..y", maildir.ErrFolderName},
		{"of no name", "../x", "y", maildir.ErrFolderName},
		{"to the inbox", "a", "INBOX", maildir.ErrFolderName},
		{"a child's name becomes too long", "a", long, maildir.ErrFolderName},
	} {
		deep := "a.d." + strings.Repeat("d", 60)
		m := tree(t, "a", "b", "a.k", "c.k", "p.x", deep)
		before, err := folderTexts(m.Path())
		must(t, err)
		if err := m.RenameFolder(c.old, c.new); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.about, err)
		}
		wantFolders(t, m, before)
	}
}

func TestRenameThatFailsMidwayIsUndone(t *testing.T) {
	t.Parallel()
	m := tree(t, "a", "a.b", "a.c")
	before, err := folderTexts(m.Path())
	must(t, err)
	for at := 1; at <= 3; at++ {
		broken := &disktest.Faulty{FS: disktest.Fast, Op: "renamenew", At: at, Err: unix.ENOSPC}
		b, err := maildir.Open(m.Path(), broken)
		must(t, err)
		if err := b.RenameFolder("a", "x"); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("rename %d: %v", at, err)
		}
		b.Close()
		wantFolders(t, m, before)
	}
}

// judgeFolders runs change and holds every world to: each folder is whole, under
// its old or its new name, and after a yes under the new one. A new name that is
// empty is none.
func judgeFolders(t *testing.T, names map[string]string, change func(m *maildir.Maildir) error) {
	t.Helper()
	made := tree(t, slices.Collect(maps.Keys(names))...)
	root := filepath.Dir(made.Path())
	r := disktest.Record(t, root)
	m, err := maildir.Open(made.Path(), r)
	must(t, err)
	defer m.Close()
	must(t, change(m))
	r.Ack("done")
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		got, err := folderTexts(filepath.Join(root, "Maildir"))
		if err != nil {
			return err
		}
		for old, new := range names {
			switch {
			case got[old] == old && (old == new || !w.Acked("done")), new == "" && got[old] == "":
			case new != "" && got[new] == old:
			default:
				return fmt.Errorf("folder %q is neither itself nor %q: %v", old, new, got)
			}
			if _, ok := got[old]; ok && old != new && w.Acked("done") {
				return fmt.Errorf("folder %q is still there", old)
			}
		}
		return nil
	})
	if n < len(names) {
		t.Errorf("only %d worlds", n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestI37RenamedFoldersHaveOldOrNewNameAfterEveryPowerCut(t *testing.T) {
	t.Parallel()
	names := map[string]string{"a": "x", "b": "b"}
	for i := range 6 {
		names[fmt.Sprintf("a.c%d", i)] = fmt.Sprintf("x.c%d", i)
	}
	judgeFolders(t, names, func(m *maildir.Maildir) error { return m.RenameFolder("a", "x") })
}

func TestI37DeletedFolderIsWholeOrGoneAfterEveryPowerCut(t *testing.T) {
	t.Parallel()
	judgeFolders(t, map[string]string{"a": "", "a.b": "a.b"}, func(m *maildir.Maildir) error { return m.DeleteFolder("a") })
}

// killed is a file system of a process that is killed after some renames.
type killed struct {
	disk.FS
	renames int
}

func (k *killed) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	if k.renames--; k.renames < 0 {
		return unix.EIO
	}
	return k.FS.RenameNew(from, old, to, new)
}

// "kill -9 in RENAME of tree of 100 folders: each folder old or new name; no loss";
// and the same call does the rest.
func TestI37RenameThatWasKilledIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	const folders = 100
	names := []string{"a"}
	want := map[string]string{"x": "a"}
	for i := range folders - 1 {
		name := fmt.Sprintf("c%d", i)
		names = append(names, "a."+name)
		want["x."+name] = "a." + name
	}
	for _, stop := range []int{0, 1, 2, 50, folders - 1} {
		m := tree(t, names...)
		k, err := maildir.Open(m.Path(), &killed{FS: disktest.Fast, renames: stop})
		must(t, err)
		if err := k.RenameFolder("a", "x"); !errors.Is(err, unix.EIO) {
			t.Errorf("after %d: %v", stop, err)
		}
		k.Close()
		got, err := folderTexts(m.Path())
		must(t, err)
		for new, old := range want {
			if got[new] != old && got[old] != old {
				t.Errorf("after %d: %s has neither name", stop, old)
			}
		}
		if err := m.RenameFolder("a", "x"); err != nil {
			t.Fatalf("after %d: %v", stop, err)
		}
		wantFolders(t, m, want)
	}
}

func BenchmarkFolders2000(b *testing.B) {
	m, err := maildir.Create(disktest.Memory(b)+"/Maildir", disktest.Fast)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	for i := range 2000 {
		f, err := m.CreateFolder(fmt.Sprintf("Lists.Projekt%d.Übersicht", i))
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	b.ReportAllocs()
	for b.Loop() {
		if names, err := m.Folders(); err != nil || len(names) != 2000 {
			b.Fatal(len(names), err)
		}
	}
}
