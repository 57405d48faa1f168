package mailbox

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// folder is an empty Maildir in memory.
func folder(t testing.TB) *maildir.Maildir {
	t.Helper()
	return folderAt(t, filepath.Join(disktest.Memory(t), "Maildir"))
}

func folderAt(t testing.TB, path string) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(path, disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// fill puts n messages of another program into cur, the first of them seen.
func fill(t testing.TB, m *maildir.Maildir, n int) {
	t.Helper()
	for i := range n {
		info := ":2,"
		if i == 0 {
			info = ":2,S"
		}
		put(t, m, fmt.Sprintf("cur/17000%05d.M1P1.other%s", i, info))
	}
}

func put(t testing.TB, m *maildir.Maildir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.Path(), name), []byte("Subject: "+name+"\n\ntext\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open opens a session, which ends with the test.
func open(t testing.TB, m *maildir.Maildir, watch bool) *Mailbox {
	t.Helper()
	b, err := Open(m, Options{Watch: watch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeBox(t, b) })
	if watch && b.Fd() < 0 {
		t.Log("no inotify here")
	}
	return b
}

func closeBox(t testing.TB, b *Mailbox) {
	if b.img == nil {
		return
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func sync(t testing.TB, b *Mailbox) bool {
	t.Helper()
	changed, err := b.Sync()
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// age makes the directories older than a tick, as they mostly are.
func age(t testing.TB, m *maildir.Maildir) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	for _, d := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(m.Path(), d), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

// state is all that a mailbox tells, for comparison.
func state(t testing.TB, b *Mailbox) []string {
	t.Helper()
	var s []string
	for pos := range b.Len() {
		m := b.At(pos)
		if m.Gone {
			s = append(s, fmt.Sprintf("%d gone", m.UID))
			continue
		}
		n := b.Name(pos)
		wire, err := b.WireSize(pos)
		if err != nil {
			t.Fatalf("position %d: %v", pos, err)
		}
		date, err := b.InternalDate(pos)
		if err != nil {
			t.Fatalf("position %d: %v", pos, err)
		}
		f, err := b.OpenMessage(pos)
		if err != nil {
			t.Fatalf("position %d: %v", pos, err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, fmt.Sprintf("%d %s %s %d %d %x %q", m.UID, n.Base, m.Flags, wire, date.UnixNano(), b.ObjectID(pos), text))
	}
	c := b.Counts()
	s = append(s, fmt.Sprintf("%d %d messages %d unseen %d trashed %d new next %d", b.Validity(), c.Messages, c.Unseen, c.Trashed, c.New, b.Next()))
	return s
}

func equal(t testing.TB, about string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			g, w := "-", "-"
			if i < len(got) {
				g = got[i]
			}
			if i < len(want) {
				w = want[i]
			}
			if g != w {
				t.Errorf("%s: line %d\n got %s\nwant %s", about, i, g, w)
			}
		}
		t.FailNow()
	}
}

func TestMessagesHaveAscendingUIDsInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 20)
	put(t, m, "new/1699999999.M1P1.other")
	b := open(t, m, false)
	if b.Len() != 21 || b.Next() != 22 {
		t.Fatalf("%d messages, next %d", b.Len(), b.Next())
	}
	for pos := range b.Len() {
		if got := b.UID(pos); got != UID(pos+1) {
			t.Errorf("position %d has UID %d", pos, got)
		}
		if p, ok := b.Find(UID(pos + 1)); !ok || p != pos {
			t.Errorf("UID %d is at %d, %t", pos+1, p, ok)
		}
	}
	if !b.At(0).Recent || b.At(1).Recent || b.At(1).Flags != maildir.Seen {
		t.Errorf("%+v, %+v", b.At(0), b.At(1))
	}
	if c := b.Counts(); c.Messages != 21 || c.Unseen != 20 || c.New != 1 {
		t.Errorf("%+v", c)
	}
	if pos, ok := b.FirstUnseen(); !ok || pos != 0 {
		t.Errorf("first unseen %d, %t", pos, ok)
	}
}

func TestSecondSessionReadsTheHeadAndNothingElse(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 50)
	age(t, m)
	first := open(t, m, true)
	want := state(t, first)
	closeBox(t, first)
	b := open(t, m, false)
	if b.view != nil {
		t.Error("the view was made")
	}
	if b.Len() != 50 {
		t.Errorf("%d messages", b.Len())
	}
	equal(t, "second session", state(t, b), want)
}

func TestStoreIsToldToTheOtherSessionAndNotToTheOwn(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 10)
		a, b := open(t, m, watch), open(t, m, watch)
		before := a.HighestModSeq()
		done, err := a.Store([]int{2, 5}, Store{Add: maildir.Flagged})
		if err != nil || !slices.Equal(done.Changed, []int{2, 5}) {
			t.Fatalf("%+v, %v", done, err)
		}
		if got := a.At(2); got.Flags != maildir.Flagged || got.ModSeq <= before || got.ModSeq != a.HighestModSeq() {
			t.Errorf("%+v, before %d", got, before)
		}
		if sync(t, a); a.Flagged() != nil {
			t.Error("own change is told")
		}
		if !sync(t, b) {
			t.Error("nothing has changed")
		}
		if got := b.Flagged(); !slices.Equal(got, []int{2, 5}) {
			t.Errorf("told %v", got)
		}
		if b.At(5) != a.At(5) {
			t.Errorf("%+v and %+v", a.At(5), b.At(5))
		}
		equal(t, "b", state(t, b), state(t, a))
	}
}

