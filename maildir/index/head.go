package index

import (
	"encoding/binary"

	"rohrpost/maildir"
)

// Head is what an index says of its mailbox as a whole.
type Head struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // UIDNEXT
	Folder   uint64 // the inode of cur: another folder's index says nothing
	ModSeq   uint64 // HIGHESTMODSEQ
	// Floor is the MODSEQ up to which expunges may be forgotten.
	Floor uint64

	Counts
	FirstUnseen uint32 // its UID, 0 for none

	// Stamp is the state of the directories that the index describes; zero if
	// they were not settled then.
	Stamp maildir.Stamp
	// List is the list of UIDs that the index agrees with.
	List FileStamp

	// Cache is the generation of the cache file, 0 for none; what lies before
	// CacheEnd in it is found from the records, the rest by reading on.
	Cache    uint64
	CacheEnd int64
}

// Counts are sums over the messages.
type Counts struct {
	Messages uint32
	Unseen   uint32 // without maildir.Seen
	Trashed  uint32 // with maildir.Trashed
	New      uint32 // in new
	Unsized  uint32 // whose wire size is not known
	Size     int64  // the sum of the known wire sizes, in bytes
}

// add counts a record n times: once, or -1 to take it away.
func (c *Counts) add(r Record, n int) {
	count := func(p *uint32, is bool) {
		if is {
			*p += uint32(n)
		}
	}
	count(&c.Messages, true)
	count(&c.Unseen, r.Flags&maildir.Seen == 0)
	count(&c.Trashed, r.Flags&maildir.Trashed != 0)
	count(&c.New, r.New)
	count(&c.Unsized, r.Wire < 0)
	if r.Wire > 0 {
		c.Size += int64(n) * r.Wire
	}
}

// Add counts a record.
func (c *Counts) Add(r Record) { c.add(r, 1) }

// Sub takes a record out of the counts.
func (c *Counts) Sub(r Record) { c.add(r, -1) }

// FileStamp tells whether a file that is replaced or appended to has changed.
type FileStamp struct {
	Inode       uint64
	Size, Mtime int64 // bytes; nanoseconds since 1970
}

// StampFile is the state of a file of m; zero if there is none.
func StampFile(m *maildir.Maildir, name string) FileStamp {
	st, err := m.Dir().Stat(name)
	if err != nil {
		return FileStamp{}
	}
	return FileStamp{st.Ino, st.Size, st.Mtim.Nano()}
}

// headSize is the length of a Head in a file, in bytes.
const headSize = 152

func (h *Head) append(b []byte) []byte {
	le := binary.LittleEndian
	for _, n := range []uint32{h.Validity, h.Next} {
		b = le.AppendUint32(b, n)
	}
	for _, n := range []uint64{h.Folder, h.ModSeq, h.Floor} {
		b = le.AppendUint64(b, n)
	}
	for _, n := range []uint32{h.Messages, h.Unseen, h.Trashed, h.New, h.Unsized, h.FirstUnseen} {
		b = le.AppendUint32(b, n)
	}
	for _, n := range []int64{h.Size,
		int64(h.Stamp.New.Inode), h.Stamp.New.Mtime, h.Stamp.New.Ctime,
		int64(h.Stamp.Cur.Inode), h.Stamp.Cur.Mtime, h.Stamp.Cur.Ctime,
		int64(h.List.Inode), h.List.Size, h.List.Mtime,
		int64(h.Cache), h.CacheEnd} {
		b = le.AppendUint64(b, uint64(n))
	}
	return b
}

// parseHead reads headSize bytes whose checksum was right.
func parseHead(b []byte) (h Head) {
	u32 := func() (n uint32) {
		n, b = binary.LittleEndian.Uint32(b), b[4:]
		return n
	}
	u64 := func() (n uint64) {
		n, b = binary.LittleEndian.Uint64(b), b[8:]
		return n
	}
	h.Validity, h.Next = u32(), u32()
	h.Folder, h.ModSeq, h.Floor = u64(), u64(), u64()
	for _, p := range []*uint32{&h.Messages, &h.Unseen, &h.Trashed, &h.New, &h.Unsized, &h.FirstUnseen} {
		*p = u32()
	}
	h.Size = int64(u64())
	for _, d := range []*maildir.DirStamp{&h.Stamp.New, &h.Stamp.Cur} {
		*d = maildir.DirStamp{Inode: u64(), Mtime: int64(u64()), Ctime: int64(u64())}
	}
	h.List = FileStamp{u64(), int64(u64()), int64(u64())}
	h.Cache, h.CacheEnd = u64(), int64(u64())
	return h
}
