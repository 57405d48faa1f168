package mailbox

import (
	"bytes"
	"errors"
	"fmt"
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
	"rohrpost/maildir/index"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/uidlist"
)

func TestI28_ChangesWithinOneTickAreNotMissed(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		b := open(t, m, watch)
		for i := range 100 {
			put(t, m, fmt.Sprintf("new/17000%05d.M1P1.other", i))
			sync(t, b)
			if b.Len() != i+1 {
				t.Fatalf("watch %t: %d messages, want %d", watch, b.Len(), i+1)
			}
		}
	}
}

func TestI28_IndexWrittenWithinATickIsNotBelieved(t *testing.T) {
	t.Parallel()
	m := folder(t)
	for i := range 5 { // the first is built, the others scan
		put(t, m, fmt.Sprintf("new/17000%05d.M1P1.other", i))
		// As far as anybody can tell, the tick of the change is not over.
		future := time.Now().Add(time.Hour)
		if err := os.Chtimes(filepath.Join(m.Path(), "new"), future, future); err != nil {
			t.Fatal(err)
		}
		b := open(t, m, false)
		if b.Len() != i+1 {
			t.Fatalf("%d messages, want %d", b.Len(), i+1)
		}
		if got := b.img.Head().Stamp; got != (maildir.Stamp{}) || b.seen != got {
			t.Errorf("session %d notes the stamp %+v", i, got)
		}
		closeBox(t, b)
	}
}

func TestIndexOfAWatchedSessionNeedsNoScanAfterItsChanges(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 20)
	age(t, m)
	a := open(t, m, true)
	if _, err := a.Store([]int{3}, Store{Add: maildir.Trashed}); err != nil {
		t.Fatal(err)
	}
	put(t, m, "new/1800000000.M1P1.other")
	closeBox(t, a)
	b := open(t, m, false)
	if b.view != nil || b.seen == (maildir.Stamp{}) || !b.current() {
		t.Error("the index was not left settled")
	}
	if b.Len() != 21 || b.Counts().Trashed != 1 {
		t.Errorf("%d messages, %+v", b.Len(), b.Counts())
	}
}

