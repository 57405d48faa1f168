package disk_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

func TestD01_DirectoryThatIsASymlinkIsNotOpened(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.Symlink("new", tr.path("link")))
	if _, err := disk.OpenDir(tr.path("link")); err == nil {
		t.Error("OpenDir followed the link")
	}
	d, err := disk.OpenDirFollow(tr.path("link"))
	must(t, err)
	must(t, d.Close())
	top, err := disk.OpenDir(tr.root)
	must(t, err)
	defer top.Close()
	if _, err := top.OpenDir("link"); err == nil {
		t.Error("Dir.OpenDir followed the link")
	}
	must(t, top.Close())
	must(t, top.Close()) // again does nothing
}

func TestD03_OpenDirectoryStaysItselfWhenItsNameIsSwapped(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.Rename(tr.path("new"), tr.path("old")))
	must(t, os.Mkdir(tr.path("decoy"), 0o700))
	must(t, os.Symlink("decoy", tr.path("new")))
	must(t, disk.Publish(disk.OS, tr.tmp, "m", tr.new, "final"))
	if _, err := os.Stat(tr.path("old/final")); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadDir(tr.path("decoy")); len(got) != 0 {
		t.Errorf("written through the link: %v", got)
	}
}

func TestD02_CreateIsNotFooledByAPreparedName(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	target := tr.path("target")
	must(t, os.WriteFile(target, []byte("safe"), 0o600))
	must(t, os.Symlink(target, tr.path("tmp/symlink")))
	must(t, os.Symlink(tr.path("nowhere"), tr.path("tmp/dangling")))
	must(t, os.Link(target, tr.path("tmp/hardlink")))
	must(t, unix.Mkfifo(tr.path("tmp/fifo"), 0o600))
	must(t, os.Mkdir(tr.path("tmp/dir"), 0o700))
	for _, name := range []string{"symlink", "dangling", "hardlink", "fifo", "dir"} {
		if _, err := disk.OS.Create(tr.tmp, name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create over a %s: %v", name, err)
		}
	}
	if b, _ := os.ReadFile(target); string(b) != "safe" {
		t.Errorf("target is %q", b)
	}
	if _, err := os.Lstat(tr.path("nowhere")); err == nil {
		t.Error("made what the link pointed to")
	}
}

func TestOpenTakesOnlyRegularFilesAndNeverBlocks(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.Symlink("m", tr.path("tmp/symlink")))
	must(t, unix.Mkfifo(tr.path("tmp/fifo"), 0o600))
	must(t, os.Mkdir(tr.path("tmp/dir"), 0o700))
	for _, name := range []string{"symlink", "fifo", "dir"} {
		if f, err := tr.tmp.Open(name); err == nil {
			f.Close()
			t.Errorf("opened a %s", name)
		}
	}
	for _, open := range []func(string) (*os.File, error){tr.tmp.Open, tr.tmp.OpenForLock} {
		f, err := open("m")
		must(t, err)
		b := make([]byte, 8)
		if n, err := f.Read(b); string(b[:n]) != "mail" || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
		must(t, f.Close())
	}
	if _, err := tr.tmp.Open("absent"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tmp/absent") {
		t.Errorf("error %v does not say what is absent", err)
	}
}

func TestD17_FileModeIsExactWhateverTheUmask(t *testing.T) {
	// The umask belongs to the process: not parallel.
	tr := newTree(t)
	for _, mask := range []int{0, 0o777, 0o022} {
		old := unix.Umask(mask)
		f, err := disk.OS.Create(tr.tmp, "new")
		unix.Umask(old)
		must(t, err)
		must(t, f.Close())
		st, err := tr.tmp.Stat("new")
		must(t, err)
		if st.Mode&0o7777 != 0o600 {
			t.Errorf("umask %o gives mode %o", mask, st.Mode&0o7777)
		}
		must(t, disk.OS.Remove(tr.tmp, "new"))
	}
}

func TestFileWritesAllOrSaysWhy(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	f, err := disk.OS.Create(tr.tmp, "big")
	must(t, err)
	big := bytes.Repeat([]byte("0123456789"), 1<<18)
	n, err := f.Write(big)
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	must(t, f.Close()) // again does nothing
	if b, _ := os.ReadFile(tr.path("tmp/big")); n != len(big) || !bytes.Equal(b, big) {
		t.Errorf("wrote %d, file has %d bytes", n, len(b))
	}
	if _, err := f.Write(big); !errors.Is(err, unix.EBADF) {
		t.Errorf("write after close: %v", err)
	}
}

