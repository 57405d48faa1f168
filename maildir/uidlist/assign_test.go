package uidlist_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/uidlist"
)

// now is the time in tests.
var now = time.Unix(1700000000, 0)

func box(t *testing.T, f disk.FS) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), f)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(names ...string) []maildir.Name {
	all := make([]maildir.Name, len(names))
	for i, n := range names {
		all[i] = maildir.ParseName(n)
	}
	return all
}

func assign(t *testing.T, m *maildir.Maildir, names ...string) *uidlist.List {
	t.Helper()
	l, err := uidlist.Assign(m, parse(names...), now)
	must(t, err)
	return l
}

// text is the list as a string: UIDVALIDITY, next UID, and UID and base of each.
func text(l *uidlist.List) string {
	s := fmt.Sprintf("V%d N%d", l.Validity, l.Next)
	for i := range l.Len() {
		r := l.Record(i)
		s += fmt.Sprintf(" %d:%s", r.UID, maildir.ParseName(r.Name).Base)
	}
	return s
}

func read(t *testing.T, m *maildir.Maildir) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.Path(), uidlist.Name))
	must(t, err)
	return string(b)
}

func write(t *testing.T, m *maildir.Maildir, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(m.Path(), name), []byte(text), 0o600))
}

func want(t *testing.T, l *uidlist.List, want string) {
	t.Helper()
	if got := text(l); got != want {
		t.Errorf("list is %s, want %s", got, want)
	}
}

func TestNewListHasEverythingThatDovecotWants(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	l := assign(t, m, "1.a,S=5:2,S", "2.b", "1.a,S=5")
	want(t, l, "V1700000000 N3 1:1.a 2:2.b")
	got := read(t, m)
	if want := "3 V1700000000 N1 G" + l.GUID + "\n1 :1.a,S=5\n2 :2.b\n"; len(l.GUID) != 32 || got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
	want(t, assign(t, m), "V1700000000 N3 1:1.a 2:2.b")
}

func TestListGrowsAtItsEnd(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	write(t, m, uidlist.Name, "3 V7 N9 G0123456789abcdef0123456789abcdef\n5 W9 :1.a\n")
	before, err := os.Stat(m.Path() + "/" + uidlist.Name)
	must(t, err)
	want(t, assign(t, m, "1.a:2,S", "2.b"), "V7 N10 5:1.a 9:2.b")
	if got, want := read(t, m), "3 V7 N9 G0123456789abcdef0123456789abcdef\n5 W9 :1.a\n9 :2.b\n"; got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
	if after, err := os.Stat(m.Path() + "/" + uidlist.Name); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file: %v", err)
	}
	files, err := filepath.Glob(m.Path() + "/dovecot*")
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

// A message is its base: flags, the folder it lies in, sizes in its name and the
// numbers that synchronizers put there are not.
func TestUIDSurvivesEveryRename(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	first := text(assign(t, m, "1.a"))
	for _, name := range []string{"1.a:2,S", "1.a,S=5,W=6:2,abT", "1.a,U=77", "1.a,U=77:2,", "1.a:2,S,X"} {
		want(t, assign(t, m, name), first)
	}
}

// Dovecot would give a message another UID after a change of its fields, did the
// list not have its name.
func TestListFollowsFields(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	write(t, m, uidlist.Name, "3 V7 N9 G0123456789abcdef0123456789abcdef\n5 W9 :1.a,S=8:2,S\n6 :2.b\n7 :3.c\n")
	before, err := uidlist.StampOf(m)
	must(t, err)
	if l := assign(t, m, "1.a,S=8", "2.b:2,S"); l.Stamp().Inode != before.Inode {
		t.Error("flags are worth a new list")
	}
	want(t, assign(t, m, "1.a,S=8,U=5:2,", "2.b:2,S", "4.d"), "V7 N10 5:1.a 6:2.b 7:3.c 9:4.d")
	if got, want := read(t, m), "3 V7 N10 G0123456789abcdef0123456789abcdef\n5 W9 :1.a,S=8,U=5\n6 :2.b\n7 :3.c\n9 :4.d\n"; got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
}

