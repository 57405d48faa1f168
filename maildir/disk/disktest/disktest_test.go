package disktest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// place is a tree with tmp and new, recorded.
type place struct {
	*disktest.Recorder
	top, tmp, new *disk.Dir
}

func newPlace(t *testing.T) place {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"tmp", "new"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p := place{Recorder: disktest.Record(t, root)}
	for name, d := range map[string]**disk.Dir{"": &p.top, "tmp": &p.tmp, "new": &p.new} {
		dir, err := disk.OpenDir(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dir.Close() })
		*d = dir
	}
	return p
}

const text = "a message\nof two lines\n"

// step is one step of a delivery that a test puts in some order.
type step func(t *testing.T, p place, f disk.File)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	syncFile step = func(t *testing.T, p place, f disk.File) { must(t, f.Sync()) }
	link     step = func(t *testing.T, p place, f disk.File) { must(t, p.Link(p.tmp, "m", p.new, "m")) }
	rename   step = func(t *testing.T, p place, f disk.File) { must(t, p.Rename(p.tmp, "m", p.new, "m")) }
	syncNew  step = func(t *testing.T, p place, f disk.File) { must(t, p.SyncDir(p.new)) }
	syncTmp  step = func(t *testing.T, p place, f disk.File) { must(t, p.SyncDir(p.tmp)) }
	unlink   step = func(t *testing.T, p place, f disk.File) { must(t, p.Remove(p.tmp, "m")) }
	yes      step = func(t *testing.T, p place, f disk.File) { p.Ack("m") }
)

// verdict is the first thing wrong in any world after these steps.
func verdict(t *testing.T, steps []step) error {
	p := newPlace(t)
	f, err := p.Create(p.tmp, "m")
	must(t, err)
	defer f.Close()
	_, err = f.Write([]byte(text))
	must(t, err)
	for _, s := range steps {
		s(t, p, f)
	}
	for w := range disktest.Crashes(p.Trace()) {
		got, there := w.Files()["new/m"]
		switch {
		case w.Acked("m") && !there:
			return fmt.Errorf("lost: %v", w)
		case there && string(got) != text:
			return fmt.Errorf("torn: %v", w)
		}
	}
	return nil
}

func TestCrashesFindWhatAWrongOrderLoses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		steps []step
		want  string // prefix of the verdict, "" if the order is right
	}{
		{"link after both syncs is right", []step{syncFile, link, syncNew, unlink, yes}, ""},
		{"rename with a sync of both directories is right", []step{syncFile, rename, syncNew, syncTmp, yes}, ""},
		{"no sync of the file", []step{link, syncNew, unlink, yes}, "torn"},
		{"sync of the file after the link", []step{link, syncFile, syncNew, unlink, yes}, "torn"},
		{"no sync of the directory", []step{syncFile, link, unlink, yes}, "lost"},
		{"sync of the wrong directory", []step{syncFile, link, syncTmp, yes}, "lost"},
		{"sync before the link", []step{syncFile, syncNew, link, unlink, yes}, "lost"},
		{"yes before the sync", []step{syncFile, link, yes, syncNew, unlink}, "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := verdict(t, c.steps)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("verdict %v, want %q", err, c.want)
			}
		})
	}
}

func TestMoveBetweenDirectoriesMayLoseBothEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	f, err := p.Create(p.tmp, "m")
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	must(t, p.SyncDir(p.tmp))
	p.Ack("there")
	must(t, p.Rename(p.tmp, "m", p.new, "m"))
	both := false
	for w := range disktest.Crashes(p.Trace()) {
		both = both || w.Acked("there") && len(w.Files()) == 0
	}
	if !both {
		t.Error("no world lost the old name without having the new one")
	}
}

func TestRenameInOneDirectoryKeepsOneEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	f, err := p.Create(p.tmp, "a")
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	must(t, p.SyncDir(p.tmp))
	p.Ack("there")
	must(t, p.Rename(p.tmp, "a", p.tmp, "b"))
	names := map[string]bool{}
	for w := range disktest.Crashes(p.Trace()) {
		if files := w.Files(); w.Acked("there") && len(files) != 1 {
			t.Errorf("%v: %d files", w, len(files))
		} else {
			for name := range files {
				names[name] = true
			}
		}
	}
	if !names["tmp/a"] || !names["tmp/b"] {
		t.Errorf("worlds have only %v", names)
	}
}

func TestDirectoryIsLostWithAllInItUntilItsParentIsSynced(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	must(t, p.Mkdir(p.top, "box"))
	box, err := p.top.OpenDir("box")
	must(t, err)
	defer box.Close()
	f, err := p.Create(box, "m")
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	must(t, p.SyncDir(box))
	p.Ack("early")
	must(t, p.SyncDir(p.top))
	p.Ack("late")
	lost := false
	n := disktest.Judge(t, p.Trace(), func(w *disktest.World, root string) error {
		_, err := os.Stat(filepath.Join(root, "box/m"))
		lost = lost || w.Acked("early") && err != nil
		if w.Acked("late") {
			return err
		}
		return nil
	})
	if !lost || n < 4 {
		t.Errorf("lost early: %t, of %d worlds", lost, n)
	}
}

func TestWorldKeepsHardLinksAndWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, "old"), []byte("old"), 0o600))
	r := disktest.Record(t, root)
	d, err := disk.OpenDir(root)
	must(t, err)
	defer d.Close()
	must(t, r.Link(d, "old", d, "new"))
	must(t, r.SyncDir(d))
	r.Ack("linked")
	disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(root, "old"), &st); err != nil {
			return err
		}
		if w.Acked("linked") && st.Nlink != 2 {
			return fmt.Errorf("%d links", st.Nlink)
		}
		return nil
	})
}

func TestLongTracesStayAffordable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for i := range 24 {
		f, err := p.Create(p.new, fmt.Sprint(i))
		must(t, err)
		must(t, f.Close())
	}
	n, empty := 0, false
	for w := range disktest.Crashes(p.Trace()) {
		n++
		empty = empty || len(w.Files()) == 0
	}
	if n < 500 || n > 100_000 || !empty {
		t.Errorf("%d worlds, an empty one: %t", n, empty)
	}
}

func TestFaultyFailsTheCallAsked(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		p := newPlace(t)
		f := &disktest.Faulty{FS: p, Op: "create", At: 2, Err: unix.ENOSPC, Done: done}
		for i, name := range []string{"a", "b", "c"} {
			file, err := f.Create(p.tmp, name)
			if (i == 1) != errors.Is(err, unix.ENOSPC) {
				t.Errorf("create %s: %v", name, err)
			}
			if file != nil {
				must(t, file.Close())
			}
		}
		if _, err := p.tmp.Stat("b"); (err == nil) != done {
			t.Errorf("done %t, but stat says %v", done, err)
		}
		if f.Calls() != 3 || !f.Hit() {
			t.Errorf("%d calls, hit %t", f.Calls(), f.Hit())
		}
	}
}

func TestAppendedDataIsLostUntilTheFileIsSynced(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, "list"), []byte("old\n"), 0o600))
	r := disktest.Record(t, root)
	d, err := disk.OpenDir(root)
	must(t, err)
	defer d.Close()
	f, err := r.Append(d, "list")
	must(t, err)
	_, err = f.Write([]byte("new\n"))
	must(t, err)
	r.Ack("written")
	must(t, f.Sync())
	r.Ack("synced")
	must(t, f.Close())
	lost := false
	for w := range disktest.Crashes(r.Trace()) {
		b := string(w.Files()["list"])
		lost = lost || w.Acked("written") && b == "old\n"
		if !strings.HasPrefix(b, "old\n") || w.Acked("synced") && b != "old\nnew\n" {
			t.Errorf("%v: file holds %q", w, b)
		}
	}
	if !lost {
		t.Error("no world lost what was not synced")
	}
}
