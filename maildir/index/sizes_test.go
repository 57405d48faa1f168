package index

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

// foreign is a Maildir of n messages whose names tell no size. want is the wire
// size of each, by base.
func foreign(t testing.TB, n int) (m *maildir.Maildir, want map[string]int64) {
	t.Helper()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	want = map[string]int64{}
	for i := range n {
		base := fmt.Sprintf("17000%05d.M%dP1.other", i, i)
		text, wire := message(i)
		dir, info := "cur", ":2,S"
		if i%3 == 0 {
			dir, info = "new", ""
		}
		if err := os.WriteFile(filepath.Join(m.Path(), dir, base+info), text, 0o600); err != nil {
			t.Fatal(err)
		}
		want[base] = wire
	}
	return m, want
}

// message is a message of some size, with LF and CRLF mixed, and its wire size.
func message(seed int) (text []byte, wire int64) {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	var b bytes.Buffer
	for b.Len() < seed%7*3000+seed/49%2*readBuffer {
		b.Write(bytes.Repeat([]byte{'x'}, r.IntN(90)))
		if r.IntN(3) == 0 {
			b.WriteByte('\r')
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), int64(len(bytes.ReplaceAll(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))))
}

// sized scans m and finds all sizes.
func sized(t testing.TB, m *maildir.Maildir) *maildir.Listing {
	t.Helper()
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	if err := Sizes(m, l); err != nil {
		t.Fatal(err)
	}
	return l
}

func check(t testing.TB, l *maildir.Listing, want map[string]int64) {
	t.Helper()
	if l.Len() != len(want) {
		t.Fatalf("%d messages, want %d", l.Len(), len(want))
	}
	for i := range l.Len() {
		if msg := l.At(i); msg.WireSize != want[msg.Base] {
			t.Fatalf("%s is %d, want %d", msg.Name, msg.WireSize, want[msg.Base])
		}
	}
}

func sizesFile(m *maildir.Maildir) string { return filepath.Join(m.Path(), fileName) }

func TestFirstSightReadsAllAndSecondSightNone(t *testing.T) {
	// GOMAXPROCS is the process's: not parallel.
	m, want := foreign(t, 200)
	before := runtime.GOMAXPROCS(1)
	check(t, sized(t, m), want)
	if now := runtime.GOMAXPROCS(before); now != 1 {
		t.Errorf("left GOMAXPROCS at %d", now)
	}
	// With the sizes known, no message is opened any more: their files may as
	// well be empty.
	for _, pattern := range []string{"new/*", "cur/*"} {
		files, _ := filepath.Glob(filepath.Join(m.Path(), pattern))
		for _, f := range files {
			if err := os.Truncate(f, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	l := sized(t, m)
	l.Sort()
	check(t, l, want)
}

func TestNamesThatTellTheSizeNeedNoLookAndNoFile(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 0)
	for range 100 {
		d, err := m.Begin("")
		if err != nil {
			t.Fatal(err)
		}
		d.Write([]byte("a\nb\n"))
		if _, err := d.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	l := sized(t, m)
	if l.At(0).WireSize != 6 {
		t.Errorf("size %d", l.At(0).WireSize)
	}
	if _, err := os.Stat(sizesFile(m)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("file written: %v", err)
	}
}

func TestSizesAreKnownAgainUnderNewNamesAndForNewMessages(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 100)
	l := sized(t, m)
	for i := range 50 {
		if _, err := m.SetFlags(l.At(i), maildir.Flagged|maildir.Keyword(3), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Expunge([]maildir.Message{l.At(99)}); err != nil {
		t.Fatal(err)
	}
	delete(want, l.At(99).Base)
	// The same base with another file in its place: the inode tells.
	other := l.At(60)
	path := filepath.Join(m.DirOf(other).Path(), other.String())
	if err := os.WriteFile(path+".tmp", []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	want[other.Base] = 7
	check(t, sized(t, m), want)
}

func TestI32_AnyWrongByteChangesNoAnswer(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 40)
	sized(t, m)
	good, err := os.ReadFile(sizesFile(m))
	if err != nil {
		t.Fatal(err)
	}
	damage := [][]byte{nil, {0}, good[:recordSize], good[:len(good)-1], append(bytes.Clone(good), 0), make([]byte, len(good)),
		append(bytes.Clone(good), good[recordSize:]...)}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		damage = append(damage, b)
	}
	for _, b := range damage {
		if err := os.WriteFile(sizesFile(m), b, 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, sized(t, m), want)
	}
}

func TestTableFullOfRecordsEndsItsSearches(t *testing.T) {
	t.Parallel()
	b := make([]byte, recordSize*5)
	tab := newTable(b, 3)
	for i := range tab.slots() {
		size{uint64(i), 1, 1}.put(tab.slot(i))
	}
	if _, ok := tab.find(77, 1); ok {
		t.Error("found what was never put")
	}
}

func TestFileOfAnotherMaildirIsNotBelieved(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 40)
	sized(t, m)
	other, want := foreign(t, 41)
	b, err := os.ReadFile(sizesFile(m))
	if err != nil {
		t.Fatal(err)
	}
	// Same bases, other files, other sizes.
	for i, base := 0, ""; i < 41; i++ {
		base = fmt.Sprintf("17000%05d.M%dP1.other", i, i)
		for _, name := range []string{"new/" + base, "cur/" + base + ":2,S"} {
			path := filepath.Join(other.Path(), name)
			if _, err := os.Stat(path); err == nil {
				os.WriteFile(path, []byte("x"), 0o600)
				want[base] = 1
			}
		}
	}
	if err := os.WriteFile(sizesFile(other), b, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, sized(t, other), want)
}

func TestTruncationOfTheMappedFileIsNoCrash(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 400)
	l := sized(t, m)
	tab, unmap := load(m)
	if tab == nil {
		t.Fatal("no file")
	}
	defer unmap()
	if err := os.Truncate(sizesFile(m), 0); err != nil {
		t.Fatal(err)
	}
	fresh, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	if n := tab.fill(fresh, unknown(fresh)); n != 0 {
		t.Errorf("%d records of a file that is gone", n)
	}
	if got := len(unknown(fresh)); got != l.Len() {
		t.Errorf("%d sizes are unknown, want all %d", got, l.Len())
	}
}

func TestFileThatIsNoneIsNotOpened(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path string) error{
		"fifo":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"symlink": func(path string) error { return os.Symlink("/dev/zero", path) },
		"dir":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		m, want := foreign(t, 50)
		if err := make(sizesFile(m)); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		check(t, sized(t, m), want)
	}
}

