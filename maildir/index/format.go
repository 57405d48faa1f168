// Package index keeps what is derived from messages and dear to derive, in files
// beside them that a fresh process uses without parsing:
//
//   - rohrpost.index, an Image: what a server of IMAP knows of all messages of a
//     folder, for package mailbox
//   - rohrpost.cache, a Cache: what it has derived from their contents
//   - rohrpost.sizes: the size on the wire, with every line end as CRLF, of
//     messages whose names do not tell it by ,W=. The server of a Maildir that
//     somebody else filled reads every message once, and never again.
//
// They are caches and nothing else. None is synced; each is replaced by rename,
// and the first two are appended to under a Lock. Removing them, damaging any byte
// or putting another Maildir's in their place changes no answer: what is read is
// checked by checksums that cover where it stands, and a record counts only for the
// very file that the directory has, by the base of its name and the number of its
// inode. What that guard cannot see is a message that was changed in place, which
// Maildir forbids.
//
// Start reading at Image, and at Sizes for the last.
package index

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// fileName is the file, in the Maildir or folder whose messages it is about.
const fileName = "rohrpost.sizes"

// The file is a header and a hash table with open addressing, all numbers with
// the low byte first:
//
//	header   magic 8 bytes, slots 8, records 8, zero 4, CRC-32C of the 28 before 4
//	slot     key 8 bytes, inode 8, wire size 8, one 4, CRC-32C of the 28 before 4
//
// A free slot is all zeros. Key is the hash of the base of the message's name;
// the search for it begins at slot key*slots/2^64 and goes on until a free slot,
// at the end from the first again.
const (
	magic      = "rp-size1"
	recordSize = 32
	crcAt      = recordSize - 4
)

// size is one record: the wire size of one file.
type size struct {
	key, inode, wire uint64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// put writes the record into slot b.
func (s size) put(b []byte) {
	binary.LittleEndian.PutUint64(b, s.key)
	binary.LittleEndian.PutUint64(b[8:], s.inode)
	binary.LittleEndian.PutUint64(b[16:], s.wire)
	binary.LittleEndian.PutUint32(b[24:], 1)
	seal(b)
}

func seal(b []byte) {
	binary.LittleEndian.PutUint32(b[crcAt:], crc32.Checksum(b[:crcAt], castagnoli))
}

func sealed(b []byte) bool {
	return binary.LittleEndian.Uint32(b[crcAt:]) == crc32.Checksum(b[:crcAt], castagnoli)
}

// table is the file in memory or mapped.
type table []byte

// newTable lays out an empty table for n records in b, which is all zeros and
// has tableSize(n) bytes.
func newTable(b []byte, n int) table {
	copy(b, magic)
	binary.LittleEndian.PutUint64(b[8:], slotsFor(n))
	binary.LittleEndian.PutUint64(b[16:], uint64(n))
	seal(b[:recordSize])
	return b
}

// slotsFor leaves a quarter of the slots free, and at least one.
func slotsFor(n int) uint64 { return uint64(n+n/3) + 1 }

func tableSize(n int) int { return recordSize * (1 + int(slotsFor(n))) }

// openTable takes the bytes of a file. It is ok if the header is whole and the
// length is what it says.
func openTable(b []byte) (t table, ok bool) {
	if len(b) < 2*recordSize || string(b[:len(magic)]) != magic || !sealed(b[:recordSize]) {
		return nil, false
	}
	slots := binary.LittleEndian.Uint64(b[8:])
	if uint64(len(b)/recordSize-1) != slots || len(b)%recordSize != 0 {
		return nil, false
	}
	return b, true
}

func (t table) slots() uint64 { return uint64(len(t)/recordSize - 1) }

// records is the number of records that the table was made for.
func (t table) records() int { return int(binary.LittleEndian.Uint64(t[16:])) }

func (t table) slot(i uint64) []byte { return t[(1+i)*recordSize:][:recordSize] }

// start is where the search for a key begins.
func (t table) start(key uint64) uint64 {
	hi, _ := bits.Mul64(key, t.slots())
	return hi
}

// insert puts a record into the first free slot of its way. There must be one.
func (t table) insert(s size) {
	for i := t.start(s.key); ; i = (i + 1) % t.slots() {
		if b := t.slot(i); binary.LittleEndian.Uint32(b[24:]) == 0 {
			s.put(b)
			return
		}
	}
}

// find is the wire size of the file with this key and inode.
func (t table) find(key, inode uint64) (wire int64, ok bool) {
	i := t.start(key)
	for range t.slots() {
		b := t.slot(i)
		if binary.LittleEndian.Uint32(b[24:]) == 0 {
			return 0, false
		}
		if binary.LittleEndian.Uint64(b) == key && binary.LittleEndian.Uint64(b[8:]) == inode {
			return checked(b)
		}
		if i++; i == t.slots() {
			i = 0
		}
	}
	return 0, false
}

// checked is the size in a record, read once: the file may change while it is
// mapped.
func checked(b []byte) (wire int64, ok bool) {
	own := [recordSize]byte(b)
	w := int64(binary.LittleEndian.Uint64(own[16:]))
	return w, sealed(own[:]) && w >= 0
}

// keyOf is the hash of a base. It must never change, and need not resist an
// enemy: who can choose names can as well write the file.
func keyOf[T string | []byte](base T) uint64 {
	const k = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	h := uint64(len(base)) * k
	mix := func(v uint64) {
		hi, lo := bits.Mul64(h^v, k)
		h = hi ^ lo
	}
	for len(base) >= 8 {
		mix(uint64(base[0]) | uint64(base[1])<<8 | uint64(base[2])<<16 | uint64(base[3])<<24 |
			uint64(base[4])<<32 | uint64(base[5])<<40 | uint64(base[6])<<48 | uint64(base[7])<<56)
		base = base[8:]
	}
	var last uint64
	for i := range len(base) {
		last |= uint64(base[i]) << (8 * i)
	}
	mix(last)
	mix(k)
	return h
}

// Key is a hash of a base, for who keeps a table of his own. It is the same on all
// machines and need not resist an enemy.
func Key(base []byte) uint64 { return keyOf(base) }
