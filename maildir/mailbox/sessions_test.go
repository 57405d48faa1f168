package mailbox

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	gosync "sync"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// TestSessionsAgreeWhateverOrderTheyWorkIn has three sessions and another program
// work on one folder in random orders, and holds each view to what it was: a
// position keeps its UID, a UID its message, MODSEQ never falls (I4 and I5 of the
// harness), and in the end all agree with a session that begins then.
func TestSessionsAgreeWhateverOrderTheyWorkIn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := folder(t)
		fill(t, m, 12)
		w := &world{t: t, r: r, m: m, base: map[UID]string{}}
		for i := range 3 {
			w.boxes = append(w.boxes, open(t, m, i < 2))
			w.uids = append(w.uids, nil)
			w.modseq = append(w.modseq, 0)
		}
		for range 120 {
			w.step()
		}
		age(t, m)
		fresh := open(t, m, false)
		want := state(t, fresh)
		for i, b := range w.boxes {
			age(t, m)
			sync(t, b)
			sync(t, b)
			b.Forget()
			equal(t, fmt.Sprintf("seed %d, session %d", seed, i), state(t, b), want)
		}
	}
}

// world is the sessions and what they have told.
type world struct {
	t      *testing.T
	r      *rand.Rand
	m      *maildir.Maildir
	boxes  []*Mailbox
	uids   [][]UID // told, by position
	modseq []uint64
	base   map[UID]string
	n      int
}

func (w *world) step() {
	i := w.r.IntN(len(w.boxes))
	b := w.boxes[i]
	some := func() []int {
		var list []int
		for pos := range b.Len() {
			if w.r.IntN(4) == 0 {
				list = append(list, pos)
			}
		}
		return list
	}
	var err error
	switch w.r.IntN(9) {
	case 0, 1:
		_, err = b.Store(some(), Store{Add: maildir.Flags(w.r.IntN(64)), Remove: maildir.Flags(w.r.IntN(64))})
	case 2:
		if b.Len() > 6 {
			err = b.Expunge([]int{w.r.IntN(b.Len())})
		}
	case 3:
		w.n++
		put(w.t, w.m, fmt.Sprintf("new/18000%05d.M1P1.other", w.n))
	case 4:
		w.rename()
	case 5:
		err = b.Take()
	case 6:
		b.Forget()
		w.uids[i] = nil
	case 7:
		a := NewAppend(w.m, b.now)
		if err = a.Begin(maildir.Seen, b.now()); err == nil {
			io.WriteString(a, "text\n")
			_, _, err = a.Commit()
		}
	case 8:
		_, err = b.Sync()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.check(i)
}

// rename is another program that sets or clears a flag.
func (w *world) rename() {
	files, _ := filepath.Glob(filepath.Join(w.m.Path(), "cur/*"))
	if len(files) == 0 {
		return
	}
	path := files[w.r.IntN(len(files))]
	n := maildir.ParseName(filepath.Base(path))
	now := n.WithFlags(n.Flags ^ maildir.Replied)
	if err := os.Rename(path, filepath.Join(filepath.Dir(path), now.String())); err != nil {
		w.t.Fatal(err)
	}
}

// check holds a session to what it told before.
func (w *world) check(i int) {
	b := w.boxes[i]
	if b.HighestModSeq() < w.modseq[i] {
		w.t.Fatalf("MODSEQ fell from %d to %d", w.modseq[i], b.HighestModSeq())
	}
	w.modseq[i] = b.HighestModSeq()
	var now []UID
	for pos := range b.Len() {
		uid := b.UID(pos)
		now = append(now, uid)
		if b.At(pos).Gone {
			continue
		}
		base := b.Name(pos).Base
		if was, known := w.base[uid]; known && was != base {
			w.t.Fatalf("UID %d was %s and is %s", uid, was, base)
		}
		w.base[uid] = base
	}
	if was := w.uids[i]; len(now) < len(was) || !slices.Equal(now[:len(was)], was) {
		w.t.Fatalf("session %d: positions had UIDs %v and have %v", i, was, now)
	}
	w.uids[i] = now
}

// TestSessionsAtOnce has sessions work at the same time, as processes do: the locks
// are those of open files, so they hold within one process too.
func TestSessionsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(disktest.Memory(t), "Maildir")
	m := folderAt(t, path)
	fill(t, m, 40)
	var all gosync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			own, err := maildir.Open(path, disktest.Fast)
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			b, err := Open(own, Options{Watch: i%2 == 0})
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			r := rand.New(rand.NewPCG(uint64(i), 2))
			for n := range 60 {
				if _, err := b.Sync(); err != nil {
					t.Error(err)
					return
				}
				pos := r.IntN(b.Len())
				_, err := b.Store([]int{pos}, Store{Add: maildir.Flags(r.IntN(64)), Remove: maildir.Flags(r.IntN(64))})
				if err == nil && n%20 == 7 {
					err = b.Expunge([]int{r.IntN(b.Len())})
				}
				if err == nil && n%10 == 3 {
					a := NewAppend(own, b.now)
					if err = a.Begin(0, b.now()); err == nil {
						io.WriteString(a, "text\n")
						_, _, err = a.Commit()
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	age(t, m)
	a := open(t, m, false)
	want := state(t, a)
	if err := os.Remove(filepath.Join(path, "rohrpost.index")); err != nil {
		t.Fatal(err)
	}
	equal(t, "index and directories", state(t, open(t, m, false)), want)
}

// meddler does something before a directory is synced.
type meddler struct {
	disk.FS
	then func()
}

func (f *meddler) SyncDir(d *disk.Dir) error {
	if then := f.then; then != nil {
		f.then = nil
		then()
	}
	return f.FS.SyncDir(d)
}

// A session may list a message before APPEND or COPY have got its UID: they must tell
// the one that it has been given.
func TestAppendAndCopyTellTheUIDThatASessionHasGivenMeanwhile(t *testing.T) {
	t.Parallel()
	for _, change := range []struct {
		about string
		do    func(t *testing.T, m *maildir.Maildir) UID
	}{
		{"APPEND", func(t *testing.T, m *maildir.Maildir) UID {
			a := NewAppend(m, time.Now)
			must(t, a.Begin(0, time.Time{}))
			_, err := a.Write([]byte("Subject: x\n\ntext\n"))
			must(t, err)
			_, uids, err := a.Commit()
			must(t, err)
			return uids[0]
		}},
		{"COPY", func(t *testing.T, m *maildir.Maildir) UID {
			other := folder(t)
			fill(t, other, 1)
			done, err := open(t, other, false).Copy([]int{0}, m)
			must(t, err)
			return done.UIDs[0]
		}},
	} {
		t.Run(change.about, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(disktest.Memory(t), "Maildir")
			fill(t, folderAt(t, path), 3)
			fs := &meddler{FS: disktest.Fast}
			m, err := maildir.Create(path, fs)
			must(t, err)
			t.Cleanup(func() { m.Close() })
			b := open(t, folderAt(t, path), false)
			b.UID(0)
			fs.then = func() { b.doubt = true; sync(t, b) }
			uid := change.do(t, m)
			if b.Len() != 4 || b.UID(3) != uid {
				t.Errorf("UID %d was told, the session has %d in %d messages", uid, b.UID(b.Len()-1), b.Len())
			}
			b.doubt = true
			sync(t, b)
			if b.Forget(); b.Len() != 4 || b.UID(3) != uid {
				t.Errorf("the session has UID %d later, of %d messages", b.UID(b.Len()-1), b.Len())
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