func TestI26_ExpungeInOneSessionKeepsTheNumberingOfTheOther(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 10)
		a, b := open(t, m, watch), open(t, m, watch)
		b.UID(0)
		since := b.HighestModSeq()
		if err := a.Expunge([]int{0, 3}); err != nil {
			t.Fatal(err)
		}
		sync(t, b)
		if b.Len() != 10 || !slices.Equal(b.Gone(), []int{0, 3}) {
			t.Errorf("%d positions, gone %v", b.Len(), b.Gone())
		}
		if !b.At(3).Gone || b.At(3).UID != 4 || b.At(4).UID != 5 {
			t.Errorf("%+v, %+v", b.At(3), b.At(4))
		}
		if _, err := b.OpenMessage(3); err != maildir.ErrGone {
			t.Errorf("opening what is gone: %v", err)
		}
		if uids, known := b.Vanished(since); !known || !slices.Equal(uids, []UID{1, 4}) {
			t.Errorf("vanished %v, %t", uids, known)
		}
		put(t, m, "new/1800000000.M1P1.other")
		sync(t, b)
		if b.Len() != 11 || b.UID(10) != 11 {
			t.Errorf("%d positions", b.Len())
		}
		b.Forget()
		if b.Len() != 9 || b.UID(0) != 2 || b.UID(2) != 5 || b.UID(8) != 11 {
			t.Errorf("%d positions, first %d", b.Len(), b.UID(0))
		}
	}
}

func TestI27_RenamesAndMovesOfOthersAreNoExpunges(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 10)
		put(t, m, "new/1800000000.M1P1.other")
		b := open(t, m, watch)
		want := state(t, b)
		rename := func(old, new string) {
			t.Helper()
			if err := os.Rename(filepath.Join(m.Path(), old), filepath.Join(m.Path(), new)); err != nil {
				t.Fatal(err)
			}
		}
		rename("new/1800000000.M1P1.other", "cur/1800000000.M1P1.other:2,S")
		rename("cur/1700000003.M1P1.other:2,", "cur/1700000003.M1P1.other,U=99:2,FS")
		rename("cur/1700000004.M1P1.other:2,", "cur/1700000004.M1P1.other,U=98:2,")
		sync(t, b)
		if b.Gone() != nil || b.Len() != 11 {
			t.Fatalf("gone %v, %d positions", b.Gone(), b.Len())
		}
		if got := b.Flagged(); !slices.Equal(got, []int{3, 10}) {
			t.Errorf("told %v", got)
		}
		if b.At(3).Flags != maildir.Flagged|maildir.Seen || b.UID(3) != 4 {
			t.Errorf("%+v", b.At(3))
		}
		_ = want
	}
}

