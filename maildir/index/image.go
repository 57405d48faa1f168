package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"runtime/debug"
	"slices"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// IndexName is the file of an Image.
const IndexName = "rohrpost.index"

// An index file is a snapshot, which is replaced by rename and never changed, and
// a tail, which grows by whole batches until it is worth a new snapshot:
//
//	header    256 bytes, see below
//	records   sorted by UID
//	expunges  of MODSEQ 8, UID 4, zero 4; sorted by MODSEQ
//	slots     of number of a record + 1 4, lower half of its key 4; a hash table by
//	          the bases of names, as in rohrpost.sizes
//	names     one behind the other, to a multiple of 8
//	tail      frames, see Batch
//
// All numbers have the low byte first. The header is
//
//	magic 8, generation 8, records 4, expunges 4, slots 4, CRC-32C of slots 4,
//	CRC-32C of expunges 4, zero 4, length of names 8, Head, zeros, CRC-32C of the
//	252 bytes before it
//
// The generation is random. It goes into all checksums of records and frames.
const (
	indexMagic  = "rp-indx2"
	headerSize  = 256
	headAt      = 48
	expungeSize = 16
	slotSize    = 8

	// maxIndex bounds what is mapped, in bytes: some 7 million messages.
	maxIndex = 1 << 30
	// tailRoom is the room for a tail at least, in bytes; that of a large
	// snapshot is a quarter of it.
	tailRoom = 64 << 10
)

// ErrDamaged is the error for an index that is not as it was written. Drop it.
var ErrDamaged = errors.New("index is damaged")

// Image is an index, in a file that is mapped or copied, or in memory alone. It
// belongs to one goroutine. Nothing it says is unchecked: a byte that is wrong
// gives false, never a wrong answer.
type Image struct {
	b      []byte // the file, and room for its tail
	size   int64  // bytes of b that are whole: the snapshot, and batches
	file   *os.File
	shared bool // b is the file itself, not a copy
	torn   bool // something that is no batch follows

	generation             uint64
	records, expunges      int
	slots                  uint64
	slotsSum, expungeSum   uint32
	slotsOK                bool
	expungesAt, slotsAt    int64
	namesAt, snapshotBytes int64
	head                   Head
	buf                    [frameHeader + maxContent]byte
	own                    [entrySize]byte
}

// Load opens the index of m with the whole batches of its tail, which Replay
// tells. The error is fs.ErrNotExist if there is none, and ErrDamaged if it cannot
// be used or is another folder's.
func Load(m *maildir.Maildir) (*Image, error) {
	f, err := m.Dir().OpenForLock(IndexName)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		f, err = m.Dir().Open(IndexName)
	}
	if err != nil {
		return nil, err
	}
	x, err := openImage(f, m.Dir().Remote())
	if err != nil {
		f.Close()
		return nil, err
	}
	if _, err = x.Refresh(func(Frame) {}); err == nil && x.head.Folder != Folder(m) {
		err = ErrDamaged
	}
	if err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// Folder is the Head.Folder of an index of m.
func Folder(m *maildir.Maildir) uint64 {
	var st unix.Stat_t
	if unix.Fstat(m.DirOf(maildir.Message{}).Fd(), &st) != nil {
		return 0
	}
	return st.Ino
}

