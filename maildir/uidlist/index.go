package uidlist

import (
	"bytes"
	"hash/maphash"
	"unsafe"
)

// index finds lines of a file by the base of the name that they hold: an open
// hash table of positions, and the file itself.
type index struct {
	data  []byte
	base  func(line []byte) []byte
	slots []uint64 // hash<<32 | 1 + position of a line; 0 for free; the length is a power of two
	order []uint32 // positions of the lines, ascending
	dead  int      // lines left out of order, since a later one has their base
}

// seed is that of all tables: it only has to be unknown outside.
var seed = maphash.MakeSeed()

// slotsFor is the length of a table for n lines: at least twice as many.
func slotsFor(n int) int {
	size := 8
	for size < 2*n {
		size *= 2
	}
	return size
}

func newIndex(data []byte, base func(line []byte) []byte) index {
	n := bytes.Count(data, []byte{'\n'})
	return index{data: data, base: base, slots: make([]uint64, slotsFor(n)), order: make([]uint32, 0, n)}
}

// build takes up every whole line from a position on that good accepts, under the
// base that good says, and reports whether that was all there is.
func (x *index) build(at int, good func(line []byte) (base []byte, ok bool)) (all bool) {
	all = true
	dead := x.dead
	for at < len(x.data) {
		line, ok := x.line(at)
		if !ok {
			all = false
			break
		}
		if base, ok := good(line); ok {
			x.add(at, base)
		} else {
			all = false
		}
		at += len(line) + 1
	}
	if x.dead > dead {
		x.dropDead()
	}
	return all
}

// line is the line at a position; false if it has no end.
func (x *index) line(at int) ([]byte, bool) {
	end := bytes.IndexByte(x.data[at:], '\n')
	if end < 0 {
		return nil, false
	}
	return x.data[at : at+end], true
}

// add takes up the line at a position.
func (x *index) add(at int, base []byte) {
	if 2*len(x.order) >= len(x.slots) {
		x.grow()
	}
	hash := hashOf(base)
	slot := x.slot(hash, base)
	if *slot != 0 {
		x.dead++
	}
	*slot = hash<<32 | uint64(at+1)
	x.order = append(x.order, uint32(at))
}

// dropDead takes lines out of order whose base a later line has. Only then are
// those in order that slots know.
func (x *index) dropDead() {
	live := x.order[:0]
	for _, at := range x.order {
		line, _ := x.line(int(at))
		base := x.base(line)
		if position(*x.slot(hashOf(base), base)) == int(at) {
			live = append(live, at)
		}
	}
	x.order = live
}

func hashOf(base []byte) uint64 { return maphash.Bytes(seed, base) & (1<<32 - 1) }

// position is the position in a slot, or -1 in a free one.
func position(slot uint64) int { return int(slot&(1<<32-1)) - 1 }

// slot is the slot of this base, or the free one where it belongs. Half of them
// are free at least.
func (x *index) slot(hash uint64, base []byte) *uint64 {
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		p := &x.slots[i]
		if *p == 0 {
			return p
		}
		if *p>>32 != hash {
			continue
		}
		if line, _ := x.line(position(*p)); bytes.Equal(x.base(line), base) {
			return p
		}
	}
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, 2*len(old))
	mask := uint64(len(x.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := s >> 32 & mask
		for x.slots[i] != 0 {
			i = (i + 1) & mask
		}
		x.slots[i] = s
	}
}

// find is the line for this base.
func (x *index) find(base string) ([]byte, bool) {
	if len(x.slots) == 0 {
		return nil, false
	}
	b := unsafe.Slice(unsafe.StringData(base), len(base)) // it is only looked at
	at := position(*x.slot(hashOf(b), b))
	if at < 0 {
		return nil, false
	}
	return x.line(at)
}