func TestRenameNewAndRenameDifferInOneThing(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.WriteFile(tr.path("new/other"), []byte("other"), 0o600))
	if err := disk.OS.RenameNew(tr.tmp, "m", tr.new, "other"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("RenameNew: %v", err)
	}
	must(t, disk.OS.Rename(tr.tmp, "m", tr.new, "other"))
	if b, _ := os.ReadFile(tr.path("new/other")); string(b) != "mail" {
		t.Errorf("other is %q", b)
	}
}

func TestNamesListsEverythingAndDoesNotDisturbAnotherReader(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, unix.Mkfifo(tr.path("tmp/fifo"), 0o600))
	read := func() (names []string) {
		must(t, tr.tmp.Names(func(name []byte, ino uint64, typ byte) bool {
			if ino == 0 {
				t.Errorf("%s has no inode", name)
			}
			names = append(names, string(name))
			return true
		}))
		slices.Sort(names)
		return names
	}
	want := []string{".", "..", "fifo", "m"}
	must(t, tr.tmp.Names(func([]byte, uint64, byte) bool {
		if got := read(); !slices.Equal(got, want) {
			t.Errorf("names %q within another reading", got)
		}
		return true
	}))
	n := 0
	must(t, tr.tmp.Names(func([]byte, uint64, byte) bool { n++; return false }))
	if n != 1 {
		t.Errorf("%d names after it was told to stop", n)
	}
	if filepath.Base(tr.tmp.Path()) != "tmp" {
		t.Errorf("path %q", tr.tmp.Path())
	}
}

func TestAppendGoesToTheEndOfARegularFileOnly(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	f, err := disk.OS.Append(tr.tmp, "m")
	must(t, err)
	must(t, os.WriteFile(tr.path("tmp/m"), []byte("mail, and more"), 0o600)) // by another
	_, err = f.Write([]byte(", and the end"))
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	if b, err := os.ReadFile(tr.path("tmp/m")); err != nil || string(b) != "mail, and more, and the end" {
		t.Errorf("file holds %q, %v", b, err)
	}
	must(t, os.Symlink("m", tr.path("tmp/link")))
	must(t, unix.Mkfifo(tr.path("tmp/fifo"), 0o600))
	must(t, os.Mkdir(tr.path("tmp/dir"), 0o700))
	for _, name := range []string{"link", "fifo", "dir", "missing"} {
		if _, err := disk.OS.Append(tr.tmp, name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

func TestTouchFollowsNoSymlink(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.Symlink("m", tr.path("tmp/link")))
	when := time.Unix(1000000000, 5000)
	must(t, disk.OS.Touch(tr.tmp, "link", when))
	if st, err := os.Stat(tr.path("tmp/m")); err != nil || st.ModTime().Equal(when) {
		t.Errorf("the file behind the link: %v", err)
	}
	must(t, disk.OS.Touch(tr.tmp, "m", when))
	if st, err := os.Stat(tr.path("tmp/m")); err != nil || !st.ModTime().Equal(when) {
		t.Errorf("changed at %v, %v", st.ModTime(), err)
	}
}

func TestReaderReadsLikeAFile(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, os.WriteFile(tr.path("new/m"), []byte("0123456789"), 0o600))
	r, err := tr.new.OpenReader("m")
	must(t, err)
	if r.Size() != 10 {
		t.Errorf("size is %d, want 10", r.Size())
	}
	must(t, iotest.TestReader(struct {
		io.Reader
		io.ReaderAt
	}{r, r}, []byte("0123456789")))
	must(t, r.Close())
	must(t, r.Close()) // again does nothing
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, unix.EBADF) {
		t.Errorf("after Close: %v, want EBADF", err)
	}
	if _, err := tr.new.OpenReader("."); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("a directory: %v", err)
	}
	must(t, unix.Mkfifo(tr.path("new/fifo"), 0o600))
	if _, err := tr.new.OpenReader("fifo"); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("a FIFO: %v", err)
	}
}

func TestReadingAMessageAllocatesItsReaderAlone(t *testing.T) {
	tr := newTree(t)
	must(t, os.WriteFile(tr.path("new/m"), []byte("0123456789"), 0o600))
	buf := make([]byte, 16)
	n := testing.AllocsPerRun(100, func() {
		r, err := tr.new.OpenReader("m")
		must(t, err)
		r.Read(buf)
		r.ReadAt(buf, 3)
		must(t, r.Close())
	})
	if n > 2 { // the name as the kernel wants it is the other one
		t.Errorf("%v allocations, want 2 at most", n)
	}
}