func TestMessageThatComesBack(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	l := assign(t, m, "1.a", "2.b")
	v := l.Validity
	// Nobody says that it was expunged: it has its UID, as with Dovecot.
	want(t, assign(t, m, "1.a"), "V1700000000 N3 1:1.a 2:2.b")
	// Clients have heard VANISHED 1: this UID must not be seen again.
	known := uidlist.Known{Validity: v, Next: l.Next, Expunged: func(uid uint32) bool { return uid == 1 }}
	l, err := uidlist.AssignAfter(m, known, parse("1.a", "2.b"), now)
	must(t, err)
	want(t, l, "V1700000000 N4 2:2.b 3:1.a")
	again, err := uidlist.Read(m.Dir())
	must(t, err)
	want(t, again, text(l))
	if n := strings.Count(read(t, m), ":1.a\n"); n != 1 {
		t.Errorf("the file has %d lines for it, of which Dovecot complains", n)
	}
	// What was expunged under another UIDVALIDITY says nothing.
	known.Validity, known.Expunged = v-1, func(uint32) bool { return true }
	l, err = uidlist.AssignAfter(m, known, parse("1.a", "2.b"), now)
	must(t, err)
	want(t, l, text(again))
}

func TestNamesThatNoListCanHold(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	l := assign(t, m, "1.a\nb", "2.c\r", "3.d")
	want(t, l, "V1700000000 N2 1:3.d")
	if l.UID("1.a\nb") != 0 {
		t.Error("a name with a line end has a UID")
	}
}

// F15: "backup restored (old mtimes, same names), rsync in progress: no UID reuse".
func TestF15RestoredListReusesNoUID(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	assign(t, m, "1.a")
	backup := read(t, m)
	l := assign(t, m, "2.b", "3.c")
	known := uidlist.Known{Validity: l.Validity, Next: l.Next}
	write(t, m, uidlist.Name, backup)
	l, err := uidlist.AssignAfter(m, known, parse("1.a", "9.new"), now)
	must(t, err)
	want(t, l, "V1700000000 N5 1:1.a 4:9.new")

	write(t, m, uidlist.Name, backup)
	l, err = uidlist.AssignAfter(m, known, parse("1.a"), now)
	must(t, err)
	want(t, l, "V1700000000 N4 1:1.a")
	want(t, assign(t, m), "V1700000000 N4 1:1.a")

	known.Validity++
	l, err = uidlist.AssignAfter(m, known, parse("1.a"), now)
	must(t, err)
	want(t, l, "V1700000002 N2 1:1.a")
}