func TestI33_NewUIDValidityEndsTheSession(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	old := b.Validity()
	list := fmt.Sprintf("3 V%d N9 G0123456789abcdef0123456789abcdef\n8 :1700000001.M1P1.other\n", old+10)
	if err := os.WriteFile(filepath.Join(m.Path(), uidlist.Name), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sync(); !errors.Is(err, ErrReborn) {
		t.Errorf("error %v", err)
	}
	if _, err := b.Store([]int{0}, Store{Add: maildir.Seen}); err == nil {
		t.Error("the session goes on")
	}
	c := open(t, m, false)
	if c.Validity() != old+10 || c.Len() != 3 || c.UID(0) != 8 {
		t.Errorf("validity %d, %d messages, first UID %d", c.Validity(), c.Len(), c.UID(0))
	}
}

func TestI43_FileThatIsNoneOrCannotBeReadIsAnErrorOfThatMessage(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	b.UID(0)
	path := filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.OpenMessage(1); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := b.WireSize(1); err == nil {
		t.Error("a directory has a size")
	}
	if f, err := b.OpenMessage(2); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}

func TestI44_NamesOfAllKindsHaveTheFlagsTheySay(t *testing.T) {
	t.Parallel()
	m := folder(t)
	want := map[string]maildir.Flags{
		"1.a:2,SZRS":      maildir.Seen | maildir.Replied,
		"2.a:2,":          0,
		"3.a:1,S":         0,
		"4.a":             0,
		"5.a,x:2,F":       maildir.Flagged,
		"6.a,S=1,W=1:2,T": maildir.Trashed,
		"7.a:2,S:2,F":     maildir.Seen,
	}
	for name := range want {
		put(t, m, "cur/"+name)
	}
	b := open(t, m, false)
	if b.Len() != len(want) {
		t.Fatalf("%d messages", b.Len())
	}
	for pos := range b.Len() {
		n := b.Name(pos).String()
		if b.At(pos).Flags != want[n] {
			t.Errorf("%s has %s", n, b.At(pos).Flags)
		}
		if _, err := b.Store([]int{pos}, Store{Add: maildir.Draft}); err != nil {
			t.Errorf("%s: %v", n, err)
		}
		f, err := b.OpenMessage(pos)
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		if f.Size() < 10 {
			t.Errorf("%s: %d bytes", n, f.Size())
		}
		f.Close()
	}
}

func TestF05_F06_StrayFilesAreNoMessagesAndStrangeNamesAre(t *testing.T) {
	t.Parallel()
	m := folder(t)
	for _, stray := range []string{".nfs0001", ".DS_Store", "1.x~", "#1.x#", "~1.x", "1.new\nline:2,S"} {
		put(t, m, "cur/"+stray)
	}
	strange := []string{"1.\xff\xfe:2,S", "-rf:2,", "2." + strings.Repeat("x", 250) + ":2,", "3.a b\t:2,S", "4.ü:2,é"}
	for _, name := range strange {
		put(t, m, "cur/"+name)
	}
	for range 2 {
		b := open(t, m, true)
		if b.Len() != len(strange) {
			t.Errorf("%d messages, want %d", b.Len(), len(strange))
		}
		for pos := range b.Len() {
			f, err := b.OpenMessage(pos)
			if err != nil {
				t.Fatalf("%q: %v", b.Name(pos), err)
			}
			f.Close()
		}
		closeBox(t, b)
	}
}

func TestF11_OneFileInTwoFoldersHasItsOwnFlagsInEach(t *testing.T) {
	t.Parallel()
	m, to := folder(t), folder(t)
	fill(t, m, 2)
	b := open(t, m, false)
	if _, err := b.Copy([]int{1}, to); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store([]int{1}, Store{Add: maildir.Trashed}); err != nil {
		t.Fatal(err)
	}
	c := open(t, to, false)
	if c.At(0).Flags != 0 {
		t.Errorf("%+v", c.At(0))
	}
	if err := b.Expunge([]int{1}); err != nil {
		t.Fatal(err)
	}
	if f, err := c.OpenMessage(0); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}

func TestCopyCarriesKeywordsByTheirNames(t *testing.T) {
	t.Parallel()
	m, to := folder(t), folder(t)
	if _, err := keyword.Add(to, 0, "other", "$Junk"); err != nil {
		t.Fatal(err)
	}
	if _, err := keyword.Add(m, 0, "$Junk", "work"); err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1.a:2,Sabz") // z has no name
	b := open(t, m, false)
	if _, err := b.Copy([]int{0}, to); err != nil {
		t.Fatal(err)
	}
	c := open(t, to, false)
	if want := maildir.Seen | maildir.Keyword(1) | maildir.Keyword(2); c.At(0).Flags != want {
		t.Errorf("%s, want %s", c.At(0).Flags, want)
	}
}

func TestF15_ListOfUIDsFromABackupReusesNoUID(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	closeBox(t, open(t, m, false))
	backup, err := os.ReadFile(filepath.Join(m.Path(), uidlist.Name))
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1800000000.M1P1.other:2,")
	put(t, m, "cur/1800000001.M1P1.other:2,")
	b := open(t, m, false)
	if err := b.Expunge([]int{4}); err != nil { // UID 5
		t.Fatal(err)
	}
	closeBox(t, b)
	restore(t, m, uidlist.Name, backup)
	put(t, m, "cur/1800000002.M1P1.other:2,")
	c := open(t, m, false)
	bases := map[UID]string{}
	for pos := range c.Len() {
		bases[c.UID(pos)] = c.Name(pos).Base
	}
	for uid, base := range map[UID]string{1: "1700000000.M1P1.other", 2: "1700000001.M1P1.other", 3: "1700000002.M1P1.other"} {
		if bases[uid] != base {
			t.Errorf("UID %d is %q, want %s", uid, bases[uid], base)
		}
	}
	if len(bases) != 5 || bases[5] != "" || bases[4] != "" && bases[4] != "1800000000.M1P1.other" {
		t.Errorf("UIDs are %v", bases)
	}
}

func TestF15_MessageThatComesBackAfterAnExpungeHasANewUID(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	if err := b.Expunge([]int{1}); err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1700000001.M1P1.other:2,")
	sync(t, b)
	b.Forget()
	if b.Len() != 3 || b.UID(2) != 4 || b.Name(2).Base != "1700000001.M1P1.other" {
		t.Errorf("%d messages, last UID %d", b.Len(), b.UID(b.Len()-1))
	}
	before := b.img.Generation()
	b.doubt = true
	sync(t, b)
	if err := os.Remove(filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")); err != nil {
		t.Fatal(err)
	}
	age(t, m)
	b.doubt = true
	sync(t, b)
	b.Forget()
	if b.Len() != 2 || b.img.Generation() != before {
		t.Errorf("%d messages, and the index was taken for damaged: %v", b.Len(), b.img.Generation() != before)
	}
}

// Dovecot removes a file, then its line in the list. A session that has listed the
// file before must not bring it back with another UID.
func TestMessageThatLeftFilesAndListGetsNoUID(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	b.UID(0)
	err := b.update(func(u *update) error {
		s := &scan{b: b, present: make([]uint64, 1)}
		if _, err := b.m.Walk(s.see); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")); err != nil {
			return err
		}
		relineList(t, m, "2 :1700000001.M1P1.other\n", "")
		if err := s.relist(u, nil, nil); err != nil {
			return err
		}
		return u.welcome(s.fresh, true)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Forget()
	if b.Len() != 2 || b.Next() != 4 {
		t.Errorf("%d messages, UIDNEXT %d, want 2 and 4", b.Len(), b.Next())
	}
}

// Dovecot gives a new message its UID, and removes both while we wait for the lock.
func TestMessageThatWentBeforeItsUIDCameIsNotTold(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2)
	b := open(t, m, false)
	b.UID(0)
	put(t, m, "cur/1700000005.M1P1.other:2,")
	put(t, m, "cur/1700000006.M1P1.other:2,")
	err := b.update(func(u *update) error {
		s := &scan{b: b, present: make([]uint64, 1)}
		if _, err := b.m.Walk(s.see); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(m.Path(), "cur/1700000005.M1P1.other:2,")); err != nil {
			return err
		}
		return u.welcome(s.fresh, false)
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Len() != 3 || b.Name(2).Base != "1700000006.M1P1.other" {
		t.Errorf("%d messages, the last is %s", b.Len(), b.Name(b.Len()-1))
	}
}

func TestF15_MessageThatComesBackBesideDovecotHasOneLineInTheList(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	put(t, m, "dovecot.index.log")
	if err := b.Expunge([]int{1}); err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1700000001.M1P1.other:2,")
	sync(t, b)
	list, err := os.ReadFile(filepath.Join(m.Path(), uidlist.Name))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(list, []byte(":1700000001.M1P1.other")); n != 1 || !bytes.Contains(list, []byte("4 :1700000001.M1P1.other\n")) {
		t.Errorf("the list is\n%s", list)
	}
}

func TestMessageThatWentBeforeItsUIDCameIsInNoNewIndex(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2)
	b := open(t, m, false)
	put(t, m, "cur/1700000005.M1P1.other:2,")
	put(t, m, "cur/1700000006.M1P1.other:2,")
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(m.Path(), "cur/1700000005.M1P1.other:2,")); err != nil {
		t.Fatal(err)
	}
	list, was, err := b.assigned(l, uidlist.Known{})
	if err != nil {
		t.Fatal(err)
	}
	if order, _ := b.byUID(l, list, was); len(order) != 3 || order[2]>>32 != uint64(list.UID("1700000006.M1P1.other")) {
		t.Errorf("%d messages, the last has UID %d", len(order), order[len(order)-1]>>32)
	}
}