func TestMessageThatAnotherProgramRemovesIsGone(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 10)
		age(t, m)
		b := open(t, m, watch)
		b.UID(0)
		if err := os.Remove(filepath.Join(m.Path(), "cur/1700000003.M1P1.other:2,")); err != nil {
			t.Fatal(err)
		}
		if !watch {
			age(t, m)
		}
		sync(t, b)
		if !slices.Equal(b.Gone(), []int{3}) {
			t.Errorf("watch %t: gone %v", watch, b.Gone())
		}
	}
}

func TestMessageMissedByAnUnsettledScanIsNotGone(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	age(t, m)
	b := open(t, m, false)
	b.UID(0)
	aside := filepath.Join(m.Path(), "tmp/aside")
	path := filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	// A change a moment ago: readdir may have missed a file that is being renamed.
	future := time.Now().Add(time.Hour)
	os.Chtimes(filepath.Join(m.Path(), "cur"), future, future)
	sync(t, b)
	if b.Gone() != nil || b.At(1).Gone {
		t.Errorf("gone %v", b.Gone())
	}
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	sync(t, b)
	if b.Gone() != nil || b.UID(1) != 2 {
		t.Errorf("gone %v", b.Gone())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	age(t, m)
	sync(t, b)
	if !slices.Equal(b.Gone(), []int{1}) {
		t.Errorf("gone %v", b.Gone())
	}
}

func TestConditionalStoreSparesWhatChanged(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 5)
	a, b := open(t, m, true), open(t, m, true)
	since := b.HighestModSeq()
	if _, err := a.Store([]int{1}, Store{Add: maildir.Replied}); err != nil {
		t.Fatal(err)
	}
	done, err := b.Store([]int{0, 1, 2}, Store{Add: maildir.Flagged, Conditional: true, UnchangedSince: since})
	if err != nil || !slices.Equal(done.Changed, []int{0, 2}) || !slices.Equal(done.Modified, []int{1}) {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestBlobsAreThereForTheNextSession(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2000)
	a := open(t, m, false)
	for pos := range a.Len() {
		a.Cache(pos, 1, fmt.Appendf(nil, "envelope %d", pos))
		if pos%2 == 0 {
			a.Cache(pos, 2, fmt.Appendf(nil, "structure %d", pos))
		}
	}
	a.Flush()
	if a.img.Head().CacheEnd <= index.CacheStart {
		t.Error("so many blobs make no snapshot")
	}
	a.Cache(7, 1, []byte("newer"))
	a.Flush()
	b := open(t, m, false)
	for _, x := range []*Mailbox{a, b} {
		for pos := range x.Len() {
			want := fmt.Sprintf("envelope %d", pos)
			if pos == 7 {
				want = "newer"
			}
			if got, ok := x.Cached(pos, 1); !ok || string(got) != want {
				t.Fatalf("position %d: %q, %t", pos, got, ok)
			}
			if got, ok := x.Cached(pos, 2); ok != (pos%2 == 0) || ok && string(got) != fmt.Sprintf("structure %d", pos) {
				t.Fatalf("position %d: %q, %t", pos, got, ok)
			}
		}
	}
}

func TestAppendAndCopyKeepFlagsDatesAndObjectID(t *testing.T) {
	t.Parallel()
	m, to := folder(t), folder(t)
	a := NewAppend(m, time.Now)
	date := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for i := range 3 {
		if err := a.Begin(maildir.Seen|maildir.Flags(i)*maildir.Flagged, date); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(a, "Subject: %d\n\n", i)
	}
	validity, uids, err := a.Commit()
	if err != nil || !slices.Equal(uids, []UID{1, 2, 3}) {
		t.Fatalf("%v, %v", uids, err)
	}
	b := open(t, m, true)
	if b.Validity() != validity || b.Len() != 3 {
		t.Fatalf("%d, %d messages", b.Validity(), b.Len())
	}
	done, err := b.Copy([]int{0, 2}, to)
	if err != nil || !slices.Equal(done.From, []UID{1, 3}) || !slices.Equal(done.UIDs, []UID{1, 2}) {
		t.Fatalf("%+v, %v", done, err)
	}
	c := open(t, to, false)
	for i, pos := range []int{0, 2} {
		d, err := c.InternalDate(i)
		if err != nil || !d.Equal(date) {
			t.Errorf("date %v, %v", d, err)
		}
		if c.ObjectID(i) != b.ObjectID(pos) || c.At(i).Flags != b.At(pos).Flags || c.Name(i).Base == b.Name(pos).Base {
			t.Errorf("%+v of %+v", c.At(i), b.At(pos))
		}
	}
	moved, err := b.Move([]int{1}, to)
	if err != nil || !slices.Equal(moved.UIDs, []UID{3}) || !slices.Equal(b.Gone(), []int{1}) {
		t.Errorf("%+v, %v, gone %v", moved, err, b.Gone())
	}
}

func TestCacheOfThePastIsBegunAnew(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 5)
	b := open(t, m, false)
	for i := range 20 {
		b.Cache(i%5, 1, make([]byte, 300<<10))
		b.Flush()
	}
	b.update(func(u *update) error {
		u.still, u.snapshot, u.head.Next = true, true, u.head.Next+1
		return nil
	})
	if h := b.img.Head(); h.Cache != 0 || h.CacheEnd != 0 {
		t.Errorf("%+v", h)
	}
	if _, ok := b.Cached(1, 1); ok {
		t.Error("a blob of a cache that is dropped")
	}
	b.Cache(1, 1, []byte("new"))
	b.Flush()
	if got, ok := b.Cached(1, 1); !ok || string(got) != "new" {
		t.Errorf("%q, %t", got, ok)
	}
	if st, err := os.Stat(filepath.Join(m.Path(), index.CacheName)); err != nil || st.Size() > 1<<10 {
		t.Errorf("%v, %v", st, err)
	}
}

