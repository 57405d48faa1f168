package maildir

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"unsafe"
)

// Message is one message of a Listing.
type Message struct {
	Name         // as it was when it was listed
	New   bool   // it lies in new, not in cur
	Inode uint64 // as the directory says
}

// Listing is the messages of a Maildir at one time. Half a million of them take
// less than 64 MB. It is not changed by later scans and may be read by several
// goroutines at once.
type Listing struct {
	// Settled says that nothing can have been missed: neither directory changed
	// while it was read, nor so shortly before that a change within the same
	// tick of its clock would go unseen. Only a settled listing proves that a
	// message is gone.
	Settled bool
	// Stamp is the state of the directories when they were read.
	Stamp Stamp

	chunks [][]byte // records, see below
	pos    []uint32 // where each record is: chunk<<chunkBits | offset
	table  []uint32 // open hash table by base: 1 + index into pos, 0 for free
	wire   []int64  // wire sizes learned later; nil while there are none
}

// A record is
//
//	inode 8 bytes, in new 1, length of base 1, length of name 1, name
//
// Records do not cross chunks, and a chunk is never moved, so names can be
// handed out as strings without copying.
const (
	recordInode = 0
	recordNew   = 8
	recordEnd   = 9 // of the base
	recordLen   = 10
	recordName  = 11

	chunkBits  = 20
	chunkMax   = 1 << chunkBits
	chunkFirst = 4 << 10 // most folders are small, and most sessions idle
)

// Len is the number of messages.
func (l *Listing) Len() int { return len(l.pos) }

// At is message i, from 0. It allocates nothing; its strings live as long as
// they are used.
func (l *Listing) At(i int) Message {
	r := l.record(i)
	m := Message{Name: parseBehind(recordString(r), int(r[recordEnd])), New: r[recordNew] != 0, Inode: l.Inode(i)}
	if l.wire != nil && l.wire[i] >= 0 {
		m.WireSize = l.wire[i]
	}
	return m
}

// Base, Inode and WireSize are those of At(i), without the rest: sums over a
// large folder need no more.
func (l *Listing) Base(i int) string { return recordString(l.record(i))[:len(l.base(i))] }

// Inode is the number of message i's inode, as the directory says.
func (l *Listing) Inode(i int) uint64 { return binary.NativeEndian.Uint64(l.record(i)[recordInode:]) }

// WireSize is what is known of message i's size on the wire, or -1.
func (l *Listing) WireSize(i int) int64 {
	if l.wire != nil && l.wire[i] >= 0 {
		return l.wire[i]
	}
	return field(fieldsOf(recordString(l.record(i))[len(l.base(i)):]), 'W')
}

// InNew reports whether message i lay in new.
func (l *Listing) InNew(i int) bool { return l.record(i)[recordNew] != 0 }

// FileName is the name of message i, as At(i).String() without a copy.
func (l *Listing) FileName(i int) string { return recordString(l.record(i)) }

// NameLen is the length of the name of message i, in bytes.
func (l *Listing) NameLen(i int) int { return int(l.record(i)[recordLen]) }

// Find is the index of the message with this base, or -1.
func (l *Listing) Find(base string) int {
	if len(l.table) == 0 {
		return -1
	}
	_, i := l.slot([]byte(base))
	return i
}

// SetWireSize notes what was found out about message i, for At.
func (l *Listing) SetWireSize(i int, size int64) {
	if l.wire == nil {
		l.wire = make([]int64, len(l.pos))
		for j := range l.wire {
			l.wire[j] = -1
		}
	}
	l.wire[i] = size
}

// Sort puts the messages in the order of their arrival as their names tell it:
// by the seconds and microseconds they begin with, then by base. Flags, fields and
// places do not matter, so the order stays while other programs change them.
func (l *Listing) Sort() {
	type key struct {
		time uint64
		old  uint32 // index before
		pos  uint32
	}
	keys := make([]key, len(l.pos))
	for i, p := range l.pos {
		keys[i] = key{arrival(recordBase(l.at(p))), uint32(i), p}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if c := cmp.Compare(a.time, b.time); c != 0 {
			return c
		}
		return bytes.Compare(recordBase(l.at(a.pos)), recordBase(l.at(b.pos)))
	})
	wire := l.wire
	if wire != nil {
		l.wire = make([]int64, len(wire))
	}
	for i, k := range keys {
		l.pos[i] = k.pos
		if wire != nil {
			l.wire[i] = wire[k.old]
		}
		keys[k.old].time = uint64(i) // the time is done with; now: index after
	}
	for place, i := range l.table { // bases stay where they are
		if i != 0 {
			l.table[place] = 1 + uint32(keys[i-1].time)
		}
	}
}

