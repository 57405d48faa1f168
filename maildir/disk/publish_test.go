package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// tree is a directory with tmp and new in it, and tmp/m.
type tree struct {
	root     string
	tmp, new *disk.Dir
}

func newTree(t *testing.T) tree {
	t.Helper()
	tr := tree{root: t.TempDir()}
	for name, d := range map[string]**disk.Dir{"tmp": &tr.tmp, "new": &tr.new} {
		path := filepath.Join(tr.root, name)
		must(t, os.Mkdir(path, 0o700))
		dir, err := disk.OpenDir(path)
		must(t, err)
		t.Cleanup(func() { dir.Close() })
		*d = dir
	}
	must(t, os.WriteFile(tr.path("tmp/m"), []byte("mail"), 0o600))
	return tr
}

func (tr tree) path(name string) string { return filepath.Join(tr.root, name) }

// files is the paths of all files in tmp and new.
func (tr tree) files(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(tr.path("*/*"))
	must(t, err)
	for i := range paths {
		paths[i] = strings.TrimPrefix(paths[i], tr.root+"/")
	}
	return paths
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// steps notes the names of calls.
type steps struct {
	disk.FS
	calls []string
}

func (s *steps) Link(from *disk.Dir, old string, to *disk.Dir, new string) error {
	s.calls = append(s.calls, "link")
	return s.FS.Link(from, old, to, new)
}

func (s *steps) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	s.calls = append(s.calls, "renamenew")
	return s.FS.RenameNew(from, old, to, new)
}

func (s *steps) SyncDir(d *disk.Dir) error {
	s.calls = append(s.calls, "sync "+filepath.Base(d.Path()))
	return s.FS.SyncDir(d)
}

func (s *steps) Remove(d *disk.Dir, name string) error {
	s.calls = append(s.calls, "remove")
	return s.FS.Remove(d, name)
}

func TestPublishTakesItsStepsInOrder(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	s := &steps{FS: disk.OS}
	must(t, disk.Publish(s, tr.tmp, "m", tr.new, "final"))
	if want := []string{"link", "sync new", "remove"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls %q, want %q", s.calls, want)
	}
	if got := tr.files(t); !slices.Equal(got, []string{"new/final"}) {
		t.Errorf("files %q", got)
	}
}

func TestD08_PublishRenamesWhereThereAreNoHardLinks(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{unix.EXDEV, unix.EPERM, unix.EMLINK, unix.EOPNOTSUPP, unix.ENOSYS} {
		tr := newTree(t)
		s := &steps{FS: &disktest.Faulty{FS: disk.OS, Op: "link", At: 1, Err: errno}}
		must(t, disk.Publish(s, tr.tmp, "m", tr.new, "final"))
		if want := []string{"link", "renamenew", "sync new", "sync tmp"}; !slices.Equal(s.calls, want) {
			t.Errorf("%v: calls %q, want %q", errno, s.calls, want)
		}
		if got := tr.files(t); !slices.Equal(got, []string{"new/final"}) {
			t.Errorf("%v: files %q", errno, got)
		}
	}
}

func TestD08_RenameReplacesNoMessage(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.WriteFile(tr.path("new/final"), []byte("other"), 0o600))
	f := &disktest.Faulty{FS: disk.OS, Op: "link", At: 1, Err: unix.EPERM}
	if err := disk.Publish(f, tr.tmp, "m", tr.new, "final"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(tr.path("new/final")); string(b) != "other" || err != nil {
		t.Errorf("the other message is now %q, %v", b, err)
	}
}

func TestD09_LinkThatWasDoneButReportedAnErrorCounts(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{unix.EIO, unix.ESTALE, unix.ETIMEDOUT, unix.EEXIST, unix.EPERM} {
		tr := newTree(t)
		f := &disktest.Faulty{FS: disk.OS, Op: "link", At: 1, Err: errno, Done: true}
		must(t, disk.Publish(f, tr.tmp, "m", tr.new, "final"))
		if got := tr.files(t); !slices.Equal(got, []string{"new/final"}) {
			t.Errorf("%v: files %q", errno, got)
		}
	}
}

func TestPublishReportsATakenNameAndChangesNothing(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.WriteFile(tr.path("new/final"), []byte("other"), 0o600))
	if err := disk.Publish(disk.OS, tr.tmp, "m", tr.new, "final"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if got := tr.files(t); !slices.Equal(got, []string{"new/final", "tmp/m"}) {
		t.Errorf("files %q", got)
	}
}

func TestPublishDoesNotHideAFailedSync(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 2; at++ {
		tr := newTree(t)
		var f disk.FS = &disktest.Faulty{FS: disk.OS, Op: "syncdir", At: at, Err: unix.EIO}
		if at == 2 { // the second is that of tmp, after a rename
			f = &disktest.Faulty{FS: f, Op: "link", At: 1, Err: unix.EPERM}
		}
		if err := disk.Publish(f, tr.tmp, "m", tr.new, "final"); !errors.Is(err, unix.EIO) {
			t.Errorf("sync %d: error %v", at, err)
		}
		if got := tr.files(t); !slices.Contains(got, "new/final") {
			t.Errorf("sync %d: taken back: %q", at, got)
		}
	}
}
