package server

import "rohrpost/protocol/imap"

// forest is nodes with their children, as lists. Nodes below messages are messages;
// others are dummies at the top.
type forest struct {
	messages            int32
	first, last, next   []int32
	firstRoot, lastRoot int32
}

// newForest makes lists of children, and of the roots, in the order of the messages
// (step 6 of RFC 5256 section 3): that of a dummy is the one of its first child.
func newForest(parents, order []int32) *forest {
	f := &forest{messages: int32(len(order)), firstRoot: none, lastRoot: none}
	room := make([]int32, 3*len(parents))
	for i := range room {
		room[i] = none
	}
	n := len(parents)
	f.first, f.last, f.next = room[:n], room[n:2*n], room[2*n:]
	for _, node := range order {
		p := parents[node]
		if p == none {
			f.addTo(&f.firstRoot, &f.lastRoot, node)
			continue
		}
		if p >= f.messages && f.first[p] == none {
			f.addTo(&f.firstRoot, &f.lastRoot, p)
		}
		f.addTo(&f.first[p], &f.last[p], node)
	}
	return f
}

func (f *forest) addTo(first, last *int32, node int32) {
	if *first == none {
		*first = node
	} else {
		f.next[*last] = node
	}
	*last = node
}

// write writes the threads, as RFC 5256 section 4 has them: "(3 6 (4 23)(44 7 96))".
// Threads may be as deep as there are messages, so there is no recursion.
func (f *forest) write(s *Session, positions []int, uid bool) {
	if f.firstRoot == none {
		return
	}
	s.w.String(" ")
	open := []int32{f.firstRoot} // the next sibling at each level
	for len(open) > 0 {
		top := len(open) - 1
		node := open[top]
		if node == none {
			if open = open[:top]; top > 0 {
				s.w.String(")")
			}
			continue
		}
		open[top] = f.next[node]
		s.w.Extend(func(b []byte) []byte {
			b, node = f.appendChain(append(b, '('), node, s, positions, uid)
			return b
		})
		if node != none {
			open = append(open, node)
		}
	}
}

// appendChain appends a node and those below it, as long as each has one child. It
// returns the first of several, or none: then the thread has been closed.
func (f *forest) appendChain(b []byte, node int32, s *Session, positions []int, uid bool) ([]byte, int32) {
	for {
		child := f.first[node]
		if node < f.messages {
			b = imap.AppendNumber(b, s.number(positions[node], uid))
			if child == none {
				return append(b, ')'), none
			}
			b = append(b, ' ')
		}
		if f.next[child] != none {
			return b, child
		}
		node = child
	}
}
