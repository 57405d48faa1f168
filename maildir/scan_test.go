package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// place puts a file of this content under a path in m.
func place(t testing.TB, m *maildir.Maildir, path, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.Path(), path), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settle makes new and cur look unchanged for a while, and unsettle as if they
// had changed at this very moment, whenever that is.
func settle(t testing.TB, m *maildir.Maildir)   { t.Helper(); changed(t, m, -time.Minute) }
func unsettle(t testing.TB, m *maildir.Maildir) { t.Helper(); changed(t, m, time.Hour) }

func changed(t testing.TB, m *maildir.Maildir, ago time.Duration) {
	t.Helper()
	then := time.Now().Add(ago)
	for _, d := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(m.Path(), d), then, then); err != nil {
			t.Fatal(err)
		}
	}
}

func names(l *maildir.Listing) (all []string) {
	for i := range l.Len() {
		all = append(all, l.At(i).String())
	}
	slices.Sort(all)
	return all
}

func TestF05_OnlyFilesThatMayBeMessagesAreListed(t *testing.T) {
	t.Parallel()
	m := create(t)
	for _, name := range []string{".nfs0001", ".DS_Store", ".syncthing.a.tmp", "~syncthing~a.tmp", "a~", "#a#"} {
		place(t, m, "cur/"+name, "x")
	}
	at := func(name string) string { return filepath.Join(m.Path(), "new", name) }
	if err := errors.Join(os.Mkdir(at("lost+found"), 0o700), unix.Mkfifo(at("fifo"), 0o600), os.Symlink("/etc/passwd", at("link"))); err != nil {
		t.Fatal(err)
	}
	place(t, m, "cur/message", "x")
	if got := names(scan(t, m)); !slices.Equal(got, []string{"message"}) {
		t.Errorf("listed %q", got)
	}
}

func TestF06_NamesOfEveryKindAreListedAndOpened(t *testing.T) {
	t.Parallel()
	m := create(t)
	odd := []string{"-rf", "a\nb", "\xff\xfe:2,S", strings.Repeat("x", 255), "b:2,S:2,F", "c:1,x", "d:2,SZRS", "e,S=99:2,", ":2,S", "f b", "*", "--"}
	for _, name := range odd {
		place(t, m, "cur/"+name, "x")
	}
	l := scan(t, m)
	slices.Sort(odd)
	if got := names(l); !slices.Equal(got, odd) {
		t.Errorf("listed %q, want %q", got, odd)
	}
	for i := range l.Len() {
		if f, now, err := m.OpenMessage(l.At(i)); err != nil || now != l.At(i) {
			t.Errorf("open %q: %v", l.At(i), err)
		} else {
			f.Close()
		}
	}
}

func TestF09_UnreadableMessageIsListedAndItsErrorSaysWhy(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads everything; index has the test with what root cannot read")
	}
	m := create(t)
	place(t, m, "new/a", "x")
	if err := os.Chmod(filepath.Join(m.Path(), "new/a"), 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.OpenMessage(scan(t, m).At(0)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

func TestF03_MessageInNewAndCurIsOne(t *testing.T) {
	t.Parallel()
	m := create(t)
	place(t, m, "new/a,S=1", "x")
	place(t, m, "cur/a,S=1:2,S", "x")
	place(t, m, "cur/b:2,", "x")
	l := scan(t, m)
	if got := names(l); !slices.Equal(got, []string{"a,S=1:2,S", "b:2,"}) {
		t.Errorf("listed %q", got)
	}
	for base, want := range map[string]string{"a": "a,S=1:2,S", "b": "b:2,"} {
		if i := l.Find(base); i < 0 || l.At(i).String() != want || l.At(i).New {
			t.Errorf("Find(%q) is %d", base, i)
		}
	}
	if i := l.Find("c"); i >= 0 {
		t.Errorf("found what is not there at %d", i)
	}
	if i := scan(t, create(t)).Find("a"); i >= 0 {
		t.Errorf("found something in nothing at %d", i)
	}
}

func TestListingIsSettledOnlyWhenNothingCanHaveBeenMissed(t *testing.T) {
	t.Parallel()
	m := create(t)
	place(t, m, "cur/a:2,", "x")
	unsettle(t, m)
	if scan(t, m).Settled {
		t.Error("settled with a change that is not past: another in its tick would go unseen")
	}
	settle(t, m)
	if !scan(t, m).Settled {
		t.Error("not settled a minute after the last change")
	}
	then := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(m.Path(), "new"), then, then); err != nil {
		t.Fatal(err)
	}
	if scan(t, m).Settled {
		t.Error("settled though new is not")
	}
}

func TestRescanKeepsWhatAnUnsettledScanMisses(t *testing.T) {
	t.Parallel()
	m := create(t)
	place(t, m, "cur/a:2,", "x")
	place(t, m, "new/b", "x")
	old := scan(t, m)
	if err := os.Remove(filepath.Join(m.Path(), "cur/a:2,")); err != nil {
		t.Fatal(err)
	}
	place(t, m, "new/c", "x")
	unsettle(t, m)
	rescan := func() []string {
		l, err := m.Rescan(old)
		if err != nil {
			t.Fatal(err)
		}
		return names(l)
	}
	if got := rescan(); !slices.Equal(got, []string{"a:2,", "b", "c"}) {
		t.Errorf("right after the change: %q", got)
	}
	settle(t, m)
	if got := rescan(); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("a minute later: %q", got)
	}
}

func TestSortIsByArrivalAndKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	m := create(t)
	order := []string{"foreign", "9.M000001P1.mx", "100.M5P1.mx", "100.M000006P1.mx", "100.M999999P1.mx", "101.a", "101.b", "1700000000.x"}
	for i, name := range order {
		place(t, m, []string{"new/", "cur/"}[i%2]+name, "x")
	}
	l := scan(t, m)
	for i := range l.Len() {
		l.SetWireSize(i, int64(slices.Index(order, l.At(i).Base)))
	}
	l.Sort()
	for i, want := range order {
		if got := l.At(i); got.Base != want || got.WireSize != int64(i) || l.Find(want) != i {
			t.Errorf("message %d is %s of size %d, Find says %d; want %s", i, got.Base, got.WireSize, l.Find(want), want)
		}
	}
}

func TestP04_MessageIsFoundUnderTheNameThatOthersGaveIt(t *testing.T) {
	t.Parallel()
	m := create(t)
	name := deliver(t, m, "", "x\n")
	old := scan(t, m).At(0)
	at := func(path string) string { return filepath.Join(m.Path(), path) }
	last := "new/" + name
	for _, now := range []string{"cur/" + name + ":2,", "cur/" + name + ":2,S", "new/" + name, "cur/" + old.Base + ",U=7:2,RS"} {
		if err := os.Rename(at(last), at(now)); err != nil {
			t.Fatal(err)
		}
		f, found, err := m.OpenMessage(old)
		if err != nil {
			t.Errorf("as %s: %v", now, err)
			continue
		}
		if b, _ := io.ReadAll(f); string(b) != "x\n" {
			t.Errorf("as %s: read %q", now, b)
		}
		f.Close()
		if filepath.Base(now) != found.String() || found.New != strings.HasPrefix(now, "new/") {
			t.Errorf("as %s: said to be %s, new %t", now, found.Name, found.New)
		}
		if st, err := m.Stat(old); err != nil || st.Size != 2 {
			t.Errorf("as %s: stat %d bytes, %v", now, st.Size, err)
		}
		last = now
	}
	if err := os.Remove(at(last)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.OpenMessage(old); !errors.Is(err, maildir.ErrGone) {
		t.Errorf("once it is gone: %v", err)
	}
	if _, err := m.SetFlags(old, maildir.Seen, 0); !errors.Is(err, maildir.ErrGone) {
		t.Errorf("flags of what is gone: %v", err)
	}
}

func TestI43_OnlyARegularFileIsOpened(t *testing.T) {
	t.Parallel()
	m := create(t)
	place(t, m, "cur/a:2,", "x")
	msg := scan(t, m).At(0)
	path := filepath.Join(m.Path(), "cur/a:2,")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func() error{
		"symlink":   func() error { return os.Symlink(secret, path) },
		"fifo":      func() error { return unix.Mkfifo(path, 0o600) },
		"directory": func() error { return os.Mkdir(path, 0o700) },
	} {
		if err := errors.Join(os.Remove(path), put()); err != nil {
			t.Fatal(err)
		}
		if f, _, err := m.OpenMessage(msg); err == nil {
			f.Close()
			t.Errorf("a %s was opened", what)
		}
	}
}

func TestFlagsOfOthersStayAndTheMessageMovesToCur(t *testing.T) {
	t.Parallel()
	m := create(t)
	place(t, m, "new/a,S=1", "x")
	old := scan(t, m).At(0)
	first, err := m.SetFlags(old, maildir.Seen, 0)
	if err != nil || first.String() != "a,S=1:2,S" || first.New {
		t.Fatalf("%+v, %v", first, err)
	}
	// Somebody else flags it; we know only the name before.
	if err := os.Rename(filepath.Join(m.Path(), "cur/a,S=1:2,S"), filepath.Join(m.Path(), "cur/a,S=1:2,FQS")); err != nil {
		t.Fatal(err)
	}
	second, err := m.SetFlags(first, maildir.Replied|maildir.Keyword(0), maildir.Seen)
	if err != nil || second.String() != "a,S=1:2,FQRa" {
		t.Errorf("%+v, %v", second, err)
	}
	if again, err := m.SetFlags(second, maildir.Replied, 0); err != nil || again.String() != second.String() {
		t.Errorf("no change: %+v, %v", again, err)
	}
}

func TestRenameReplacesNoOtherMessage(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{nil, unix.EINVAL, unix.ENOSYS} {
		m := create(t)
		place(t, m, "new/a", "one")
		place(t, m, "cur/a:2,S", "two")
		f := &disktest.Faulty{FS: disktest.Fast, Op: "renamenew", Err: errno}
		if errno != nil {
			f.At = 1
		}
		msg := maildir.Message{Name: maildir.ParseName("a"), New: true}
		if _, err := through(t, m, f).SetFlags(msg, maildir.Seen, 0); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v: error %v", errno, err)
		}
		if all := contents(t, m); !slices.Contains(all, "one") || !slices.Contains(all, "two") {
			t.Errorf("%v: left are %q", errno, all)
		}
	}
	// Where nothing is in the way, the file system that cannot say so is used.
	m := create(t)
	place(t, m, "new/a", "one")
	f := through(t, m, &disktest.Faulty{FS: disktest.Fast, Op: "renamenew", At: 1, Err: unix.EINVAL})
	if now, err := f.SetFlags(scan(t, m).At(0), maildir.Seen, 0); err != nil || now.String() != "a:2,S" {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestP11_ExpungeTakesRenamedMessagesAndForgivesGoneOnes(t *testing.T) {
	t.Parallel()
	m := create(t)
	for _, name := range []string{"cur/a:2,", "cur/b:2,", "new/c", "new/d"} {
		place(t, m, name, "x")
	}
	l := scan(t, m)
	var all []maildir.Message
	for _, base := range []string{"a", "b", "c"} {
		all = append(all, l.At(l.Find(base)))
	}
	at := func(path string) string { return filepath.Join(m.Path(), path) }
	if err := errors.Join(os.Rename(at("new/c"), at("cur/c:2,S")), os.Remove(at("cur/b:2,"))); err != nil {
		t.Fatal(err)
	}
	if err := m.Expunge(all); err != nil {
		t.Error(err)
	}
	if got := names(scan(t, m)); !slices.Equal(got, []string{"d"}) {
		t.Errorf("left are %q", got)
	}
	if err := m.Expunge(all); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// restless is an FS on which somebody renames each message just before we do
// something with its name, as often as there are moves.
type restless struct {
	disk.FS
	moves int
}

func (r *restless) move(d *disk.Dir, name string) error {
	if r.moves--; r.moves < 0 {
		return nil
	}
	base, _, _ := strings.Cut(name, ":")
	return r.FS.Rename(d, name, d, fmt.Sprintf("%s:2,%c", base, 'a'+r.moves%20))
}

func (r *restless) Remove(d *disk.Dir, name string) error {
	return errors.Join(r.move(d, name), r.FS.Remove(d, name))
}

func (r *restless) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return errors.Join(r.move(from, old), r.FS.RenameNew(from, old, to, new))
}

func TestP11_ExpungeDoesNotSayThatAMessageIsGoneWhichIsThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		moves int
		left  int
	}{{2, 0}, {1000, 1}} {
		m := create(t)
		place(t, m, "cur/a:2,", "x")
		l := scan(t, m)
		err := through(t, m, &restless{disktest.Fast, c.moves}).Expunge([]maildir.Message{l.At(0)})
		if left := scan(t, m).Len(); left != c.left || (err == nil) != (left == 0) {
			t.Errorf("renamed %d times: %d left, error %v", c.moves, left, err)
		}
	}
}

