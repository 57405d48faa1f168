package disktest

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Trace is what a Recorder noted.
type Trace struct {
	base   map[inode]*node // before the first step; what is made later is empty
	ops    []op
	inodes inode // the highest in use
}

// op is one step: changes of a directory, data of a file, a sync of either, or
// a yes.
type op struct {
	dir     inode
	changes []change
	file    inode
	data    []byte
	sync    bool
	ack     string
	text    string // for people
}

// change gives a name in a directory to a file, or to none.
type change struct {
	name string
	to   inode
}

func (c change) apply(entries map[string]inode) {
	if c.to == 0 {
		delete(entries, c.name)
	} else {
		entries[c.name] = c.to
	}
}

// node is a file or a directory.
type node struct {
	entries map[string]inode // nil for a file
	data    []byte
}

// String is the steps, one a line.
func (t Trace) String() string {
	var b strings.Builder
	for _, o := range t.ops {
		b.WriteString(o.text + "\n")
	}
	return b.String()
}

// state is the disk after some steps: what is durable, and what is not yet.
type state struct {
	durable map[inode]*node
	changes map[inode][]op   // of a directory, in order
	data    map[inode][]byte // of a file, behind what is durable
	acks    []string
}

func (t Trace) after(steps int) *state {
	s := &state{durable: map[inode]*node{}, changes: map[inode][]op{}, data: map[inode][]byte{}}
	for id, n := range t.base {
		s.durable[id] = &node{entries: maps.Clone(n.entries), data: n.data}
	}
	for _, o := range t.ops[:steps] {
		s.step(o)
	}
	return s
}

func (s *state) step(o op) {
	switch {
	case o.ack != "":
		s.acks = append(s.acks, o.ack)
	case o.dir != 0 && o.sync:
		for _, c := range s.changes[o.dir] {
			c.applyTo(s.durable[o.dir].entries)
		}
		delete(s.changes, o.dir)
	case o.dir != 0:
		s.changes[o.dir] = append(s.changes[o.dir], o)
	case o.sync:
		n := s.durable[o.file]
		n.data = slices.Concat(n.data, s.data[o.file])
		delete(s.data, o.file)
	default:
		s.data[o.file] = slices.Concat(s.data[o.file], o.data)
	}
}

func (o op) applyTo(entries map[string]inode) {
	for _, c := range o.changes {
		c.apply(entries)
	}
}

// Crashes gives every World in which a power cut may leave the disk: after each
// number of steps, with each choice of what was not durable yet. Worlds that
// look alike and have the same yeses come once.
//
// Up to 12 changes that are not durable, all choices are tried; beyond, only
// those that keep or lose at most two of a directory, or all from some step on.
func Crashes(t Trace) iter.Seq[*World] {
	return func(yield func(*World) bool) {
		seen := map[[32]byte]bool{}
		for steps := range len(t.ops) + 1 {
			s := t.after(steps)
			for w := range s.worlds() {
				k := w.key()
				if seen[k] {
					continue
				}
				seen[k] = true
				w.steps = t.ops[:steps]
				if !yield(w) {
					return
				}
			}
		}
	}
}

// worlds is the worlds of one state.
func (s *state) worlds() iter.Seq[*World] {
	dirs := slices.Sorted(maps.Keys(s.changes))
	total := 0
	for _, d := range dirs {
		total += len(s.changes[d])
	}
	return func(yield func(*World) bool) {
		w := &World{nodes: map[inode]*node{}, acks: s.acks}
		maps.Copy(w.nodes, s.durable)
		s.chooseChanges(w, dirs, total <= 12, yield)
	}
}

// chooseChanges tries all choices for the first of dirs with all for the rest.
func (s *state) chooseChanges(w *World, dirs []inode, all bool, yield func(*World) bool) bool {
	if len(dirs) == 0 {
		return s.chooseData(w, w.unsynced(s), yield)
	}
	d := dirs[0]
	ops := s.changes[d]
	for kept := range subsets(len(ops), all) {
		next := w.clone()
		entries := maps.Clone(s.durable[d].entries)
		for i, o := range ops {
			if kept[i] {
				o.applyTo(entries)
			} else {
				next.lost = append(next.lost, o.text)
			}
		}
		next.nodes[d] = &node{entries: entries}
		if !s.chooseChanges(next, dirs[1:], all, yield) {
			return false
		}
	}
	return true
}

// chooseData tries all that may have become of the data of files.
func (s *state) chooseData(w *World, files []inode, yield func(*World) bool) bool {
	if len(files) == 0 {
		return yield(w)
	}
	f := files[0]
	for _, v := range remains(s.durable[f].data, s.data[f]) {
		next := w.clone()
		next.nodes[f] = &node{data: v.data}
		if v.what != "" {
			next.lost = append(next.lost, v.what)
		}
		if !s.chooseData(next, files[1:], yield) {
			return false
		}
	}
	return true
}

type remainder struct {
	data []byte
	what string
}

// remains is what a file may hold whose last bytes were not synced: nothing of
// them, half, the right length with a page of zeros, or all.
func remains(durable, loose []byte) []remainder {
	half := len(loose) / 2
	return []remainder{
		{slices.Concat(durable, loose), ""},
		{durable, "all unsynced data"},
		{slices.Concat(durable, loose[:half]), "half of the unsynced data"},
		{slices.Concat(durable, loose[:half], bytes.Repeat([]byte{0}, len(loose)-half)), "half of the unsynced data, to zeros"},
	}
}

// subsets is the choices among n things, as who is kept.
func subsets(n int, all bool) iter.Seq[[]bool] {
	return func(yield func([]bool) bool) {
		if all {
			for mask := range 1 << n {
				kept := make([]bool, n)
				for i := range kept {
					kept[i] = mask>>i&1 != 0
				}
				if !yield(kept) {
					return
				}
			}
			return
		}
		for _, most := range []bool{true, false} {
			for i := range n {
				for j := range n {
					kept := slices.Repeat([]bool{most}, n)
					kept[i], kept[j] = !most, !most
					prefix := slices.Repeat([]bool{most}, n)
					for k := i; k < n; k++ {
						prefix[k] = !most
					}
					if !yield(kept) || j == 0 && !yield(prefix) {
						return
					}
				}
			}
			if !yield(slices.Repeat([]bool{most}, n)) {
				return
			}
		}
	}
}
