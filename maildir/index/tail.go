package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"golang.org/x/sys/unix"
)

// A frame of the tail is
//
//	kind 4, length of what follows 4, CRC-32C of all but this 4, zero 4
//
// and then a record with its name behind it, an expunge, or a head, to a multiple
// of 8. A head ends a batch: frames without one behind them do not count, for
// their writer was killed.
const (
	frameHeader = 16

	frameRecord  = 1
	frameExpunge = 2
	frameHead    = 3
)

// ErrFull is the error of Append when the room for the tail is used up: it is
// time for a new snapshot.
var ErrFull = errors.New("tail of the index is full")

// Frame is one change: a record, or if At is 0 an expunge.
type Frame struct {
	At      Ref
	Record  Record
	Expunge Expunge
}

// Batch is changes to be appended together.
type Batch struct {
	x    *Image
	base int64
	buf  []byte
}

// Batch begins a batch behind all that the image has.
func (x *Image) Batch() *Batch { return &Batch{x: x, base: x.size} }

// Empty reports whether there is nothing in it.
func (t *Batch) Empty() bool { return len(t.buf) == 0 }

// begin appends the header of a frame and room for n bytes, and returns where
// they begin in buf.
func (t *Batch) begin(kind uint32, n int) int {
	n = (n + 7) &^ 7
	t.buf = binary.LittleEndian.AppendUint32(t.buf, kind)
	t.buf = binary.LittleEndian.AppendUint32(t.buf, uint32(n))
	at := len(t.buf) + 8
	t.buf = append(t.buf, make([]byte, 8+n)...)
	return at
}

// end sets the checksum of the frame whose content begins at at.
func (t *Batch) end(at int) {
	f := t.buf[at-frameHeader:]
	binary.LittleEndian.PutUint32(f[8:], frameSum(f, t.x.seed(t.base+int64(at-frameHeader))))
}

func frameSum(f []byte, seed uint32) uint32 {
	return crc32.Update(crc32.Update(seed, castagnoli, f[:8]), castagnoli, f[frameHeader:])
}

// Record adds a new state of a message, and returns where it will be. Name is that
// of its file.
func (t *Batch) Record(r Record, name []byte) Ref {
	at := t.begin(frameRecord, entrySize+len(name))
	place := t.base + int64(at)
	copy(t.buf[at+entrySize:], name)
	r.put(t.buf[at:], t.x.seed(place), name, place+entrySize)
	t.end(at)
	return Ref(place / 8)
}

// Expunge adds the end of a message.
func (t *Batch) Expunge(e Expunge) {
	at := t.begin(frameExpunge, 12)
	binary.LittleEndian.PutUint64(t.buf[at:], e.ModSeq)
	binary.LittleEndian.PutUint32(t.buf[at+8:], e.UID)
	t.end(at)
}

// Append writes the batch, with h as the head from now on. The caller holds the
// lock, and has called Refresh under it. The error is ErrFull if there is no room;
// another one says that the file could not be written, and that the image is now
// one in memory alone, with this batch in it.
func (t *Batch) Append(h Head) error {
	at := t.begin(frameHead, headSize)
	h.append(t.buf[:at])
	t.end(at)
	x := t.x
	if x.size+int64(len(t.buf)) > int64(len(x.b)) || x.torn {
		t.buf = t.buf[:at-frameHeader]
		return ErrFull
	}
	var err error
	if x.file != nil {
		if _, err = x.file.WriteAt(t.buf, x.size); err != nil {
			if derr := x.detach(int64(len(x.b))); derr != nil {
				return derr
			}
		}
	}
	if !x.shared {
		copy(x.b[x.size:], t.buf)
	}
	x.size += int64(len(t.buf))
	x.head = h
	return err
}

// Detach makes the image one in memory alone, with room for this batch.
func (x *Image) Detach(t *Batch) error {
	return x.detach(x.size + int64(len(t.buf)) + frameHeader + headSize)
}

