package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

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

// taken is an inventory of m.
func taken(t testing.TB, m *maildir.Maildir) *Inventory {
	t.Helper()
	x, err := TakeInventory(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// check compares an inventory with what is there, by base.
func check(t testing.TB, x *Inventory, want map[string]int64) {
	t.Helper()
	if x.Len() != len(want) {
		t.Fatalf("%d messages, want %d", x.Len(), len(want))
	}
	var octets int64
	var before maildir.Name
	for i := range x.Len() {
		msg, err := x.At(i)
		size, err2 := x.WireSize(i)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		octets += size
		if size != want[msg.Base] || msg.WireSize != size {
			t.Fatalf("%s is %d, or %d, want %d", msg.Name, size, msg.WireSize, want[msg.Base])
		}
		if i > 0 && maildir.CompareArrival(before, msg.Name) >= 0 {
			t.Fatalf("%s came before %s", msg.Name, before)
		}
		if _, err := x.m.DirOf(msg).Stat(msg.String()); err != nil {
			t.Fatal(err)
		}
		before = msg.Name
	}
	if octets != x.Octets() {
		t.Fatalf("%d octets in all, want %d", x.Octets(), octets)
	}
}

// age makes the last change of m older than any tick.
func age(t testing.TB, m *maildir.Maildir) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	for _, d := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(m.Path(), d), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

func sizesPath(m *maildir.Maildir) string { return filepath.Join(m.Path(), sizesName) }

func TestFirstSightReadsAllAndSecondSightNone(t *testing.T) {
	// GOMAXPROCS is the process's: not parallel.
	m, want := foreign(t, 200)
	before := runtime.GOMAXPROCS(1)
	check(t, taken(t, m), want)
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
	check(t, taken(t, m), want)
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
	x := taken(t, m)
	if n, err := x.WireSize(0); n != 6 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	x.Close()
	if _, err := os.Stat(sizesPath(m)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("file written: %v", err)
	}
}

func TestSizesAreKnownAgainUnderNewNamesAndForNewMessages(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 300)
	x := taken(t, m)
	age(t, m)
	for i := range 150 {
		if _, err := m.SetFlags(at(t, x, i), maildir.Flagged|maildir.Keyword(3), 0); err != nil {
			t.Fatal(err)
		}
	}
	last := at(t, x, 299)
	if err := m.Expunge([]maildir.Message{last}); err != nil {
		t.Fatal(err)
	}
	delete(want, last.Base)
	// The same base with another file in its place: the inode tells.
	other := at(t, x, 160)
	path := filepath.Join(m.DirOf(other).Path(), other.String())
	if err := os.WriteFile(path+".tmp", []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	want[other.Base] = 7
	put(t, m, "new/1690000000.M1P1.other", "first\n")
	want["1690000000.M1P1.other"] = 7
	file := openSizes(m)
	defer file.close()
	c, err := takeCount(m, file)
	if err != nil {
		t.Fatal(err)
	}
	if c.read != 2 {
		t.Errorf("%d messages were read, want 2", c.read)
	}
	check(t, taken(t, m), want)
}

func TestUnchangedMaildirIsNotListed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(m *maildir.Maildir, msg maildir.Message) error{
		"nothing":  func(*maildir.Maildir, maildir.Message) error { return nil },
		"delivery": func(m *maildir.Maildir, _ maildir.Message) error { return deliver(m) },
		"removal":  func(m *maildir.Maildir, msg maildir.Message) error { return m.Expunge([]maildir.Message{msg}) },
		"flag": func(m *maildir.Maildir, msg maildir.Message) error {
			_, err := m.SetFlags(msg, maildir.Trashed, 0)
			return err
		},
	} {
		m, want := foreign(t, 300)
		age(t, m)
		first := taken(t, m)
		if first.list == nil {
			t.Fatal("the first session listed nothing")
		}
		second := taken(t, m)
		if second.list != nil {
			t.Errorf("%s: the second session listed all again", name)
		}
		check(t, second, want)
		msg := at(t, second, 128)
		if err := change(m, msg); err != nil {
			t.Fatal(err)
		}
		switch name {
		case "delivery":
			want[delivered] = 5
		case "removal":
			delete(want, msg.Base)
		}
		third := taken(t, m)
		if listed := third.list != nil; listed != (name != "nothing") {
			t.Errorf("%s: listed %t", name, listed)
		}
		check(t, third, want)
	}
}

const delivered = "1800000000.M1P1.other"

func deliver(m *maildir.Maildir) error {
	return os.WriteFile(filepath.Join(m.Path(), "new", delivered), []byte("a\n\n"), 0o600)
}

func TestI28_FileWrittenWithinATickIsNotBelieved(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 40)
	for i := range 3 {
		// As far as anybody can tell, the tick of the change is not over.
		future := time.Now().Add(time.Hour)
		if err := os.Chtimes(filepath.Join(m.Path(), "new"), future, future); err != nil {
			t.Fatal(err)
		}
		check(t, taken(t, m), want)
		file := openSizes(m)
		if file == nil {
			t.Fatal("no file")
		}
		if file.stamp != (maildir.Stamp{}) {
			t.Errorf("session %d notes the stamp %+v", i, file.stamp)
		}
		file.close()
		if x := taken(t, m); x.list == nil {
			t.Errorf("session %d listed nothing", i)
		}
		for n := range 40 {
			base := fmt.Sprintf("18000%05d.M%dP1.other", n, i)
			put(t, m, "new/"+base, "x\n")
			want[base] = 3
		}
	}
}