// I29: "uidlist: truncated, torn last line, duplicate UID, descending, UID 2^32-1,
// 1 GB, NUL, foreign version: salvage or new UIDVALIDITY; never two messages one
// UID". The messages 1.a with UID 5, 2.b with UID 8 and 3.c without one are there.
func TestI29DamagedList(t *testing.T) {
	t.Parallel()
	const head = "3 V7 N9 G0123456789abcdef0123456789abcdef Xfoo\n"
	for _, c := range []struct{ about, list, want string }{
		{"torn last line", head + "5 :1.a\n8 :2.b\n9 :3.", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"zeros behind the end", head + "5 :1.a\n8 :2.b\n\x00\x00\x00\x00", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"NUL in a line", head + "5 :1.a\n6 :\x00\n8 :2.b\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"one UID twice", head + "5 :1.a\n8 :2.b\n8 :3.c\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"descending", head + "5 :1.a\n8 :2.b\n4 :3.c\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"a line of something else", head + "5 :1.a\nhello\n8 :2.b\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"largest number", head + "5 :1.a\n8 :2.b\n4294967295 :3.c\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"one message twice", head + "4 :1.a\n5 :1.a\n8 :2.b\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"next UID is too low", "3 V7 N1\n5 :1.a\n8 :2.b\n", "V7 N10 5:1.a 8:2.b 9:3.c"},
		{"cut in the middle", head + "5 :1.a\n", "V7 N11 5:1.a 9:2.b 10:3.c"},
		{"the last UID but two", head + "5 :1.a\n8 :2.b\n4294967291 :x\n", "V7 N4294967293 5:1.a 8:2.b 4294967291:x 4294967292:3.c"},
		{"no UID is left", head + "5 :1.a\n8 :2.b\n4294967294 :x\n", "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
		{"next UID is the last number", "3 V7 N4294967295\n5 :1.a\n8 :2.b\n", "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
		{"foreign version", "4 V7 N9\n5 :1.a\n", "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
		{"empty", "", "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
		{"header without an end", "3 V7 N9", "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
		{"no next UID, but a later UIDVALIDITY", "3 V1800000000\n5 :1.a\n", "V1800000001 N4 1:1.a 2:2.b 3:3.c"},
		{"zeros", strings.Repeat("\x00", 4096), "V1700000000 N4 1:1.a 2:2.b 3:3.c"},
	} {
		m := box(t, disktest.Fast)
		write(t, m, uidlist.Name, c.list)
		l := assign(t, m, "1.a:2,S", "2.b", "3.c")
		if got := text(l); got != c.want {
			t.Errorf("%s: %s, want %s", c.about, got, c.want)
		}
		again, err := uidlist.Read(m.Dir())
		if err != nil || text(again) != text(l) {
			t.Errorf("%s: reads again as %s, %v", c.about, text(again), err)
		}
		// Dovecot removes a list with a line out of order, and all UIDs with it.
		last := uint32(0)
		for line := range strings.Lines(strings.SplitN(read(t, m), "\n", 2)[1]) {
			var uid uint32
			if _, err := fmt.Sscanf(line, "%d :", &uid); err != nil || uid <= last {
				t.Errorf("%s: line %q behind UID %d", c.about, line, last)
			}
			last = uid
		}
	}
}

func TestI29ListThatIsNoFileOrTooLarge(t *testing.T) {
	t.Parallel()
	for about, make := range map[string]func(path string) error{
		"symbolic link":         func(path string) error { return os.Symlink("/etc/passwd", path) },
		"dangling link":         func(path string) error { return os.Symlink("/nowhere", path) },
		"FIFO":                  func(path string) error { return unix.Mkfifo(path, 0o600) },
		"one gigabyte of zeros": func(path string) error { return sparse(path, 1<<30) },
	} {
		m := box(t, disktest.Fast)
		must(t, make(filepath.Join(m.Path(), uidlist.Name)))
		if got, want := text(assign(t, m, "1.a")), "V1700000000 N2 1:1.a"; got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
	m := box(t, disktest.Fast)
	must(t, os.Mkdir(filepath.Join(m.Path(), uidlist.Name), 0o700))
	if l, err := uidlist.Assign(m, parse("1.a"), now); err == nil {
		t.Errorf("a directory: %s", text(l))
	}
}

func sparse(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

func TestRewriteKeepsWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	write(t, m, uidlist.Name, "3 V7 N9 Xfoo G0123456789abcdef0123456789abcdef Ybar\n5 W9 S8 Gabc Pa:b O3 Zz :1.a,S=8:2,S\nbroken\n")
	assign(t, m)
	want := "3 V7 N9 G0123456789abcdef0123456789abcdef Xfoo Ybar\n5 W9 S8 Gabc Pa:b O3 Zz :1.a,S=8:2,S\n"
	if got := read(t, m); got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
	l, err := uidlist.Read(m.Dir())
	must(t, err)
	if p, ok := l.Record(0).Field('P'); p != "a:b" || !ok {
		t.Errorf("field P is %q, %t", p, ok)
	}
}

func TestVersion1BecomesVersion3(t *testing.T) {
	t.Parallel()
	for _, name := range []string{uidlist.Name, "courierimapuiddb"} {
		m := box(t, disk.OS)
		write(t, m, name, "1 7 9\n5 1.a:2,S\n8 2.b\n")
		l := assign(t, m, "2.b", "3.c")
		want(t, l, "V7 N10 5:1.a 8:2.b 9:3.c")
		if got, want := read(t, m), "3 V7 N9 G"+l.GUID+"\n5 :1.a:2,S\n8 :2.b\n9 :3.c\n"; got != want {
			t.Errorf("%s: file holds %q, want %q", name, got, want)
		}
	}
}

func TestCourierCountsOnlyWithoutAListOfDovecot(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	write(t, m, "courierimapuiddb", "1 7 9\n5 1.a\n")
	write(t, m, uidlist.Name, "3 V6 N4 G0123456789abcdef0123456789abcdef\n3 :1.a\n")
	want(t, assign(t, m), "V6 N4 3:1.a")
	write(t, m, "courierimapuiddb", "nonsense")
	must(t, os.Remove(filepath.Join(m.Path(), uidlist.Name)))
	want(t, assign(t, m, "1.a"), "V1700000000 N2 1:1.a")
}

// I31: "clock back: UIDVALIDITY of new folder must still grow". RFC 9051 section
// 2.3.1.1: "If the mailbox is deleted/renamed and a new mailbox with the same name is
// created at a later date, the server must either keep track of unique identifiers
// from the previous instance of the mailbox or assign a new UIDVALIDITY value".
func TestI31UIDValidityGrowsThoughTheClockGoesBack(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	last := uint32(0)
	for i, at := range []time.Time{now, now, now.Add(-time.Hour), now.Add(-time.Hour), now.Add(time.Hour), now} {
		f, err := m.CreateFolder("a.b")
		must(t, err)
		l, err := uidlist.Assign(f, parse("1.a"), at)
		must(t, err)
		if l.Validity <= last || l.Validity < uint32(at.Unix()) {
			t.Errorf("folder %d at %d has UIDVALIDITY %d after %d", i, at.Unix(), l.Validity, last)
		}
		last = l.Validity
		must(t, f.Close())
		must(t, m.DeleteFolder("a.b"))
	}
	if l, err := uidlist.Assign(m, nil, now); err != nil || l.Validity <= last {
		t.Errorf("the inbox has %d, %v", l.Validity, err)
	}
}

// Dovecot counts in the name of a file, of which it keeps a copy.
func TestCounterIsDovecots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		files map[string]string
		want  uint32
		left  []string
	}{
		{"none", nil, 1700000000, []string{"dovecot-uidvalidity.6553f100"}},
		{"one of later", map[string]string{"dovecot-uidvalidity": "70000000", "dovecot-uidvalidity.70000000": ""}, 0x70000001, []string{"dovecot-uidvalidity", "dovecot-uidvalidity.70000001"}},
		{"copy is behind", map[string]string{"dovecot-uidvalidity": "60000000", "dovecot-uidvalidity.70000000": ""}, 0x70000001, []string{"dovecot-uidvalidity", "dovecot-uidvalidity.70000001"}},
		{"copy alone", map[string]string{"dovecot-uidvalidity": "70000000"}, 0x70000001, []string{"dovecot-uidvalidity", "dovecot-uidvalidity.70000001"}},
		{"two after a race", map[string]string{"dovecot-uidvalidity.70000000": "", "dovecot-uidvalidity.70000007": ""}, 0x70000008, []string{"dovecot-uidvalidity.70000000", "dovecot-uidvalidity.70000008"}},
		{"nonsense", map[string]string{"dovecot-uidvalidity": "xyz", "dovecot-uidvalidity.lock": "", "dovecot-uidvalidity.1234567g": ""}, 1700000000, []string{"dovecot-uidvalidity", "dovecot-uidvalidity.1234567g", "dovecot-uidvalidity.6553f100", "dovecot-uidvalidity.lock"}},
	} {
		m := box(t, disktest.Fast)
		for name, text := range c.files {
			write(t, m, name, text)
		}
		if l := assign(t, m); l.Validity != c.want {
			t.Errorf("%s: UIDVALIDITY %d, want %d", c.about, l.Validity, c.want)
		}
		left, err := filepath.Glob(m.Path() + "/dovecot-uidvalidity*")
		must(t, err)
		for i := range left {
			left[i] = filepath.Base(left[i])
		}
		if fmt.Sprint(left) != fmt.Sprint(c.left) {
			t.Errorf("%s: files %v, want %v", c.about, left, c.left)
		}
	}
	m := box(t, disktest.Fast)
	write(t, m, "dovecot-uidvalidity.ffffffff", "")
	if l := assign(t, m); l.Validity != 1700000000 {
		t.Errorf("after the largest number there is: %s", text(l))
	}
}

func TestCompactDropsWhatIsGone(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	l := assign(t, m, "1.a", "2.b", "3.c", "4.d", "5.e")
	before := l.Stamp()
	compact := func(gone string) *uidlist.List {
		l, err := uidlist.Compact(m, func(base string) bool { return strings.Contains(gone, base) })
		must(t, err)
		return l
	}
	if l = compact("5.e"); l.Stamp() != before {
		t.Error("one of five is worth a new list")
	}
	l = compact("4.d 5.e")
	want(t, l, "V1700000000 N6 1:1.a 2:2.b 3:3.c")
	again, err := uidlist.Read(m.Dir())
	must(t, err)
	want(t, again, text(l))
	want(t, assign(t, m, "5.e"), "V1700000000 N7 1:1.a 2:2.b 3:3.c 6:5.e")
	other := box(t, disk.OS)
	if _, err := uidlist.Compact(other, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no list: %v", err)
	}
}

func TestStampTellsOfEveryChange(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	stamp := func() uidlist.Stamp {
		s, err := uidlist.StampOf(m)
		must(t, err)
		return s
	}
	seen := map[uidlist.Stamp]bool{stamp(): true}
	if !seen[uidlist.Stamp{}] {
		t.Error("there is a stamp without a file")
	}
	for _, name := range []string{"1.a", "2.b", "3.c"} {
		l := assign(t, m, name)
		if l.Stamp() != stamp() || seen[l.Stamp()] {
			t.Errorf("after %s: %v, file %v", name, l.Stamp(), stamp())
		}
		seen[stamp()] = true
		r, err := uidlist.Read(m.Dir())
		must(t, err)
		if r.Stamp() != stamp() {
			t.Errorf("read: %v, file %v", r.Stamp(), stamp())
		}
	}
}

// A session that keeps its list reads what others appended, and notices when the
// list was made anew.
func TestKnownListIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	m := box(t, disk.OS)
	l := assign(t, m, "1.a")
	assign(t, m, "2.b") // another session
	l, err := uidlist.AssignAfter(m, uidlist.Known{List: l}, parse("3.c", "2.b"), now)
	must(t, err)
	want(t, l, "V1700000000 N4 1:1.a 2:2.b 3:3.c")
	_, err = uidlist.Compact(m, func(base string) bool { return base == "1.a" })
	must(t, err)
	l, err = uidlist.AssignAfter(m, uidlist.Known{List: l}, parse("4.d"), now)
	must(t, err)
	want(t, l, "V1700000000 N5 2:2.b 3:3.c 4:4.d")
	write(t, m, uidlist.Name, read(t, m)+"5 :5.to") // the same file, torn
	l, err = uidlist.AssignAfter(m, uidlist.Known{List: l}, parse("5.torn"), now)
	must(t, err)
	want(t, l, "V1700000000 N6 2:2.b 3:3.c 4:4.d 5:5.torn")
	again, err := uidlist.Read(m.Dir())
	must(t, err)
	want(t, again, text(l))
}

// Many at once, of which each knows some of the messages: no UID for two, and no
// message twice.
func TestConcurrentAssignsAgree(t *testing.T) {
	t.Parallel()
	m := box(t, disktest.Fast)
	const workers, rounds = 4, 25
	var mu sync.Mutex
	uids := map[uint32]string{}
	bases := map[string]uint32{}
	note := func(l *uidlist.List) {
		mu.Lock()
		defer mu.Unlock()
		for i := range l.Len() {
			r := l.Record(i)
			if b, ok := uids[r.UID]; ok && b != r.Name {
				t.Errorf("UID %d is of %s and of %s", r.UID, b, r.Name)
			}
			if uid, ok := bases[r.Name]; ok && uid != r.UID {
				t.Errorf("%s has UID %d and %d", r.Name, uid, r.UID)
			}
			uids[r.UID], bases[r.Name] = r.Name, r.UID
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			known := uidlist.Known{}
			for i := range rounds {
				own, err := maildir.Open(m.Path(), disktest.Fast)
				if err != nil {
					t.Error(err)
					return
				}
				l, err := uidlist.AssignAfter(own, known, parse(fmt.Sprintf("%d.shared", i), fmt.Sprintf("%d.of%d", i, w)), now)
				own.Close()
				if err != nil {
					t.Error(err)
					return
				}
				note(l)
				if i%2 == 0 {
					known.List = l
				}
			}
		})
	}
	wg.Wait()
	if want := rounds * (workers + 1); len(bases) != want || len(uids) != want {
		t.Errorf("%d messages, %d UIDs, want %d", len(bases), len(uids), want)
	}
}

// FuzzMend: whatever a list holds, Assign leaves one that reads back the same, in
// which each message has its own UID, those before that were good keep theirs, and
// the next UID has not fallen.
func FuzzMend(f *testing.F) {
	f.Add([]byte("3 V7 N9 G0123456789abcdef0123456789abcdef Xfoo\n5 W1 :1.a\n8 :2.b,U=5:2,S\n9 :3."))
	f.Add([]byte("1 7 9\n5 1.a\n8 2.b\n"))
	f.Add([]byte("3 V7 N4294967294\n4294967293 :1.a\n1 :1.a\n"))
	f.Add([]byte("3 V7 N9\n5 :1.a\n6 :1.a\n7 a : b :c\n"))
	m, err := maildir.Create(filepath.Join(disktest.Memory(f), "Maildir"), disktest.Fast)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		write(t, m, uidlist.Name, string(b))
		counters, err := filepath.Glob(m.Path() + "/dovecot-uidvalidity*")
		must(t, err)
		for _, c := range counters {
			must(t, os.Remove(c))
		}
		old, oldErr := uidlist.Parse(bytes.Clone(b))
		l := assign(t, m, "1.a", "2.b", "new")
		again, err := uidlist.Read(m.Dir())
		if err != nil || text(again) != text(l) {
			t.Fatalf("%s reads again as %s, %v", text(l), text(again), err)
		}
		seen := map[string]bool{}
		for i := range l.Len() {
			r := l.Record(i)
			base := maildir.ParseName(r.Name).Base
			if seen[base] || i > 0 && r.UID <= l.Record(i-1).UID || r.UID >= l.Next || l.UID(base) != r.UID {
				t.Fatalf("record %d: %+v in %s", i, r, text(l))
			}
			seen[base] = true
			if oldErr == nil && l.Validity == old.Validity {
				if was := old.UID(base); was != 0 && was != r.UID || was == 0 && r.UID < old.Next {
					t.Fatalf("%s had UID %d of %d and has %d", base, was, old.Next, r.UID)
				}
			}
		}
		if !seen["1.a"] || !seen["2.b"] || !seen["new"] {
			t.Fatalf("a message has no UID: %s", text(l))
		}
		if oldErr == nil && (l.Validity < old.Validity && old.Validity < 1<<32-1 || l.Validity == old.Validity && l.Next < old.Next) {
			t.Fatalf("V%d N%d became %s", old.Validity, old.Next, text(l))
		}
	})
}