// Dovecot moves a message away and back, and keeps the base of its name: what an
// unsettled scan has missed is another message by then.
func TestI26_MessageMissedByAScanIsGoneIfTheListHasAnotherUID(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, false)
	b.UID(0)
	name := filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")
	if err := os.Rename(name, name+".away"); err != nil {
		t.Fatal(err)
	}
	relineList(t, m, "2 :1700000001.M1P1.other\n", "")
	relineList(t, m, "3 :1700000002.M1P1.other\n", "3 :1700000002.M1P1.other\n4 :1700000001.M1P1.other\n5 :1700000009.M1P1.other\n")
	put(t, m, "cur/1700000009.M1P1.other:2,")
	err := b.update(func(u *update) error {
		s := &scan{b: b, present: make([]uint64, 1)}
		if _, err := b.m.Walk(func(name []byte, inode uint64, new bool) {
			if !bytes.HasSuffix(name, []byte(".away")) {
				s.see(name, inode, new)
			}
		}); err != nil {
			return err
		}
		missing, err := s.missing()
		if err != nil {
			return err
		}
		if err := os.Rename(name+".away", name); err != nil { // it is back
			return err
		}
		if err := s.relist(u, nil, missing); err != nil {
			return err
		}
		return u.welcome(s.fresh, true)
	})
	if err != nil {
		t.Fatal(err)
	}
	before := b.img.Generation()
	for range 2 {
		b.doubt = true
		sync(t, b)
	}
	b.Forget()
	var uids []UID
	for pos := range b.Len() {
		uids = append(uids, b.UID(pos))
	}
	if !slices.Equal(uids, []UID{1, 3, 4, 5}) || b.img.Generation() != before {
		t.Errorf("UIDs %d, and the index was taken for damaged: %v", uids, b.img.Generation() != before)
	}
}