func TestF14_NoRoomForTheFileIsNoError(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 50)
	for _, op := range []string{"create", "write", "close", "rename"} {
		full, err := maildir.Open(m.Path(), &disktest.Faulty{FS: disktest.Fast, Op: op, At: 1, Err: unix.ENOSPC})
		if err != nil {
			t.Fatal(err)
		}
		check(t, sized(t, full), want)
		full.Close()
		if left, _ := os.ReadDir(filepath.Join(m.Path(), "tmp")); len(left) != 0 {
			t.Errorf("%s: left in tmp: %v", op, left)
		}
	}
	if _, err := os.Stat(sizesFile(m)); err == nil {
		t.Error("a file that could not be written is there")
	}
}

func TestMessagesThatMoveOrGoWhileTheyAreReadAreFound(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 100)
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if _, err := m.SetFlags(l.At(i), maildir.Replied, maildir.Seen); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Expunge([]maildir.Message{l.At(80)}); err != nil {
		t.Fatal(err)
	}
	if err := Sizes(m, l); err != nil {
		t.Fatal(err)
	}
	want[l.At(80).Base] = 0
	check(t, l, want)
	delete(want, l.At(80).Base)
	check(t, sized(t, m), want)
}

func TestF09_MessageThatCannotBeReadIsNamedAndTheOthersCounted(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 50)
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	// A directory is what even root cannot read as a file.
	bad := l.At(7)
	path := filepath.Join(m.DirOf(bad).Path(), bad.String())
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := Sizes(m, l); !errors.Is(err, unix.EISDIR) {
		t.Errorf("error %v", err)
	}
	if left := unknown(l); len(left) != 1 || left[0] != 7 {
		t.Errorf("unknown are %v", left)
	}
}

func TestReadingAMessageAllocatesNothing(t *testing.T) {
	m, _ := foreign(t, 20)
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	l.SetWireSize(0, -1)
	r := reader{m: m, l: l, now: l, buf: make([]byte, readBuffer)}
	i := uint32(0)
	if n := testing.AllocsPerRun(100, func() { r.message(i % 20); i++ }); n > 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func FuzzTable(f *testing.F) {
	b := make([]byte, tableSize(3))
	t3 := newTable(b, 3)
	for i := range uint64(3) {
		t3.insert(size{i << 60, i, i * 1000})
	}
	f.Add([]byte(t3), uint64(1<<60), uint64(1))
	f.Add([]byte{}, uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, key, inode uint64) {
		tab, ok := openTable(b)
		if !ok {
			return
		}
		wire, ok := tab.find(key, inode)
		if !ok {
			return
		}
		// What is found is a whole record of that key and inode.
		var want [recordSize]byte
		size{key, inode, uint64(wire)}.put(want[:])
		if !bytes.Contains(b, want[:crcAt-4]) || wire < 0 {
			t.Fatalf("found %d", wire)
		}
	})
}
