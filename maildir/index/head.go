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
	// FirstUnseen is the UID of the first message without maildir.Seen, 0 for none,
	// and BeforeUnseen how many messages have a lower one; UnknownCount if
	// FirstUnseen only says below which UID there is none.
	FirstUnseen, BeforeUnseen uint32

	// Stamp is the state of the directories that the index describes; zero if
	// they were not settled then.
	Stamp maildir.Stamp
	// List is the list of UIDs that the index agrees with.
	List FileStamp
	// Appendable says that whoever gives UIDs to messages that this index does not
	// know need not read the list: its form is ours, and each message that it has a
	// record of is in this index or was expunged from it.
	Appendable bool

	// Cache is the generation of the cache file, 0 for none; what lies before
	// CacheEnd in it is found from the records, the rest by reading on.
	Cache    uint64
	CacheEnd int64
}

// UnknownCount is a BeforeUnseen that has to be counted.
const UnknownCount = 1<<32 - 1

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
const headSize = 160

func (h *Head) append(b []byte) []byte {
	le := binary.LittleEndian
	for _, n := range []uint32{h.Validity, h.Next} {
		b = le.AppendUint32(b, n)
	}
	for _, n := range []uint64{h.Folder, h.ModSeq, h.Floor} {
		b = le.AppendUint64(b, n)
	}
	for _, n := range []uint32{h.Messages, h.Unseen, h.Trashed, h.New, h.Unsized, h.FirstUnseen, h.BeforeUnseen, flag(h.Appendable)} {
		b = le.AppendUint32(b, n)
	}
	b = le.AppendUint64(b, uint64(h.Size))
	b = appendStamp(b, h.Stamp)
	for _, n := range []int64{int64(h.List.Inode), h.List.Size, h.List.Mtime, int64(h.Cache), h.CacheEnd} {
		b = le.AppendUint64(b, uint64(n))
	}
	return b
}

// stampSize is the length of a maildir.Stamp in a file, in bytes.
const stampSize = 48

func appendStamp(b []byte, s maildir.Stamp) []byte {
	for _, d := range []maildir.DirStamp{s.New, s.Cur} {
		b = binary.LittleEndian.AppendUint64(b, d.Inode)
		b = binary.LittleEndian.AppendUint64(b, uint64(d.Mtime))
		b = binary.LittleEndian.AppendUint64(b, uint64(d.Ctime))
	}
	return b
}

// parseStamp reads stampSize bytes.
func parseStamp(b []byte) (s maildir.Stamp) {
	for i, d := range []*maildir.DirStamp{&s.New, &s.Cur} {
		at := func(n int) uint64 { return binary.LittleEndian.Uint64(b[24*i+n:]) }
		*d = maildir.DirStamp{Inode: at(0), Mtime: int64(at(8)), Ctime: int64(at(16))}
	}
	return s
}

func flag(is bool) uint32 {
	if is {
		return 1
	}
	return 0
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
	var appendable uint32
	h.Validity, h.Next = u32(), u32()
	h.Folder, h.ModSeq, h.Floor = u64(), u64(), u64()
	for _, p := range []*uint32{&h.Messages, &h.Unseen, &h.Trashed, &h.New, &h.Unsized, &h.FirstUnseen, &h.BeforeUnseen, &appendable} {
		*p = u32()
	}
	h.Appendable = appendable != 0
	h.Size = int64(u64())
	h.Stamp, b = parseStamp(b), b[stampSize:]
	h.List = FileStamp{u64(), int64(u64()), int64(u64())}
	h.Cache, h.CacheEnd = u64(), int64(u64())
	return h
}