func TestI28_ChangesWithinOneTickAreNotMissed(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 0)
	for i := range 40 * 20 {
		base := fmt.Sprintf("17000%05d.M1P1.other", i)
		put(t, m, "new/"+base, "x\n")
		want[base] = 3
		if i%40 > 35 { // behind 32 new ones, the file is written
			check(t, taken(t, m), want)
		}
	}
}

// damages are ways to spoil the bytes of a file, each step-th one in turn among them.
func damages(good []byte, step int) [][]byte {
	list := [][]byte{nil, {0}, good[:sizesHeader], good[:len(good)-1], append(bytes.Clone(good), 0), make([]byte, len(good)),
		append(bytes.Clone(good), good[sizesHeader:]...)}
	for i := 0; i < len(good); i += step {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		list = append(list, b)
	}
	return list
}

func TestI32_AnyWrongByteChangesNoAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		messages, step int
		changed        bool
	}{{40, 1, false}, {40, 1, true}, {140, 17, false}, {140, 17, true}} {
		m, want := foreign(t, 0)
		for i := range c.messages {
			base := fmt.Sprintf("17000%05d.M%dP1.other", i, i)
			put(t, m, "cur/"+base+":2,S", strings.Repeat("x", i))
			want[base] = int64(i)
		}
		age(t, m)
		taken(t, m)
		good, err := os.ReadFile(sizesPath(m))
		if err != nil {
			t.Fatal(err)
		}
		if c.changed {
			if err := deliver(m); err != nil {
				t.Fatal(err)
			}
			want[delivered] = 5
		}
		for _, b := range damages(good, c.step) {
			if err := os.WriteFile(sizesPath(m), b, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := TakeInventory(m)
			if err != nil {
				t.Fatal(err)
			}
			check(t, x, want)
			x.Close()
		}
	}
}

func TestI32_DamageInTheMiddleOfASessionChangesNoNumber(t *testing.T) {
	t.Parallel()
	for _, spoil := range []func(path string) error{
		func(path string) error { return os.Truncate(path, 0) },
		func(path string) error { return os.Truncate(path, sizesHeader+100) },
		func(path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) },
	} {
		m, want := foreign(t, 300)
		age(t, m)
		taken(t, m)
		x, other := taken(t, m), taken(t, m)
		at(t, x, 0)
		if err := spoil(sizesPath(m)); err != nil {
			t.Fatal(err)
		}
		check(t, x, want)
		if x.list == nil {
			t.Error("a file that is damaged is believed")
		}
		// With the directories changed too, the numbers are lost, and stay so.
		if err := deliver(m); err != nil {
			t.Fatal(err)
		}
		check(t, x, want)
		for range 2 {
			if msg, err := other.At(200); !errors.Is(err, ErrChanged) {
				t.Errorf("message 200 is %s, %v", msg.Name, err)
			}
			if n, err := other.WireSize(200); !errors.Is(err, ErrChanged) {
				t.Errorf("size of message 200 is %d, %v", n, err)
			}
		}
	}
}

func TestNameInTheFileLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 40)
	age(t, m)
	taken(t, m)
	b, err := os.ReadFile(sizesPath(m))
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.LastIndex(b, []byte("M39P1"))
	copy(b[i:], "../..")
	reseal(b)
	if err := os.WriteFile(sizesPath(m), b, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, taken(t, m), want)
}

func TestFileHoldsNoMoreMessagesThanItHasRoomFor(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 40)
	age(t, m)
	taken(t, m)
	good, err := os.ReadFile(sizesPath(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, messages := range []uint64{uint64(len(good)), 1 << 31, 1 << 62, 1<<64 - 1} {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint64(b[8:], messages)
		seal(b[:sizesHeader])
		if err := os.WriteFile(sizesPath(m), b, 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, taken(t, m), want)
	}
}

// reseal makes the checksums of a file right, of which everything else may be
// wrong.
func reseal(b []byte) {
	if len(b) < sizesHeader {
		return
	}
	seal(b[:sizesHeader])
	x := &sizesFile{}
	if !x.parseHeader(b[:sizesHeader]) || x.length != int64(len(b)) || x.tableAt() < sizesHeader {
		return
	}
	for block := range blocksFor(x.messages) {
		table := b[x.tableAt()+8*int64(block):]
		at, end := binary.LittleEndian.Uint64(table), binary.LittleEndian.Uint64(table[8:])
		if at >= sizesHeader && end >= at+4 && end <= uint64(x.tableAt()) {
			binary.LittleEndian.PutUint32(b[end-4:], crc32.Update(x.seed^uint32(block), castagnoli, b[at:end-4]))
		}
	}
}

// named fills m with n messages whose names tell the size, each of 3 bytes.
func named(t *testing.T, n int) *maildir.Maildir {
	t.Helper()
	m, _ := foreign(t, 0)
	for i := range n {
		put(t, m, fmt.Sprintf("cur/17000%05d.M%dP1.mx,S=2,W=3:2,", i, i), "x\n")
	}
	age(t, m)
	return m
}

func TestFileIsKeptForManyMessagesAlsoIfNamesTellTheSize(t *testing.T) {
	t.Parallel()
	m := named(t, large)
	x := taken(t, m)
	if file := openSizes(m); file != nil {
		t.Error("the file was written before the session's end")
	}
	x.Close()
	x = taken(t, m)
	if x.list != nil || x.Len() != large || x.Octets() != 3*large {
		t.Errorf("listed %t: %d messages, %d octets", x.list != nil, x.Len(), x.Octets())
	}
	x.Close()
	// What the session changed, the next one has to list again.
	if err := deliver(m); err != nil {
		t.Fatal(err)
	}
	age(t, m)
	x = taken(t, m)
	if err := m.Expunge([]maildir.Message{at(t, x, 0)}); err != nil {
		t.Fatal(err)
	}
	x.Close()
	file := openSizes(m)
	defer file.close()
	if file.messages != large {
		t.Errorf("a file of %d messages was written in vain", file.messages)
	}
	x = taken(t, m)
	if x.Len() != large || x.Octets() != 3*(large-1)+5 {
		t.Errorf("%d messages, %d octets", x.Len(), x.Octets())
	}
}

func TestFileOfManyMessagesThatAreGoneIsReplaced(t *testing.T) {
	t.Parallel()
	m := named(t, 2*large)
	taken(t, m).Close()
	l := scan(t, m)
	var gone []maildir.Message
	for i := range l.Len() - 5 {
		gone = append(gone, l.At(i))
	}
	if err := m.Expunge(gone); err != nil {
		t.Fatal(err)
	}
	age(t, m)
	taken(t, m).Close()
	file := openSizes(m)
	defer file.close()
	if file.messages != 5 {
		t.Errorf("the file has %d messages", file.messages)
	}
}

func at(t testing.TB, x *Inventory, i int) maildir.Message {
	t.Helper()
	msg, err := x.At(i)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func scan(t testing.TB, m *maildir.Maildir) *maildir.Listing {
	t.Helper()
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func put(t testing.TB, m *maildir.Maildir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.Path(), name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileOfAnotherMaildirIsNotBelieved(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 40)
	taken(t, m)
	other, want := foreign(t, 41)
	b, err := os.ReadFile(sizesPath(m))
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
	if err := os.WriteFile(sizesPath(other), b, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, taken(t, other), want)
}

func TestFileThatIsNoneIsNotOpened(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path string) error{
		"fifo":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"symlink": func(path string) error { return os.Symlink("/dev/zero", path) },
		"dir":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		m, want := foreign(t, 50)
		if err := make(sizesPath(m)); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		check(t, taken(t, m), want)
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
		check(t, taken(t, full), want)
		full.Close()
		if left, _ := os.ReadDir(filepath.Join(m.Path(), "tmp")); len(left) != 0 {
			t.Errorf("%s: left in tmp: %v", op, left)
		}
	}
	if _, err := os.Stat(sizesPath(m)); err == nil {
		t.Error("a file that could not be written is there")
	}
}

func TestMessagesThatMoveOrGoWhileTheyAreReadAreFound(t *testing.T) {
	t.Parallel()
	m, want := foreign(t, 100)
	l := scan(t, m)
	for i := range 60 {
		if _, err := m.SetFlags(l.At(i), maildir.Replied, maildir.Seen); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Expunge([]maildir.Message{l.At(80)}); err != nil {
		t.Fatal(err)
	}
	gone := l.At(80).Base
	l.Settled = true
	c := measured(m, l, nil)
	if c.unread != nil || c.certain() {
		t.Errorf("certain %t, %v", c.certain(), c.unread)
	}
	want[gone] = 0
	for i := range l.Len() {
		if msg := l.At(i); msg.WireSize != want[msg.Base] {
			t.Errorf("%s is %d, want %d", msg.Name, msg.WireSize, want[msg.Base])
		}
	}
	writeSizes(m, c)
	file := openSizes(m)
	defer file.close()
	if file.stamp != (maildir.Stamp{}) {
		t.Error("a file with a message that is gone counts as whole")
	}
	delete(want, gone)
	check(t, taken(t, m), want)
}

func TestF09_MessageThatCannotBeReadIsNamedAndTheOthersCounted(t *testing.T) {
	t.Parallel()
	m, _ := foreign(t, 50)
	l := scan(t, m)
	// A directory is what even root cannot read as a file.
	bad := l.At(7)
	path := filepath.Join(m.DirOf(bad).Path(), bad.String())
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	l.Settled = true
	c := measured(m, l, nil)
	if !errors.Is(c.unread, unix.EISDIR) || c.certain() {
		t.Errorf("error %v, certain %t", c.unread, c.certain())
	}
	if left := unknown(l); len(left) != 1 || l.Base(int(left[0])) != bad.Base {
		t.Errorf("unknown are %v", left)
	}
}

func TestReadingAMessageAllocatesNothing(t *testing.T) {
	m, _ := foreign(t, 20)
	l := scan(t, m)
	l.SetWireSize(0, -1)
	r := reader{m: m, l: l, now: l, buf: make([]byte, readBuffer)}
	i := uint32(0)
	if n := testing.AllocsPerRun(100, func() { r.message(i % 20); i++ }); n > 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// FuzzSizes: a file whose checksums are right and whose other bytes are anything
// gives messages that a directory can have, of the sizes that it gives, and never
// more of them than it says.
func FuzzSizes(f *testing.F) {
	for _, n := range []int{0, 1, 130} {
		m, _ := foreign(f, n)
		var b bytes.Buffer
		c, err := takeCount(m, nil)
		if err != nil {
			f.Fatal(err)
		}
		if err := c.write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	m, _ := foreign(f, 40)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		reseal(b)
		if err := os.WriteFile(sizesPath(m), b, 0o600); err != nil {
			t.Fatal(err)
		}
		x := openSizes(m)
		if x == nil {
			return
		}
		defer x.close()
		if x.messages*entryBytes > len(b) {
			t.Fatalf("%d messages in %d bytes", x.messages, len(b))
		}
		for i := range x.messages {
			msg, ok := x.at(i)
			size, ok2 := x.wireSize(i)
			name := msg.String()
			if ok != ok2 || ok && (size < 0 || name == "" || len(name) > 255 || strings.Contains(name, "/")) {
				t.Fatalf("message %d: %q of %d bytes, %t, %t", i, name, size, ok, ok2)
			}
		}
		l := scan(t, m)
		x.recall(l)
		if l.Len() != 40 || len(unknown(l)) > 40 {
			t.Fatalf("%d messages", l.Len())
		}
	})
}
