package server

import "rohrpost/protocol/message"

// Bounds of what REFERENCES holds, however many references messages have.
const (
	// maxReferences is how many of one message count: the first, which is where the
	// thread began, and the last.
	maxReferences = 100
	// maxHeld is how many of all messages are held, 8 bytes each. Beyond it only the
	// last of each counts, its parent.
	maxHeld = 1 << 20
	// maxAbsent is how many messages that are not there get dummies. Beyond it
	// references to others are left out.
	maxAbsent = 1 << 18
)

// appendReferences appends the message identifiers of a message and of those that it
// refers to: those of References, or without any the first one of In-Reply-To. A
// message without an identifier has an empty one.
func (q *query) appendReferences(b, id, references, inReplyTo []byte) []byte {
	own := len(b)
	message.MessageIDs(q.value.unfold(id), func(id []byte) bool {
		b = appendText(b, id)
		return false
	})
	if len(b) == own {
		b = appendText(b, nil)
	}
	start := len(b)
	message.MessageIDs(q.value.unfold(references), func(id []byte) bool {
		b = appendText(b, id)
		return true
	})
	if len(b) == start {
		message.MessageIDs(q.value.unfold(inReplyTo), func(id []byte) bool {
			b = appendText(b, id)
			return false
		})
	}
	return b
}

// addReferences notes what appendReferences has made for a message.
func (t *threader) addReferences(b []byte) {
	node := int32(len(t.refsEnd))
	id, b := cutText(b)
	if len(id) > 0 {
		// Of several messages with one identifier the first has it.
		if h := t.hash(id); !t.has(h) {
			t.nodes[h] = node
		}
	}
	start := len(t.refs)
	for len(b) > 0 {
		id, b = cutText(b)
		t.refs = append(t.refs, t.hash(id))
	}
	t.shorten(start)
	t.refsEnd = append(t.refsEnd, int32(len(t.refs)))
}

func (t *threader) has(h uint64) bool {
	_, ok := t.nodes[h]
	return ok
}

// shorten keeps the bounds for the references from start on.
func (t *threader) shorten(start int) {
	keep := maxReferences
	if start > maxHeld {
		keep = 1
	}
	n := len(t.refs) - start
	if n <= keep {
		return
	}
	copy(t.refs[start+min(1, keep-1):], t.refs[len(t.refs)-max(keep-1, 1):])
	t.refs = t.refs[:start+keep]
}

// linkByReferences is REFERENCES, by the steps of RFC 5256 section 3.
func (t *threader) linkByReferences() {
	l := newLinks(len(t.positions))
	start := int32(0)
	for node, end := range t.refsEnd {
		t.linkMessage(l, int32(node), t.refs[start:end])
		start = end
	}
	t.parents = l.parents
	t.prune()
	t.mergeSubjects()
}

// linkMessage is step 1 for a message: references link what they name one below the
// other (A), the message comes below the last (B).
func (t *threader) linkMessage(l *links, node int32, refs []uint64) {
	last := none
	for _, h := range refs {
		ref := t.nodeOf(l, h)
		if ref == none {
			continue
		}
		if last != none && l.parents[ref] == none {
			l.link(last, ref)
		}
		last = ref
	}
	l.unlink(node)
	if last != none {
		l.link(last, node)
	}
}

// nodeOf is the node of a message identifier, a dummy if no message has it.
func (t *threader) nodeOf(l *links, h uint64) int32 {
	node, ok := t.nodes[h]
	switch {
	case ok:
		return node
	case len(l.parents)-len(t.positions) >= maxAbsent:
		return none
	}
	node = l.add()
	t.nodes[h] = node
	return node
}

// prune is step 3: dummies go, and their children come in their places, unless a dummy
// is at the top and has several.
func (t *threader) prune() {
	n := int32(len(t.positions))
	children := make([]int32, int32(len(t.parents))-n) // of dummies at the top
	for node := range n {
		p := t.aboveDummies(t.parents[node])
		t.parents[node] = p
		if p >= n {
			children[p-n]++
		}
	}
	for node := range n {
		if p := t.parents[node]; p >= n && children[p-n] == 1 {
			t.parents[node] = none
		}
	}
}

// aboveDummies is the node itself, or the nearest above it that is a message or at the
// top. The dummies on the way have it for their parent then, so that none is passed
// often.
func (t *threader) aboveDummies(node int32) int32 {
	n := int32(len(t.positions))
	isPassed := func(node int32) bool { return node >= n && t.parents[node] != none }
	end := node
	for isPassed(end) {
		end = t.parents[end]
	}
	for isPassed(node) {
		node, t.parents[node] = t.parents[node], end
	}
	return end
}