// Where Dovecot serves the folder too, messages are renamed under its lock: it takes
// what its listing misses for removed. Elsewhere nobody waits for that lock.
func TestStoreIsUnderDovecotsLockWhereDovecotIs(t *testing.T) {
	m := folder(t)
	put(t, m, "cur/1700000001.M1P1.other:2,")
	b := open(t, m, false)
	lock := m.Path() + "/dovecot-uidlist.lock"
	host, _ := os.Hostname()
	if err := os.WriteFile(lock, fmt.Appendf(nil, "%d:%s", os.Getppid(), host), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store([]int{0}, Store{Add: maildir.Flagged}); err != nil {
		t.Fatalf("without Dovecot: %v", err)
	}
	if err := os.WriteFile(m.Path()+"/dovecot.index.log", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := b.Store([]int{0}, Store{Add: maildir.Seen})
		done <- err
	}()
	for range 50 {
		time.Sleep(time.Millisecond)
		if names, _ := os.ReadDir(m.Path() + "/cur"); strings.Contains(names[0].Name(), "S") {
			t.Fatal("it renamed a message while another held the lock")
		}
	}
	os.Remove(lock)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// mbsync puts a field of its own into names, and Dovecot tells messages apart by all
// that comes before the info.
func TestI27_NewFieldsAreNotedForDovecot(t *testing.T) {
	t.Parallel()
	for _, session := range []struct {
		about  string
		before func(t *testing.T, m *maildir.Maildir, b *Mailbox)
		after  func(t *testing.T, m *maildir.Maildir, b *Mailbox)
	}{
		{"by an event", func(*testing.T, *maildir.Maildir, *Mailbox) {}, func(t *testing.T, _ *maildir.Maildir, b *Mailbox) { sync(t, b) }},
		{"by a scan", func(*testing.T, *maildir.Maildir, *Mailbox) {}, func(t *testing.T, _ *maildir.Maildir, b *Mailbox) {
			b.doubt = true
			sync(t, b)
		}},
		{"without an index", func(t *testing.T, m *maildir.Maildir, b *Mailbox) {
			closeBox(t, b)
			if err := os.Remove(filepath.Join(m.Path(), index.IndexName)); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, m *maildir.Maildir, _ *Mailbox) { closeBox(t, open(t, m, false)) }},
	} {
		t.Run(session.about, func(t *testing.T) {
			t.Parallel()
			m := folder(t)
			put(t, m, "cur/1700000001.M1P1.mx,S=4:2,S")
			put(t, m, "cur/1700000002.M1P1.mx,S=4:2,")
			b := open(t, m, true)
			b.Fd()
			sync(t, b)
			uid := b.UID(0)
			session.before(t, m, b)
			if err := os.Rename(m.Path()+"/cur/1700000001.M1P1.mx,S=4:2,S", m.Path()+"/cur/1700000001.M1P1.mx,S=4,U=7:2,S"); err != nil {
				t.Fatal(err)
			}
			session.after(t, m, b)
			list, err := uidlist.Read(m.Dir())
			if err != nil {
				t.Fatal(err)
			}
			if r := list.Record(0); r.UID != uint32(uid) || !strings.HasPrefix(r.Name, "1700000001.M1P1.mx,S=4,U=7") || list.Len() != 2 {
				t.Errorf("UID %d of %q, want %d of the new name", r.UID, r.Name, uid)
			}
		})
	}
}

// RFC 3501 section 7.1: UNSEEN is the number of the first message without \Seen.
// The index of a mailbox that did not change tells it without its messages.
func TestFirstUnseenIsKnownToTheNextSession(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	m := folder(t)
	fill(t, m, 20)
	age(t, m)
	for round := range 200 {
		b := open(t, m, false)
		pos, ok := b.FirstUnseen()
		if round%2 == 1 && ok && b.view != nil {
			t.Fatalf("round %d: the messages were looked at", round)
		}
		want := 0
		for want < b.Len() && b.At(want).Flags&maildir.Seen != 0 {
			want++
		}
		if ok != (want < b.Len()) || ok && pos != want {
			t.Fatalf("round %d: first unseen is %d %t of %d, want %d", round, pos, ok, b.Len(), want)
		}
		if round%2 == 0 { // the next one finds it as this one left it
			one := []int{rnd.IntN(min(b.Len(), want+3))}
			var err error
			switch rnd.IntN(8) {
			case 0:
				_, err = b.Store(one, Store{Remove: maildir.Seen})
			case 1:
				err = b.Expunge(one)
			case 2:
				for i := range 3 {
					put(t, m, fmt.Sprintf("cur/18%08d.M%dP1.other:2,", round, i))
				}
			default:
				_, err = b.Store(one, Store{Add: maildir.Seen})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		closeBox(t, b)
		if round%2 == 0 {
			age(t, m)
			closeBox(t, open(t, m, false)) // sees what the times have become
			c := open(t, m, false)
			c.UID(0)
			closeBox(t, c)
		}
	}
}

// A Take that was killed has left a message under two names.
func TestExpungedMessageHasNoOtherNameInNew(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2)
	b := open(t, m, false)
	twin := filepath.Join(m.Path(), "new/1700000001.M1P1.other")
	if err := os.Link(filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,"), twin); err != nil {
		t.Fatal(err)
	}
	if err := b.Expunge([]int{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(twin); !os.IsNotExist(err) {
		t.Errorf("the other name is still there: %v", err)
	}
}
