// Package index keeps what is derived from messages and dear to derive, in files
// beside them that a fresh process uses without parsing:
//
//   - rohrpost.index, an Image: what a server of IMAP knows of all messages of a
//     folder, for package mailbox
//   - rohrpost.cache, a Cache: what it has derived from their contents
//   - rohrpost.sizes, behind an Inventory: names and sizes on the wire, with every
//     line end as CRLF, in the order of arrival. The server of a Maildir that
//     somebody else filled reads every message once, and never again; and one of a
//     Maildir that has not changed reads no directory.
//
// They are caches and nothing else. None is synced; each is replaced by rename,
// and the first two are appended to under a Lock. Removing them, damaging any byte
// or putting another Maildir's in their place changes no answer: what is read is
// checked by checksums that cover where it stands. A file stands for the
// directories only as long as they have the times and inodes that it notes;
// otherwise a record counts only for the very file that the directory has, by the
// base of its name and the number of its inode. What that guard cannot see is a
// message that was changed in place, which Maildir forbids.
//
// Start reading at Image, and at TakeInventory for the last.
package index

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal puts the checksum of what is before it into the last four bytes.
func seal(b []byte) {
	end := len(b) - 4
	binary.LittleEndian.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
}

func sealed(b []byte) bool {
	end := len(b) - 4
	return binary.LittleEndian.Uint32(b[end:]) == crc32.Checksum(b[:end], castagnoli)
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