// detach makes the image one in memory alone, of so many bytes.
func (x *Image) detach(length int64) error {
	own, err := unix.Mmap(-1, 0, int(length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	if !guarded(func() { copy(own, x.b[:x.size]) }) {
		unix.Munmap(own)
		return ErrDamaged
	}
	x.unmap()
	x.b, x.shared, x.torn = own, false, false
	if x.file != nil {
		x.file.Close()
		x.file = nil
	}
	return nil
}

// Refresh takes up the batches that others have appended, and calls each for all
// their frames. If replaced, there is a newer snapshot; Load it. The error is
// ErrDamaged or the file system's.
func (x *Image) Refresh(each func(Frame)) (replaced bool, err error) {
	if x.file == nil {
		return false, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(x.file.Fd()), &st); err != nil {
		return false, err
	}
	if st.Size < x.size {
		return false, ErrDamaged
	}
	if st.Size > x.size {
		if err := x.readTail(st.Size, each); err != nil {
			return false, err
		}
	}
	return st.Nlink == 0, nil
}

// readTail takes up what is whole of the file up to end.
func (x *Image) readTail(end int64, each func(Frame)) error {
	end = min(end, int64(len(x.b)))
	if !x.shared {
		if _, err := x.file.ReadAt(x.b[x.size:end], x.size); err != nil {
			return err
		}
	}
	start, whole := x.size, x.size
	var head Head
	x.size = end // so that read reads it
	for at := start; ; {
		kind, content, ok := x.frame(at)
		if !ok {
			break
		}
		at += frameHeader + int64(len(content))
		if kind == frameHead {
			whole, head = at, parseHead(content)
		}
	}
	x.torn = whole < end
	x.size = whole
	if whole == start {
		return nil
	}
	x.head = head
	return x.replay(start, each)
}

// Replay calls each for all frames of the tail, in order.
func (x *Image) Replay(each func(Frame)) error { return x.replay(x.snapshotBytes, each) }

func (x *Image) replay(at int64, each func(Frame)) error {
	for at < x.size {
		kind, content, ok := x.frame(at)
		if !ok {
			return ErrDamaged
		}
		x.deliver(kind, content, at, each)
		at += frameHeader + int64(len(content))
	}
	return nil
}

// Stale reports whether Refresh would find something.
func (x *Image) Stale() bool {
	if x.file == nil {
		return false
	}
	var st unix.Stat_t
	return unix.Fstat(int(x.file.Fd()), &st) != nil || st.Size != x.size || st.Nlink == 0
}

// frame is a copy of the frame at an offset, if a whole one is there. It is valid
// until the next call.
func (x *Image) frame(at int64) (kind uint32, content []byte, ok bool) {
	var h [frameHeader]byte
	if !x.read(h[:], at) {
		return 0, nil, false
	}
	kind = binary.LittleEndian.Uint32(h[:])
	n := binary.LittleEndian.Uint32(h[4:])
	if n%8 != 0 || n > maxContent || !fits(kind, n) {
		return 0, nil, false
	}
	f := x.buf[:frameHeader+n]
	if !x.read(f, at) || frameSum(f, x.seed(at)) != binary.LittleEndian.Uint32(f[8:]) {
		return 0, nil, false
	}
	return kind, f[frameHeader:], true
}

// maxContent is the longest content of a frame, in bytes: a record and a name.
const maxContent = entrySize + 256

// fits reports whether a frame of this kind may be so long.
func fits(kind, n uint32) bool {
	switch kind {
	case frameRecord:
		return n >= entrySize
	case frameExpunge:
		return n == 16
	}
	return kind == frameHead && n == headSize
}

// deliver tells of one frame.
func (x *Image) deliver(kind uint32, content []byte, at int64, each func(Frame)) {
	place := at + frameHeader
	switch kind {
	case frameRecord:
		f := Frame{At: Ref(place / 8)}
		if parseRecord(&f.Record, (*[entrySize]byte)(content), x.seed(place)) {
			each(f)
		}
	case frameExpunge:
		each(Frame{Expunge: Expunge{binary.LittleEndian.Uint64(content), binary.LittleEndian.Uint32(content[8:])}})
	}
}