func TestP04_MessageThatIsRenamedAgainAndAgainIsNotGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		moves int
		ok    bool
	}{{9, true}, {1000, false}} {
		m := create(t)
		place(t, m, "cur/a:2,", "x")
		l := scan(t, m)
		_, err := through(t, m, &restless{disktest.Fast, c.moves}).SetFlags(l.At(0), maildir.Seen, 0)
		if (err == nil) != c.ok || errors.Is(err, maildir.ErrGone) {
			t.Errorf("renamed %d times: error %v", c.moves, err)
		}
	}
}

func TestExpungeSyncsEachDirectoryOnceAndSaysWhenItCannot(t *testing.T) {
	t.Parallel()
	m := create(t)
	for i := range 20 {
		place(t, m, fmt.Sprintf("cur/%d:2,", i), "x")
		place(t, m, fmt.Sprintf("new/n%d", i), "x")
	}
	l := scan(t, m)
	var all []maildir.Message
	for i := range l.Len() {
		all = append(all, l.At(i))
	}
	syncs := &disktest.Faulty{FS: disktest.Fast, Op: "syncdir"}
	if err := through(t, m, syncs).Expunge(all[:30]); err != nil || syncs.Calls() != 2 {
		t.Errorf("%d syncs, %v", syncs.Calls(), err)
	}
	for _, op := range []string{"syncdir", "remove"} {
		left := scan(t, m)
		f := &disktest.Faulty{FS: disktest.Fast, Op: op, At: 1, Err: unix.EIO}
		if err := through(t, m, f).Expunge([]maildir.Message{left.At(0), left.At(1)}); !errors.Is(err, unix.EIO) {
			t.Errorf("%s: error %v", op, err)
		}
	}
}