// CompareArrival is the order of Sort: negative if a came before b.
func CompareArrival(a, b Name) int {
	if c := cmp.Compare(arrival(a.Base), arrival(b.Base)); c != 0 {
		return c
	}
	return cmp.Compare(a.Base, b.Base)
}

// arrival is the time in a name, in microseconds, or 0.
func arrival[T string | []byte](name T) uint64 {
	sec, rest := number(name)
	if len(rest) < 2 || rest[0] != '.' || rest[1] != 'M' {
		return sec * 1e6
	}
	micros, _ := number(rest[2:])
	return sec*1e6 + min(micros, 999999)
}

// number is the decimal number that b begins with, at most 12 digits of it.
func number[T string | []byte](b T) (n uint64, rest T) {
	i := 0
	for i < len(b) && i < 12 && isDigit(b[i]) {
		n = n*10 + uint64(b[i]-'0')
		i++
	}
	return n, b[i:]
}

func (l *Listing) record(i int) []byte { return l.at(l.pos[i]) }

func (l *Listing) at(pos uint32) []byte {
	return l.chunks[pos>>chunkBits][pos&(chunkMax-1):]
}

func recordBytes(r []byte) []byte { return r[recordName : recordName+int(r[recordLen])] }

// recordString is the name without a copy: records are never written again.
func recordString(r []byte) string {
	return unsafe.String(&r[recordName], int(r[recordLen]))
}

func recordBase(r []byte) []byte { return r[recordName : recordName+int(r[recordEnd])] }

// base is the base of message i.
func (l *Listing) base(i int) []byte { return recordBase(l.record(i)) }

// append copies a name into the last chunk, or a new one of twice the size.
func (l *Listing) append(name []byte, ino uint64, new bool) {
	if len(name) > 255 {
		return // no Linux file system has such names
	}
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < recordName+len(name) {
		l.chunks = append(l.chunks, make([]byte, 0, min(chunkFirst<<min(len(l.chunks), 8), chunkMax)))
		last++
	}
	c := l.chunks[last]
	base, _ := split(name)
	c = binary.NativeEndian.AppendUint64(c, ino)
	c = append(c, 0, byte(base), byte(len(name)))
	if new {
		c[len(c)-3] = 1
	}
	l.chunks[last] = append(c, name...)
}

// index fills pos, once all is appended, and the hash table. Of several records
// with one base, the last one stays: new is read before cur, and an earlier
// reading before a later one.
func (l *Listing) index() {
	if l.pos == nil {
		l.pos = make([]uint32, 0, l.count())
		for c, chunk := range l.chunks {
			for off := 0; off < len(chunk); off += recordName + int(chunk[off+recordLen]) {
				l.pos = append(l.pos, uint32(c<<chunkBits|off))
			}
		}
	}
	size := 8
	for size < 2*len(l.pos) {
		size *= 2
	}
	l.table = make([]uint32, size)
	all := l.pos
	l.pos = l.pos[:0]
	for _, p := range all {
		r := l.at(p)
		slot, i := l.slot(recordBase(r))
		if i >= 0 {
			l.pos[i] = p
			continue
		}
		l.pos = append(l.pos, p)
		l.table[slot] = uint32(len(l.pos))
	}
}

func (l *Listing) count() int {
	n := 0
	for _, chunk := range l.chunks {
		for off := 0; off < len(chunk); off += recordName + int(chunk[off+recordLen]) {
			n++
		}
	}
	return n
}

var seed = maphash.MakeSeed()

// slot is the place of a base in the table, and the index of the message there
// or -1 if the place is free.
func (l *Listing) slot(base []byte) (slot, i int) {
	mask := len(l.table) - 1
	slot = int(maphash.Bytes(seed, base)) & mask
	for l.table[slot] != 0 {
		i := int(l.table[slot]) - 1
		if bytes.Equal(l.base(i), base) {
			return slot, i
		}
		slot = (slot + 1) & mask
	}
	return slot, -1
}
