package uidlist

import (
	"bytes"
	"hash/maphash"
)

// index finds lines of a file by the base of the name they hold: an open hash
// table of positions, and the file itself.
type index struct {
	data  []byte
	name  func(line []byte) string
	seed  maphash.Seed
	slots []uint32 // 1 + position of a line, 0 for free; the length is a power of two
}

func newIndex(data []byte, name func(line []byte) string) index {
	n := 2
	for n < 2*bytes.Count(data, []byte{'\n'}) {
		n *= 2
	}
	return index{data: data, name: name, seed: maphash.MakeSeed(), slots: make([]uint32, n)}
}

// build takes up every whole line that good accepts.
func (x *index) build(good func(line []byte) bool) {
	for at := 0; at < len(x.data); {
		line, ok := x.line(at)
		if !ok {
			return
		}
		if good(line) {
			*x.slot(baseOf(x.name(line))) = uint32(at + 1)
		}
		at += len(line) + 1
	}
}

// line is the line at a position; false if it has no end.
func (x *index) line(at int) ([]byte, bool) {
	end := bytes.IndexByte(x.data[at:], '\n')
	if end < 0 {
		return nil, false
	}
	return x.data[at : at+end], true
}

// slot is the slot of this base, or the free one where it belongs. There are
// twice as many slots as lines, so there is one.
func (x *index) slot(base string) *uint32 {
	mask := uint64(len(x.slots) - 1)
	for i := maphash.String(x.seed, base) & mask; ; i = (i + 1) & mask {
		p := &x.slots[i]
		if *p == 0 {
			return p
		}
		if line, _ := x.line(int(*p - 1)); baseOf(x.name(line)) == base {
			return p
		}
	}
}

// find is the line for this base.
func (x *index) find(base string) ([]byte, bool) {
	p := *x.slot(base)
	if p == 0 {
		return nil, false
	}
	return x.line(int(p - 1))
}