// One program renames one message in a loop, others come and go: a message that
// was there all the time is in every listing, and opens.
func TestI27_MessagesSurviveTheRenamesOfOthers(t *testing.T) {
	t.Parallel()
	m := create(t)
	const n = 500
	for i := range n {
		place(t, m, fmt.Sprintf("cur/%d.m:2,", i), "x")
	}
	known := scan(t, m)
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		last := "0.m:2,"
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			now := fmt.Sprintf("0.m:2,%s", maildir.Flags(i%64))
			if now != last {
				if err := unix.Renameat(m.Dir().Fd(), "cur/"+last, m.Dir().Fd(), "cur/"+now); err != nil {
					t.Errorf("rename %s to %s: %v", last, now, err)
					return
				}
				last = now
			}
			runtime.Gosched()
		}
	})
	for range 60 {
		l, err := m.Rescan(known)
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != n || l.Find("0.m") < 0 {
			t.Errorf("%d messages, the renamed one at %d", l.Len(), l.Find("0.m"))
		}
		known = l
	}
	close(stop)
	others.Wait()
	f, _, err := m.OpenMessage(known.At(known.Find("0.m")))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestF10_SweepTakesOnlyOldRegularFilesOfTmp(t *testing.T) {
	t.Parallel()
	m := create(t)
	now := time.Now()
	at := func(path string) string { return filepath.Join(m.Path(), path) }
	for name, times := range map[string][2]time.Duration{ // atime, mtime
		"tmp/old":       {37 * time.Hour, 37 * time.Hour},
		"tmp/.hidden":   {37 * time.Hour, 400 * time.Hour},
		"tmp/read":      {time.Hour, 37 * time.Hour},
		"tmp/written":   {37 * time.Hour, time.Hour},
		"tmp/young":     {35 * time.Hour, 35 * time.Hour},
		"tmp/tomorrow":  {-24 * time.Hour, -24 * time.Hour},
		"new/old":       {400 * time.Hour, 400 * time.Hour},
		"cur/older:2,":  {400 * time.Hour, 400 * time.Hour},
		"tmp/fifo":      {400 * time.Hour, 400 * time.Hour},
		"tmp/directory": {400 * time.Hour, 400 * time.Hour},
	} {
		switch name {
		case "tmp/fifo":
			if err := unix.Mkfifo(at(name), 0o600); err != nil {
				t.Fatal(err)
			}
		case "tmp/directory":
			if err := os.Mkdir(at(name), 0o700); err != nil {
				t.Fatal(err)
			}
		default:
			place(t, m, name, "x")
		}
		if err := os.Chtimes(at(name), now.Add(-times[0]), now.Add(-times[1])); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := m.Sweep(now); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	var left []string
	all, _ := os.ReadDir(at("tmp"))
	for _, e := range all {
		left = append(left, e.Name())
	}
	if want := []string{"directory", "fifo", "read", "tomorrow", "written", "young"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	if scan(t, m).Len() != 2 {
		t.Error("messages were swept")
	}
}

func TestF10_WriterWhoseFileWasSweptFailsForNow(t *testing.T) {
	t.Parallel()
	m := create(t)
	d, err := m.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(d, "slow\n")
	if n, err := m.Sweep(time.Now().Add(37 * time.Hour)); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if _, err := d.Commit(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("commit: %v", err)
	}
	if n := len(contents(t, m)); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestSweepGoesOnAfterAnErrorAndTellsIt(t *testing.T) {
	t.Parallel()
	m := create(t)
	for _, name := range []string{"a", "b", "c"} {
		place(t, m, "tmp/"+name, "x")
	}
	f := through(t, m, &disktest.Faulty{FS: disktest.Fast, Op: "remove", At: 1, Err: unix.EIO})
	if n, err := f.Sweep(time.Now().Add(37 * time.Hour)); n != 2 || !errors.Is(err, unix.EIO) {
		t.Errorf("removed %d, %v", n, err)
	}
}

func TestD30_TimesOfMessagesInTheFutureHaveNoEffect(t *testing.T) {
	t.Parallel()
	m := create(t)
	name := deliver(t, m, "", "x\n")
	future := time.Now().Add(1000 * time.Hour)
	if err := os.Chtimes(filepath.Join(m.Path(), "new", name), future, future); err != nil {
		t.Fatal(err)
	}
	deliver(t, m, "", "y\n")
	if l := scan(t, m); l.Len() != 2 {
		t.Errorf("%d messages", l.Len())
	}
}

// What a listing costs is counted, not timed: allocations and bytes a message.
func TestD28_P09_ListingsAreSmall(t *testing.T) {
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const n = 20_000
	fill(t, m, n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l := scan(t, m)
	runtime.ReadMemStats(&after)
	if l.Len() != n {
		t.Fatalf("%d messages", l.Len())
	}
	if allocs := after.Mallocs - before.Mallocs; allocs > 100 {
		t.Errorf("%d allocations", allocs)
	}
	// 64 MB for 500,000.
	if size := (after.TotalAlloc - before.TotalAlloc) / n; size > 128 {
		t.Errorf("%d bytes a message", size)
	}
	if n := testing.AllocsPerRun(10, func() { l.At(7); l.Find("nobody") }); n > 0 {
		t.Errorf("%v allocations to look at a message", n)
	}
}

// The order is that of what stays of a name: flags, fields and places of messages
// of one time change nothing about it.
func TestSortIsTheSameWhateverOtherProgramsRename(t *testing.T) {
	t.Parallel()
	var want []string
	for _, behind := range [][]string{{"", "", ""}, {":2,S", "", ",S=1:2,"}, {",W=9", ":2,", ":2,FS"}} {
		m := create(t)
		for i, base := range []string{"1700000000.1_1.mx", "1700000000.1_1.mx-2", "1700000000.1_1.mx2"} {
			place(t, m, "cur/"+base+behind[i], "x")
		}
		l := scan(t, m)
		l.Sort()
		var got []string
		for i := range l.Len() {
			got = append(got, l.Base(i))
			if i > 0 && maildir.CompareArrival(l.At(i-1).Name, l.At(i).Name) >= 0 {
				t.Errorf("%v: %s compares as later than %s", behind, l.Base(i-1), l.Base(i))
			}
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", behind, got, want)
		}
	}
}
