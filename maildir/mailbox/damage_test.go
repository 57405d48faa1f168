package mailbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/index"
)

// answers is state with what clients may not see change, however often the index
// is lost, and blobs that must be right or missing.
func answers(t *testing.T, m *maildir.Maildir) []string {
	t.Helper()
	b, err := Open(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := state(t, b)
	for pos := range b.Len() {
		for kind := range Kind(2) {
			if blob, ok := b.Cached(pos, kind); ok && string(blob) != blobFor(b.UID(pos), kind) {
				t.Fatalf("UID %d, kind %d: wrong blob %q", b.UID(pos), kind, blob)
			}
		}
		b.Cache(pos, 0, []byte(blobFor(b.UID(pos), 0)))
	}
	if pos, ok := b.FirstUnseen(); ok {
		s = append(s, fmt.Sprint("unseen ", pos))
	}
	if b.err != nil {
		t.Fatal(b.err)
	}
	return s
}

func blobFor(uid UID, kind Kind) string { return fmt.Sprintf("blob %d of %d", kind, uid) }

// furnished is a small folder with a snapshot of which all is known, and a cache.
// With a tail, that has flags, an expunge and a new message.
func furnished(t *testing.T, tail bool) *maildir.Maildir {
	t.Helper()
	m := folder(t)
	fill(t, m, 5)
	age(t, m)
	furnish(t, m, tail)
	return m
}

func furnish(t *testing.T, m *maildir.Maildir, tail bool) {
	t.Helper()
	b := open(t, m, false)
	for pos := range b.Len() {
		b.Cache(pos, 0, []byte(blobFor(b.UID(pos), 0)))
		b.Cache(pos, 1, []byte(blobFor(b.UID(pos), 1)))
	}
	state(t, b)
	b.Flush()
	if !tail {
		b.update(func(u *update) error {
			u.still, u.snapshot, u.head.ModSeq = true, true, u.head.ModSeq+1
			return nil
		})
		closeBox(t, b)
		return
	}
	if _, err := b.Store([]int{1, 2}, Store{Add: maildir.Flagged | maildir.Keyword(3)}); err != nil {
		t.Fatal(err)
	}
	if err := b.Expunge([]int{3}); err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1800000000.M1P1.other:2,")
	sync(t, b)
	closeBox(t, b)
}

func TestI32_AnyByteOfIndexOrCacheMayBeWrong(t *testing.T) {
	t.Parallel()
	for _, tail := range []bool{false, true} {
		m := furnished(t, tail)
		good := map[string][]byte{}
		for _, name := range []string{index.IndexName, index.CacheName} {
			b, err := os.ReadFile(filepath.Join(m.Path(), name))
			if err != nil {
				t.Fatal(err)
			}
			good[name] = b
		}
		want := answers(t, m)
		for name, whole := range good {
			for at := range whole {
				for n, b := range good {
					restore(t, m, n, b)
				}
				bad := slices.Clone(whole)
				bad[at] ^= 1 << (at % 8)
				restore(t, m, name, bad)
				equal(t, fmt.Sprintf("tail %t, %s, byte %d of %d", tail, name, at, len(whole)), answers(t, m), want)
			}
		}
	}
}

// restore puts a file in the place of another, as a backup would.
func restore(t *testing.T, m *maildir.Maildir, name string, b []byte) {
	t.Helper()
	path := filepath.Join(m.Path(), name)
	os.Remove(path)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestI32_IndexCutMissingOrOfAnotherFolderChangesNoAnswer(t *testing.T) {
	t.Parallel()
	m := furnished(t, true)
	want := answers(t, m)
	path := filepath.Join(m.Path(), index.IndexName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += 13 {
		restore(t, m, index.IndexName, whole[:cut])
		equal(t, fmt.Sprint("cut to ", cut), answers(t, m), want)
	}
	os.Remove(path)
	equal(t, "missing", answers(t, m), want)
	os.Remove(filepath.Join(m.Path(), index.CacheName))
	equal(t, "no cache", answers(t, m), want)

	other := folder(t)
	fill(t, other, 5)
	list := "3 V4000000000 N9 G0123456789abcdef0123456789abcdef\n8 :1700000001.M1P1.other\n"
	if err := os.WriteFile(filepath.Join(other.Path(), "dovecot-uidlist"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	furnish(t, other, true)
	for _, name := range []string{index.IndexName, index.CacheName} {
		b, err := os.ReadFile(filepath.Join(other.Path(), name))
		if err != nil {
			t.Fatal(err)
		}
		restore(t, m, name, b)
	}
	equal(t, "of another folder", answers(t, m), want)
}

func TestI32_SessionOutlivesTheLossOfItsIndex(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"removed":   os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 0) },
		"cut":       func(path string) error { return os.Truncate(path, 300) },
		"damaged": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i := 256; i < len(b); i++ {
				b[i] ^= 0xff
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt(b, 0)
			return err
		},
	} {
		m := folder(t)
		fill(t, m, 200)
		age(t, m)
		closeBox(t, open(t, m, false))
		b := open(t, m, true)
		before := b.At(7)
		want := state(t, b)
		if err := harm(filepath.Join(m.Path(), index.IndexName)); err != nil {
			t.Fatal(err)
		}
		equal(t, name, state(t, b), want)
		if _, err := b.Store([]int{7}, Store{Add: maildir.Trashed}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if now := b.At(7); now.UID != before.UID || now.ModSeq <= before.ModSeq || now.Flags != maildir.Trashed {
			t.Errorf("%s: %+v, then %+v", name, before, now)
		}
		if b.Gone() != nil {
			t.Errorf("%s: gone %v", name, b.Gone())
		}
		closeBox(t, b)
		c := open(t, m, false)
		if c.At(7).Flags != maildir.Trashed || c.Len() != 200 {
			t.Errorf("%s: next session: %+v", name, c.At(7))
		}
	}
}

func TestI34_ModSeqGrowsOverTheLossOfTheIndex(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	a := open(t, m, false)
	if _, err := a.Store([]int{1}, Store{Add: maildir.Seen}); err != nil {
		t.Fatal(err)
	}
	told := a.HighestModSeq()
	closeBox(t, a)
	os.Remove(filepath.Join(m.Path(), index.IndexName))
	b := open(t, m, false)
	if b.HighestModSeq() <= told {
		t.Errorf("told %d, now %d", told, b.HighestModSeq())
	}
	if _, known := b.Vanished(told); known {
		t.Error("it remembers expunges that it cannot know")
	}
	for pos := range 3 {
		if b.At(pos).ModSeq <= told {
			t.Errorf("position %d would not be told to who knows %d: %+v", pos, told, b.At(pos))
		}
	}
}

func TestF14_WithoutRoomForTheIndexMailIsServed(t *testing.T) {
	t.Parallel()
	ok := folder(t)
	fill(t, ok, 20)
	closeBox(t, open(t, ok, false)) // the list of UIDs
	for _, op := range []string{"create", "write", "close", "rename"} {
		os.Remove(filepath.Join(ok.Path(), index.IndexName))
		os.Remove(filepath.Join(ok.Path(), "rohrpost.lock"))
		full, err := maildir.Open(ok.Path(), &full{FS: disktest.Fast, op: op})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Open(full, Options{})
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		if b.Len() != 20 || b.At(3).UID != 4 {
			t.Errorf("%s: %d messages, %+v", op, b.Len(), b.At(3))
		}
		b.Cache(3, 0, []byte("blob"))
		b.Flush()
		if done, err := b.Store([]int{3}, Store{Add: maildir.Seen}); err != nil || len(done.Changed) != 1 {
			t.Errorf("%s: %+v, %v", op, done, err)
		}
		if _, err := b.Store([]int{3}, Store{Remove: maildir.Seen}); err != nil {
			t.Errorf("%s: %v", op, err)
		}
		closeBox(t, b)
		full.Close()
		if left, _ := os.ReadDir(filepath.Join(ok.Path(), "tmp")); len(left) != 0 {
			t.Errorf("%s: left in tmp: %v", op, left)
		}
	}
}

// full is a disk with no room, for one kind of call.
type full struct {
	disk.FS
	op string
}

func (f *full) Create(d *disk.Dir, name string) (disk.File, error) {
	if f.op == "create" {
		return nil, unix.ENOSPC
	}
	file, err := f.FS.Create(d, name)
	return &fullFile{file, f.op}, err
}

func (f *full) Rename(from *disk.Dir, old string, to *disk.Dir, new string) error {
	if f.op == "rename" {
		return unix.ENOSPC
	}
	return f.FS.Rename(from, old, to, new)
}

type fullFile struct {
	disk.File
	op string
}

func (f *fullFile) Write(p []byte) (int, error) {
	if f.op == "write" {
		return 0, unix.ENOSPC
	}
	return f.File.Write(p)
}

func (f *fullFile) Close() error {
	err := f.File.Close()
	if f.op == "close" {
		return unix.ENOSPC
	}
	return err
}
