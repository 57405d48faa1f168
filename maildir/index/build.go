package index

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// Builder lays out a snapshot in memory.
type Builder struct {
	x    *Image
	n    int
	name int64
}

// NewBuilder begins a snapshot of n records, whose names have so many bytes
// together, and these expunges, ascending by MODSEQ. The generation is random.
func NewBuilder(n int, names int64, expunges []Expunge, generation uint64) (*Builder, error) {
	x := &Image{generation: generation, records: n, expunges: len(expunges), slots: uint64(n+n/2) + 1}
	x.expungesAt = headerSize + int64(n)*entrySize
	x.slotsAt = x.expungesAt + int64(len(expunges))*expungeSize
	x.namesAt = x.slotsAt + int64(x.slots)*slotSize
	x.snapshotBytes = (x.namesAt + names + 7) &^ 7
	if x.snapshotBytes >= maxIndex {
		return nil, ErrFull
	}
	var err error
	x.b, err = unix.Mmap(-1, 0, int(x.snapshotBytes+roomFor(x.snapshotBytes)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	x.size = x.snapshotBytes
	for i, e := range expunges {
		b := x.b[x.expungesAt+int64(i)*expungeSize:]
		binary.LittleEndian.PutUint64(b, e.ModSeq)
		binary.LittleEndian.PutUint32(b[8:], e.UID)
	}
	return &Builder{x: x, name: x.namesAt}, nil
}

// Add adds the next record, by ascending UID, and its name.
func (w *Builder) Add(r Record, name []byte) {
	x := w.x
	copy(x.b[w.name:x.snapshotBytes], name)
	at := headerSize + int64(w.n)*entrySize
	r.put(x.b[at:], x.seed(at), name, w.name)
	w.name += int64(len(name))
	w.insert(maildir.BaseOf(name))
	w.n++
	x.head.Counts.Add(r)
	if x.head.FirstUnseen == 0 && r.Flags&maildir.Seen == 0 {
		x.head.FirstUnseen, x.head.BeforeUnseen = r.UID, x.head.Messages-1
	}
}

// insert puts record n into the hash table.
func (w *Builder) insert(base []byte) {
	x := w.x
	key := keyOf(base)
	slot, _ := bits.Mul64(key, x.slots)
	for {
		b := x.b[x.slotsAt+int64(slot)*slotSize:]
		if binary.LittleEndian.Uint32(b) == 0 {
			binary.LittleEndian.PutUint32(b, uint32(w.n+1))
			binary.LittleEndian.PutUint32(b[4:], uint32(key))
			return
		}
		if slot++; slot == x.slots {
			slot = 0
		}
	}
}

// Image ends the snapshot, which is in memory alone. Counts, FirstUnseen and
// BeforeUnseen of h are set by what was added.
func (w *Builder) Image(h Head) *Image {
	x := w.x
	h.Counts, h.FirstUnseen, h.BeforeUnseen = x.head.Counts, x.head.FirstUnseen, x.head.BeforeUnseen
	x.head = h
	x.slotsSum = crc32.Checksum(x.b[x.slotsAt:x.namesAt], castagnoli)
	x.expungeSum = crc32.Checksum(x.b[x.expungesAt:x.slotsAt], castagnoli)
	x.slotsOK = true
	le := binary.LittleEndian
	b := x.b[:headerSize]
	copy(b, indexMagic)
	le.PutUint64(b[8:], x.generation)
	for i, n := range []uint32{uint32(x.records), uint32(x.expunges), uint32(x.slots), x.slotsSum, x.expungeSum} {
		le.PutUint32(b[16+4*i:], n)
	}
	le.PutUint64(b[40:], uint64(x.snapshotBytes-x.namesAt))
	x.head.append(b[:headAt])
	le.PutUint32(b[headerSize-4:], crc32.Checksum(b[:headerSize-4], castagnoli))
	return x
}

// Save makes an image in memory the index file of m, by rename and without a
// sync, and returns the image of that file; x is closed then. The caller holds
// the lock. After an error x is as before.
func (x *Image) Save(m *maildir.Maildir) (*Image, error) {
	err := m.Replace(IndexName, func(w io.Writer) error {
		_, err := w.Write(x.b[:x.size])
		return err
	})
	if err != nil {
		return nil, err
	}
	saved, err := Load(m)
	if err != nil {
		return nil, err
	}
	x.Close()
	return saved, nil
}
