package index

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"slices"

	"rohrpost/maildir"
)

// sizesName is the file, in the Maildir or folder whose messages it is about.
const sizesName = "rohrpost.sizes"

// The file is a header, blocks of blockMessages messages each, the last one of
// those that are left, and a table of where the blocks are. All numbers have the low
// byte first:
//
//	header  magic 8, messages 8, sum of sizes 8, length of file 8, stamp 48,
//	        zero 12, CRC-32C of the 92 before 4
//	block   entries, names one behind the other, CRC-32C of both 4
//	entry   inode 8, wire size 8, end of the name in the block's names 2, length
//	        of its base 1, 1 if it lies in new 1
//	table   the offset of each block and of the table itself, 8 each
//
// The stamp is inode, mtime and ctime of new, then of cur, in nanoseconds since
// 1970, and zero in a file that was written when they could have changed within a
// tick. A wire size is -1 if it is not known; then the stamp is zero too. The
// checksum of a block begins with that of the header and the number of the block, so
// it counts in this place of this file only. The table needs none.
//
// Version 1, rp-size1, was a hash table of sizes without names.
const (
	sizesMagic    = "rp-size2"
	sizesHeader   = 96
	blockMessages = 128
	entryBytes    = 20
	blockMax      = blockMessages*(entryBytes+255) + 4

	// maxSizes bounds a file that is read, in bytes: some 20 million messages.
	maxSizes = 1 << 30
)

// sizesFile is an open file. It holds one block at a time, which is read, not
// mapped: what was checked cannot change any more, and nobody who truncates the file
// can make a fault of it.
type sizesFile struct {
	file     *os.File
	messages int
	octets   int64
	length   int64
	stamp    maildir.Stamp
	seed     uint32

	block int    // the number of the block in b, or -1
	b     []byte // entries and names
	names string // the names again, once they were asked for
}

// openSizes opens the file of m, or gives nil.
func openSizes(m *maildir.Maildir) *sizesFile {
	f, err := m.Dir().Open(sizesName)
	if err != nil {
		return nil
	}
	x := &sizesFile{file: f, block: -1}
	if st, err := f.Stat(); err != nil || !x.readHeader() || st.Size() != x.length {
		f.Close()
		return nil
	}
	return x
}

func (x *sizesFile) close() { x.file.Close() }

func (x *sizesFile) readHeader() bool {
	var h [sizesHeader]byte
	if _, err := x.file.ReadAt(h[:], 0); err != nil {
		return false
	}
	return x.parseHeader(h[:])
}

// parseHeader is false for what is no header.
func (x *sizesFile) parseHeader(h []byte) bool {
	if string(h[:8]) != sizesMagic || !sealed(h) {
		return false
	}
	le := binary.LittleEndian
	messages := le.Uint64(h[8:])
	x.octets, x.length = int64(le.Uint64(h[16:])), int64(le.Uint64(h[24:]))
	if x.octets < 0 || x.length > maxSizes || messages > uint64(max(0, x.length-sizesHeader))/entryBytes {
		return false
	}
	x.messages = int(messages)
	x.stamp = parseStamp(h[32:])
	x.seed = le.Uint32(h[sizesHeader-4:])
	return true
}

// blocksFor is the number of blocks of so many messages.
func blocksFor(messages int) int { return (messages + blockMessages - 1) / blockMessages }

// tableAt is the offset of the table.
func (x *sizesFile) tableAt() int64 { return x.length - 8*int64(blocksFor(x.messages)+1) }

// load reads a block; false if it is damaged.
func (x *sizesFile) load(block int) bool {
	if block == x.block {
		return true
	}
	x.block, x.names = -1, ""
	var place [16]byte
	if _, err := x.file.ReadAt(place[:], x.tableAt()+8*int64(block)); err != nil {
		return false
	}
	at := binary.LittleEndian.Uint64(place[:])
	size := binary.LittleEndian.Uint64(place[8:]) - at
	if at > uint64(x.length) || size < 4 || size > blockMax {
		return false
	}
	x.b = slices.Grow(x.b[:0], int(size))[:size]
	if _, err := x.file.ReadAt(x.b, int64(at)); err != nil {
		return false
	}
	sum := binary.LittleEndian.Uint32(x.b[size-4:])
	x.b = x.b[:size-4]
	if crc32.Update(x.seed^uint32(block), castagnoli, x.b) != sum || !goodBlock(x.b, min(blockMessages, x.messages-block*blockMessages)) {
		return false
	}
	x.block = block
	return true
}