// relineList replaces a line of the list of UIDs, as Dovecot does: by a new file.
func relineList(t *testing.T, m *maildir.Maildir, line, by string) {
	t.Helper()
	path := filepath.Join(m.Path(), uidlist.Name)
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	restore(t, m, uidlist.Name, bytes.Replace(list, []byte(line), []byte(by), 1))
}

func TestStatusAgreesWithASession(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 10)
	put(t, m, "new/1800000000.M1P1.other")
	names, err := StatusOf(m, 0, time.Now)
	if err != nil || names.Messages != 11 || names.Unseen != 10 || names.New != 1 || names.Validity != 0 {
		t.Errorf("by names: %+v, %v", names, err)
	}
	if _, err := os.Stat(filepath.Join(m.Path(), uidlist.Name)); err == nil {
		t.Error("counting has given UIDs")
	}
	s, err := StatusOf(m, WantUIDs|WantSize|WantModSeq, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, m, false)
	var size int64
	for pos := range b.Len() {
		n, err := b.WireSize(pos)
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	if want := (Status{b.Counts(), b.Validity(), b.Next(), b.HighestModSeq()}); s != want || s.Size != size || s.Unsized != 0 {
		t.Errorf("%+v, want %+v with %d bytes", s, want, size)
	}
	age(t, m)
	closeBox(t, open(t, m, false))
	h, err := index.ReadHead(m)
	if err != nil || !describes(h, m) {
		t.Fatalf("index does not describe the folder: %v", err)
	}
	if again, err := StatusOf(m, WantUIDs|WantSize, time.Now); err != nil || again.Counts != s.Counts {
		t.Errorf("from the head: %+v, %v", again, err)
	}
}

func TestTakeMovesWhatIsNewAndLeavesItRecent(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2)
	put(t, m, "new/1800000000.M1P1.other")
	a := open(t, m, false)
	if err := a.Take(); err != nil {
		t.Fatal(err)
	}
	if !a.At(2).Recent || a.Counts().New != 0 {
		t.Errorf("%+v, %+v", a.At(2), a.Counts())
	}
	list, err := os.ReadDir(filepath.Join(m.Path(), "new"))
	if err != nil || len(list) != 0 {
		t.Errorf("in new: %v, %v", list, err)
	}
	b := open(t, m, false)
	if b.Len() != 3 || b.At(2).Recent || b.At(2).Flags != 0 {
		t.Errorf("%d messages, %+v", b.Len(), b.At(2))
	}
	if !slices.Equal(state(t, a), state(t, b)) {
		t.Error("the sessions disagree")
	}
}

func TestManyStoresMakeANewSnapshotThatAllSessionsFollow(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 600)
	a, b := open(t, m, true), open(t, m, false)
	b.UID(0)
	all := make([]int, 600)
	for i := range all {
		all[i] = i
	}
	before := a.img.Generation()
	for i := range 4 {
		if _, err := a.Store(all, Store{Remove: ^maildir.Flags(0), Add: maildir.Draft << i}); err != nil {
			t.Fatal(err)
		}
	}
	if a.img.Generation() == before || !a.img.InFile() {
		t.Error("no new snapshot")
	}
	sync(t, b)
	if b.img.Generation() != a.img.Generation() {
		t.Error("the other session has not followed")
	}
	if got := b.Flagged(); len(got) != 600 {
		t.Errorf("told %d", len(got))
	}
	equal(t, "b", state(t, b), state(t, a))
}

// noList is a disk on which the list of UIDs cannot be locked.
type noList struct {
	disk.FS
	broken bool
}

func (f *noList) Create(d *disk.Dir, name string) (disk.File, error) {
	if f.broken && strings.HasPrefix(name, "dovecot-uidlist") {
		return nil, unix.EIO
	}
	return f.FS.Create(d, name)
}

func TestMessageThatCouldNotGetAUIDIsNotForgotten(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 2)
		age(t, m)
		f := &noList{FS: disktest.Fast}
		other, err := maildir.Open(m.Path(), f)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		b := open(t, other, watch)
		b.UID(0)
		put(t, m, "cur/1800000000.M1P1.other:2,")
		age(t, m) // so that the scan is a settled one
		f.broken = true
		if _, err := b.Sync(); err == nil {
			t.Error("no error")
		}
		if h := b.img.Head(); describes(h, m) {
			t.Error("the index claims to know all")
		}
		f.broken = false
		sync(t, b)
		if b.Len() != 3 || b.UID(2) != 3 {
			t.Errorf("watch %t: %d messages", watch, b.Len())
		}
	}
}