// openImage takes over f.
func openImage(f *os.File, remote bool) (*Image, error) {
	var h [headerSize]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		if err == io.EOF {
			err = ErrDamaged
		}
		return nil, err
	}
	x := &Image{}
	if !x.parseHeader(h[:]) {
		return nil, ErrDamaged
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < x.snapshotBytes {
		return nil, ErrDamaged
	}
	length := int(x.snapshotBytes + roomFor(x.snapshotBytes))
	if remote {
		x.b, err = unix.Mmap(-1, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err == nil {
			_, err = f.ReadAt(x.b[:x.snapshotBytes], 0)
		}
	} else {
		x.shared = true
		x.b, err = unix.Mmap(int(f.Fd()), 0, length, unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		x.unmap()
		return nil, err
	}
	x.file, x.size = f, x.snapshotBytes
	return x, nil
}

// roomFor is the room for the tail behind a snapshot of so many bytes.
func roomFor(snapshot int64) int64 { return max(tailRoom, snapshot/4&^7) }

// parseHeader lays the image out; false if the header is damaged.
func (x *Image) parseHeader(h []byte) bool {
	le := binary.LittleEndian
	if string(h[:8]) != indexMagic || crc32.Checksum(h[:headerSize-4], castagnoli) != le.Uint32(h[headerSize-4:]) {
		return false
	}
	x.generation = le.Uint64(h[8:])
	x.records, x.expunges, x.slots = int(le.Uint32(h[16:])), int(le.Uint32(h[20:])), uint64(le.Uint32(h[24:]))
	x.slotsSum, x.expungeSum = le.Uint32(h[28:]), le.Uint32(h[32:])
	names := le.Uint64(h[40:])
	if names > maxIndex || x.slots == 0 || x.slots < uint64(x.records) {
		return false
	}
	x.expungesAt = headerSize + int64(le.Uint32(h[16:]))*entrySize
	x.slotsAt = x.expungesAt + int64(le.Uint32(h[20:]))*expungeSize
	x.namesAt = x.slotsAt + int64(x.slots)*slotSize
	x.snapshotBytes = x.namesAt + int64(names)
	x.head = parseHead(h[headAt:])
	return x.snapshotBytes%8 == 0 && x.snapshotBytes < maxIndex
}

// Close lets go of memory and file.
func (x *Image) Close() {
	if x == nil {
		return
	}
	x.unmap()
	if x.file != nil {
		x.file.Close()
		x.file = nil
	}
}

func (x *Image) unmap() {
	if x.b != nil {
		unix.Munmap(x.b)
		x.b = nil
	}
}

// Head is the newest head.
func (x *Image) Head() Head { return x.head }

// Generation is the random number that tells snapshots apart.
func (x *Image) Generation() uint64 { return x.generation }

// Len is the number of records in the snapshot.
func (x *Image) Len() int { return x.records }

// At is record i of the snapshot; they ascend by UID.
func (x *Image) At(i int) Ref { return Ref((headerSize + i*entrySize) / 8) }

// InFile reports whether others see what is appended.
func (x *Image) InFile() bool { return x.file != nil }

// seed is what checksums of what stands at an offset begin with.
func (x *Image) seed(at int64) uint32 {
	return uint32(x.generation) ^ uint32(x.generation>>32) ^ uint32(at)
}

// read copies bytes out of the image; false if it has none there.
func (x *Image) read(p []byte, at int64) (ok bool) {
	if at < 0 || at+int64(len(p)) > x.size {
		return false
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&ok)
	copy(p, x.b[at:])
	return true
}

// Record is the record at a place; false if it is damaged.
func (x *Image) Record(at Ref) (r Record, ok bool) {
	// Checked where it cannot change any more. Not on the stack: package crc32
	// would have it moved to the heap.
	ok = x.read(x.own[:], int64(at)*8) && parseRecord(&r, &x.own, x.seed(int64(at)*8))
	return r, ok
}

// AppendName appends the name of a record's file; false if it is damaged.
func (x *Image) AppendName(b []byte, r Record) ([]byte, bool) {
	start := len(b)
	b = slices.Grow(b, int(r.nameLen))[:start+int(r.nameLen)]
	name := b[start:]
	return b, x.read(name, int64(r.nameAt)) && crc32.Checksum(name, castagnoli) == r.nameSum && int(r.baseLen) <= len(name)
}

// Find is the number of the record in the snapshot whose name has this base, or
// -1; false if the image is damaged.
func (x *Image) Find(base []byte) (i int, ok bool) {
	if !x.slotsOK {
		ok := guarded(func() {
			x.slotsOK = crc32.Checksum(x.b[x.slotsAt:x.namesAt], castagnoli) == x.slotsSum
		})
		if !ok || !x.slotsOK {
			return -1, false
		}
	}
	sound := true
	ok = guarded(func() { i, sound = x.probe(base) })
	return i, ok && sound
}

// probe looks for a base in the hash table. It is not ok if a record that may have
// this base is damaged.
func (x *Image) probe(base []byte) (i int, ok bool) {
	key := keyOf(base)
	slot, _ := bits.Mul64(key, x.slots)
	for range x.slots {
		b := x.b[x.slotsAt+int64(slot)*slotSize:]
		i := int(binary.LittleEndian.Uint32(b)) - 1
		if i < 0 || i >= x.records {
			return -1, true
		}
		if binary.LittleEndian.Uint32(b[4:]) == uint32(key) {
			if x.hasBase(i, base) {
				return i, true
			}
			if !x.intact(i) {
				return -1, false
			}
		}
		if slot++; slot == x.slots {
			slot = 0
		}
	}
	return -1, true
}

// intact reports whether record i of the snapshot is as it was written.
func (x *Image) intact(i int) bool {
	r, ok := x.Record(x.At(i))
	if !ok {
		return false
	}
	var buf [256]byte
	_, ok = x.AppendName(buf[:0], r)
	return ok
}

// hasBase reports whether the name of record i of the snapshot has this base.
func (x *Image) hasBase(i int, base []byte) bool {
	r := x.b[headerSize+i*entrySize:][:entrySize]
	at := int64(binary.LittleEndian.Uint32(r[56:]))
	return int(r[65]) == len(base) && at+int64(len(base)) <= x.snapshotBytes && bytes.Equal(x.b[at:at+int64(len(base))], base)
}

// Expunge is a message that is no more.
type Expunge struct {
	ModSeq uint64
	UID    uint32
}

// Expunges is what the snapshot remembers, ascending by MODSEQ; false if it is
// damaged.
func (x *Image) Expunges() (list []Expunge, ok bool) {
	b := make([]byte, x.expunges*expungeSize)
	if !x.read(b, x.expungesAt) || crc32.Checksum(b, castagnoli) != x.expungeSum {
		return nil, false
	}
	list = make([]Expunge, x.expunges)
	for i := range list {
		e := b[i*expungeSize:]
		list[i] = Expunge{binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint32(e[8:])}
	}
	return list, true
}

// ReadHead is the head of the index of m, with the errors of Load.
func ReadHead(m *maildir.Maildir) (Head, error) {
	x, err := Load(m)
	if err != nil {
		return Head{}, err
	}
	defer x.Close()
	return x.head, nil
}