// goodBlock reports whether b is so many entries and their names, and none of the
// names leads out of the directory.
func goodBlock(b []byte, entries int) bool {
	names := len(b) - entries*entryBytes
	if names < 0 || bytes.IndexByte(b[entries*entryBytes:], '/') >= 0 {
		return false
	}
	start := 0
	for i := range entries {
		e := entry(b[i*entryBytes:])
		end, base := e.end(), e.base()
		if base == 0 || start+base > end || end-start > 255 || end > names || e.wire() < -1 {
			return false
		}
		start = end
	}
	return start == names
}

// entry is the entry that bytes begin with.
type entry []byte

func (e entry) inode() uint64 { return binary.LittleEndian.Uint64(e) }
func (e entry) wire() int64   { return int64(binary.LittleEndian.Uint64(e[8:])) }
func (e entry) end() int      { return int(binary.LittleEndian.Uint16(e[16:])) }
func (e entry) base() int     { return int(e[18]) }
func (e entry) new() bool     { return e[19] != 0 }

// entry is the entry of message i, and where its name begins among those of the
// block that is loaded then; false if it is damaged.
func (x *sizesFile) entry(i int) (e entry, start int, ok bool) {
	if !x.load(i / blockMessages) {
		return nil, 0, false
	}
	n := i % blockMessages
	if n > 0 {
		start = entry(x.b[(n-1)*entryBytes:]).end()
	}
	return entry(x.b[n*entryBytes:]), start, true
}

// inBlock is the names in the block that is loaded.
func (x *sizesFile) inBlock() []byte {
	return x.b[entryBytes*min(blockMessages, x.messages-x.block*blockMessages):]
}

// text is inBlock in a string that stays.
func (x *sizesFile) text() string {
	if x.names == "" {
		x.names = string(x.inBlock())
	}
	return x.names
}

// wireSize is the size of message i; false if it is damaged.
func (x *sizesFile) wireSize(i int) (int64, bool) {
	e, _, ok := x.entry(i)
	if !ok {
		return 0, false
	}
	return max(0, e.wire()), true
}

// at is message i; false if it is damaged.
func (x *sizesFile) at(i int) (msg maildir.Message, ok bool) {
	e, start, ok := x.entry(i)
	if !ok {
		return msg, false
	}
	msg = maildir.Message{Name: maildir.ParseName(x.text()[start:e.end()]), New: e.new(), Inode: e.inode()}
	if e.wire() >= 0 {
		msg.WireSize = e.wire()
	}
	return msg, true
}

// recall sets the sizes that the file knows of messages of l whose names do not tell
// them. Both are in the order of arrival.
func (x *sizesFile) recall(l *maildir.Listing) {
	at := 0
	for i := 0; i < l.Len() && at < x.messages; i++ {
		if l.WireSize(i) >= 0 {
			continue
		}
		var e entry
		if at, e = x.seek(at, l.Base(i)); e != nil && e.inode() == l.Inode(i) && e.wire() >= 0 {
			l.SetWireSize(i, e.wire())
		}
	}
}

// seek goes on from message at to the first that did not arrive before base, and
// gives its entry if it is that. Damaged blocks are passed over.
func (x *sizesFile) seek(at int, base string) (int, entry) {
	for ; at < x.messages; at++ {
		e, start, ok := x.entry(at)
		if !ok {
			at |= blockMessages - 1
			continue
		}
		if string(x.inBlock()[start:start+e.base()]) == base {
			return at + 1, e
		}
		found := x.text()[start : start+e.base()]
		if maildir.CompareArrival(maildir.Name{Base: found}, maildir.Name{Base: base}) > 0 {
			return at, nil
		}
	}
	return at, nil
}
