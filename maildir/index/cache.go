package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// CacheName is the file of a Cache.
const CacheName = "rohrpost.cache"

// A cache file is a header
//
//	magic 8, generation 8, zero 12, CRC-32C of the 28 before 4
//
// and entries, each at a multiple of 8:
//
//	length 4, kind 4, UID 4, CRC-32C of entry and blob 4, inode 8, offset of the
//	entry before for this message 8, blob, zeros
//
// It is appended to under the lock of the index, and replaced by rename.
const (
	cacheMagic = "rp-cach1"
	blobHeader = 32

	// MaxBlob is the longest blob, in bytes.
	MaxBlob = 1 << 20
	// maxCache bounds a cache file, in bytes: it is begun anew then.
	maxCache = 8 << 30
	// maxChain bounds how many entries of one message are looked through.
	maxChain = 64
)

// Cache is an open cache file.
type Cache struct {
	file       *os.File
	generation uint64
	b          []byte // mapped
}

// Blob is an entry of a Cache.
type Blob struct {
	UID    uint32
	Inode  uint64 // of the message's file
	Kind   uint8
	Before int64 // offset of the entry before for this message, 0 for none
	Data   []byte
}

// OpenCache opens the cache file of this generation; nil if there is none.
func OpenCache(m *maildir.Maildir, generation uint64) (*Cache, error) {
	f, err := m.Dir().OpenForLock(CacheName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var h [blobHeader]byte
	if _, err := f.ReadAt(h[:], 0); err != nil || string(h[:8]) != cacheMagic || !sealed(h[:]) ||
		binary.LittleEndian.Uint64(h[8:]) != generation {
		f.Close()
		return nil, nil
	}
	return &Cache{file: f, generation: generation}, nil
}

// MakeCache begins an empty cache file, in place of what there is.
func MakeCache(m *maildir.Maildir, generation uint64) (*Cache, error) {
	err := m.Replace(CacheName, func(w io.Writer) error {
		var h [blobHeader]byte
		copy(h[:], cacheMagic)
		binary.LittleEndian.PutUint64(h[8:], generation)
		seal(h[:])
		_, err := w.Write(h[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	c, err := OpenCache(m, generation)
	if c == nil && err == nil {
		err = ErrDamaged
	}
	return c, err
}

// Close lets go of memory and file.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	if c.b != nil {
		unix.Munmap(c.b)
	}
	c.file.Close()
}

// Size is the length of the file, rounded up to where an entry may begin.
func (c *Cache) Size() int64 {
	var st unix.Stat_t
	if unix.Fstat(int(c.file.Fd()), &st) != nil {
		return 0
	}
	return (st.Size + 7) &^ 7
}

// CacheStart is the offset of the first entry.
const CacheStart = blobHeader

// AppendBlob appends the entry for e, which will stand at the offset at, to b.
func (c *Cache) AppendBlob(b []byte, e Blob, at int64) []byte {
	le := binary.LittleEndian
	start := len(b)
	b = le.AppendUint32(b, uint32(len(e.Data)))
	b = le.AppendUint32(b, uint32(e.Kind))
	b = le.AppendUint32(b, e.UID)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, e.Inode)
	b = le.AppendUint64(b, uint64(e.Before))
	b = append(b, e.Data...)
	le.PutUint32(b[start+12:], c.sum(b[start:], at))
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

// sum is the checksum of an entry, its own field left out.
func (c *Cache) sum(entry []byte, at int64) uint32 {
	seed := uint32(c.generation) ^ uint32(c.generation>>32) ^ uint32(at>>3)
	return crc32.Update(crc32.Update(seed, castagnoli, entry[:12]), castagnoli, entry[16:])
}

// Append writes entries at the offset at, which is Size.
func (c *Cache) Append(b []byte, at int64) error {
	if at+int64(len(b)) > maxCache {
		return ErrFull
	}
	_, err := c.file.WriteAt(b, at)
	return err
}

// mapTo maps the file as far as end, if it is that long.
func (c *Cache) mapTo(end int64) bool {
	if end <= int64(len(c.b)) {
		return true
	}
	size := c.Size()
	if end > size || size > maxCache || int64(int(size)) != size {
		return false
	}
	if c.b != nil {
		unix.Munmap(c.b)
		c.b = nil
	}
	b, err := unix.Mmap(int(c.file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return false
	}
	c.b = b
	return true
}

// At is the entry at an offset, if a whole one is there, and the offset behind it.
// Data is appended to buf, in a copy: what was checked cannot change any more.
func (c *Cache) At(at int64, buf []byte) (e Blob, next int64, ok bool) {
	if at < CacheStart || at%8 != 0 || !c.mapTo(at+blobHeader) {
		return e, 0, false
	}
	start := len(buf)
	if buf, ok = c.copyEntry(at, buf); !ok {
		return e, 0, false
	}
	entry := buf[start:]
	le := binary.LittleEndian
	if c.sum(entry, at) != le.Uint32(entry[12:]) || int64(le.Uint32(entry)) != int64(len(entry)-blobHeader) {
		return e, 0, false
	}
	e = Blob{UID: le.Uint32(entry[8:]), Kind: uint8(le.Uint32(entry[4:])), Inode: le.Uint64(entry[16:]), Before: int64(le.Uint64(entry[24:])), Data: entry[blobHeader:]}
	return e, (at + int64(len(entry)) + 7) &^ 7, true
}

// copyEntry appends the entry at an offset to buf, under one guard. What it copied may
// be damaged.
func (c *Cache) copyEntry(at int64, buf []byte) (longer []byte, ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&ok)
	n := int64(binary.LittleEndian.Uint32(c.b[at:]))
	if n > MaxBlob || !c.mapTo(at+blobHeader+n) {
		return buf, false
	}
	return append(buf, c.b[at:at+blobHeader+n]...), true
}

// Find is the newest entry of a kind for a message, whose newest entry of any kind
// is at the offset at.
func (c *Cache) Find(at int64, uid uint32, inode uint64, kind uint8, buf []byte) (data []byte, ok bool) {
	for range maxChain {
		e, _, ok := c.At(at, buf)
		if !ok || e.UID != uid || e.Inode != inode {
			return nil, false
		}
		if e.Kind == kind {
			return e.Data, true
		}
		if e.Before >= at {
			return nil, false // no chain leads forward
		}
		at = e.Before
	}
	return nil, false
}

// Generation is the random number that tells cache files apart.
func (c *Cache) Generation() uint64 { return c.generation }
