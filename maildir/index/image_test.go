package index

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

// sample is an image of n messages with a tail of two frames, in a file.
func sample(t testing.TB, n int) (*maildir.Maildir, *Image) {
	t.Helper()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	w, err := NewBuilder(n, int64(n*len(sampleName(0))), []Expunge{{ModSeq: 3, UID: 9000}}, 12345)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		w.Add(sampleRecord(i), []byte(sampleName(i)))
	}
	x, err := w.Image(Head{Folder: Folder(m), Validity: 7, Next: 10000, ModSeq: 99}).Save(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	b := x.Batch()
	b.Record(sampleRecord(n), []byte(sampleName(n)))
	b.Expunge(Expunge{ModSeq: 100, UID: 1})
	h := x.Head()
	h.ModSeq = 100
	if err := b.Append(h); err != nil {
		t.Fatal(err)
	}
	return m, x
}

func sampleName(i int) string { return fmt.Sprintf("17000%05d.M1P1.other,S=9:2,S", i) }

func sampleRecord(i int) Record {
	r := NewRecord(uint32(i+1), maildir.Message{Name: maildir.ParseName(sampleName(i)), Inode: uint64(1000 + i)})
	r.ModSeq = uint64(i + 1)
	return r
}

func TestImageGivesBackWhatWasPutIn(t *testing.T) {
	t.Parallel()
	m, _ := sample(t, 100)
	x, err := Load(m)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if h := x.Head(); h.Validity != 7 || h.ModSeq != 100 || h.Messages != 100 || h.Unseen != 0 || h.Unsized != 100 {
		t.Errorf("%+v", h)
	}
	for i := range 100 {
		r, ok := x.Record(x.At(i))
		name, ok2 := x.AppendName(nil, r)
		want := sampleRecord(i)
		if !ok || !ok2 || r.UID != want.UID || r.Inode != want.Inode || r.Size != 9 || string(name) != sampleName(i) {
			t.Fatalf("record %d: %+v %q", i, r, name)
		}
		if at, ok := x.Find(maildir.BaseOf(name)); !ok || at != i {
			t.Fatalf("%s is at %d, %t", name, at, ok)
		}
	}
	if at, ok := x.Find([]byte("nobody")); !ok || at != -1 {
		t.Errorf("nobody is at %d, %t", at, ok)
	}
	var frames []Frame
	if err := x.Replay(func(f Frame) { frames = append(frames, f) }); err != nil || len(frames) != 2 {
		t.Fatalf("%v, %v", frames, err)
	}
	if r, ok := x.Record(frames[0].At); !ok || r.UID != 101 || frames[1].Expunge != (Expunge{100, 1}) {
		t.Errorf("%+v", frames)
	}
}

func TestBatchWithoutAnEndDoesNotCount(t *testing.T) {
	t.Parallel()
	m, x := sample(t, 10)
	path := filepath.Join(m.Path(), IndexName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := int(x.snapshotBytes); cut < len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		y, err := Load(m)
		if err != nil {
			t.Fatalf("cut to %d: %v", cut, err)
		}
		if y.Head().ModSeq != 99 || y.size != y.snapshotBytes {
			t.Errorf("cut to %d: %+v", cut, y.Head())
		}
		if b := y.Batch(); cut > int(x.snapshotBytes) {
			b.Expunge(Expunge{101, 2})
			if err := b.Append(y.Head()); err != ErrFull {
				t.Errorf("cut to %d: appended behind what is torn: %v", cut, err)
			}
		}
		y.Close()
	}
}

func TestTailThatIsFullTakesNoMore(t *testing.T) {
	t.Parallel()
	_, x := sample(t, 10)
	for range 10_000 {
		b := x.Batch()
		b.Record(sampleRecord(3), []byte(sampleName(3)))
		if err := b.Append(x.Head()); err == ErrFull {
			if x.size > int64(len(x.b)) {
				t.Error("the tail is longer than its room")
			}
			if err := x.Detach(b); err != nil {
				t.Fatal(err)
			}
			if err := b.Append(x.Head()); err != nil || x.InFile() {
				t.Errorf("%v, in file %t", err, x.InFile())
			}
			return
		}
	}
	t.Error("the tail is never full")
}

// FuzzImage opens any bytes as an index: what is found is what a checksum of that
// place in that file covers, and nothing fails in any other way.
func FuzzImage(f *testing.F) {
	m, x := sample(f, 5)
	whole, err := os.ReadFile(filepath.Join(m.Path(), IndexName))
	if err != nil {
		f.Fatal(err)
	}
	seed := x.generation
	f.Add(whole)
	f.Add(whole[:headerSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := os.CreateTemp("", "index")
		if err != nil {
			t.Skip(err)
		}
		os.Remove(file.Name())
		if _, err := file.Write(b); err != nil {
			t.Fatal(err)
		}
		y, err := openImage(file, false)
		if err != nil {
			file.Close()
			return
		}
		defer y.Close()
		known := map[string]bool{}
		for i := range 6 {
			known[sampleName(i)] = true
		}
		each := func(fr Frame) {
			if fr.At == 0 {
				return
			}
			if r, ok := y.Record(fr.At); ok && y.generation == seed {
				if name, ok := y.AppendName(nil, r); ok && !known[string(name)] {
					t.Errorf("a frame has the name %q", name)
				}
			}
		}
		if _, err := y.Refresh(each); err != nil {
			return
		}
		for i := range min(y.Len(), 1000) {
			if r, ok := y.Record(y.At(i)); ok && y.generation == seed && r.UID != uint32(i+1) {
				t.Errorf("record %d has UID %d", i, r.UID)
			}
		}
		y.Find([]byte("17000%05d.M1P1.other"))
		y.Expunges()
	})
}
