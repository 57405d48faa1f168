package index

import (
	"encoding/binary"
	"hash/crc32"

	"rohrpost/maildir"
)

// Record is what an index knows of one message, but for its name.
type Record struct {
	UID    uint32
	Flags  maildir.Flags
	ModSeq uint64
	Inode  uint64 // of the file that Size, Wire, Date and Blob are about
	Size   int64  // in bytes as stored, -1 if not known
	Wire   int64  // in bytes with every line end as CRLF, -1 if not known
	Date   int64  // mtime in nanoseconds since 1970, NoDate if not known
	Blob   int64  // where its last entry in the cache file is, 0 for none
	New    bool   // it lies in new

	nameAt  uint32
	nameSum uint32
	nameLen uint8
	baseLen uint8
}

// NoDate is a Date that is not known.
const NoDate = -1 << 63

// Ref is where a record is in an Image, in units of 8 bytes; 0 is nowhere.
type Ref uint32

// A record in the file, numbers with the low byte first:
//
//	UID 4, flags 4, MODSEQ 8, inode 8, size 8, wire size 8, date 8, blob 8,
//	name: offset 4, CRC-32C 4, length 1, length of base 1, in new 1, zero 1,
//	CRC-32C 4
//
// The checksum covers what is before it, and where in which file it stands.
const (
	entrySize  = 72
	entryCRCAt = entrySize - 4
)

// NewRecord is the record of a message as its name tells of it.
func NewRecord(uid uint32, msg maildir.Message) Record {
	return Record{UID: uid, Flags: msg.Flags, Inode: msg.Inode, Size: msg.Size, Wire: msg.WireSize, Date: NoDate, New: msg.New}
}

// put writes the record to b, which stands at the offset at, with a name that
// stands at nameAt.
func (r *Record) put(b []byte, seed uint32, name []byte, nameAt int64) {
	le := binary.LittleEndian
	le.PutUint32(b, r.UID)
	le.PutUint32(b[4:], uint32(r.Flags))
	for i, n := range []int64{int64(r.ModSeq), int64(r.Inode), r.Size, r.Wire, r.Date, r.Blob} {
		le.PutUint64(b[8+8*i:], uint64(n))
	}
	le.PutUint32(b[56:], uint32(nameAt))
	le.PutUint32(b[60:], crc32.Checksum(name, castagnoli))
	b[64], b[65], b[66], b[67] = byte(len(name)), byte(len(maildir.BaseOf(name))), 0, 0
	if r.New {
		b[66] = 1
	}
	le.PutUint32(b[entryCRCAt:], crc32.Update(seed, castagnoli, b[:entryCRCAt]))
}

// parseRecord reads a record; it is ok if the checksum is right.
func parseRecord(r *Record, b *[entrySize]byte, seed uint32) (ok bool) {
	le := binary.LittleEndian
	if crc32.Update(seed, castagnoli, b[:entryCRCAt]) != le.Uint32(b[entryCRCAt:]) {
		return false
	}
	r.UID, r.Flags, r.ModSeq, r.Inode = le.Uint32(b[:]), maildir.Flags(le.Uint32(b[4:])), le.Uint64(b[8:]), le.Uint64(b[16:])
	r.Size, r.Wire = int64(le.Uint64(b[24:])), int64(le.Uint64(b[32:]))
	r.Date, r.Blob, r.New = int64(le.Uint64(b[40:])), int64(le.Uint64(b[48:])), b[66] != 0
	r.nameAt, r.nameSum, r.nameLen, r.baseLen = le.Uint32(b[56:]), le.Uint32(b[60:]), b[64], b[65]
	return true
}

// Base is the base in the record's name.
func (r *Record) Base(name []byte) []byte { return name[:r.baseLen] }

// NameLen is the length of the record's name, in bytes.
func (r *Record) NameLen() int { return int(r.nameLen) }
