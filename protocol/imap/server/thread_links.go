package server

// links are the parents of nodes while REFERENCES finds them. Whether a link would make
// a loop is known by the root of a tree, and trees can be as deep as there are messages
// and links can break: so beside the parents there is a link-cut tree (Sleator and
// Tarjan 1983), in which finding a root takes logarithmic time, amortized.
//
// It holds each tree as paths from upper nodes to lower ones, each path as a binary
// tree in that order, a splay tree.
type links struct {
	parents  []int32
	children []int32 // how many there are

	// left is what is higher on the path, right what is lower, up the node above in the
	// binary tree; or, if that has no such child, the parent that the path hangs on.
	up, left, right []int32
}

// newLinks makes n nodes without parents.
func newLinks(n int) *links {
	l := &links{}
	for _, all := range [...]*[]int32{&l.parents, &l.children, &l.up, &l.left, &l.right} {
		*all = make([]int32, 0, n+n/4)
	}
	for range n {
		l.add()
	}
	return l
}

// add adds a node without a parent.
func (l *links) add() int32 {
	node := int32(len(l.parents))
	l.parents, l.children = append(l.parents, none), append(l.children, 0)
	l.up, l.left, l.right = append(l.up, none), append(l.left, none), append(l.right, none)
	return node
}

// link makes one node the parent of another, which has none, unless that would make a
// loop.
func (l *links) link(parent, child int32) {
	if parent == child || l.children[child] > 0 && l.root(parent) == child {
		return
	}
	l.parents[child] = parent
	l.children[parent]++
	l.expose(child)
	l.up[child] = parent
}

// unlink takes a node's parent away, if it has one.
func (l *links) unlink(child int32) {
	parent := l.parents[child]
	if parent == none {
		return
	}
	l.parents[child] = none
	l.children[parent]--
	l.expose(child)
	l.up[l.left[child]], l.left[child] = none, none
}

// root is the root of a node's tree.
func (l *links) root(node int32) int32 {
	l.expose(node)
	for l.left[node] != none {
		node = l.left[node]
	}
	l.splay(node)
	return node
}

// expose makes the way from the root to a node one path, which ends there, with the
// node at the top of its binary tree.
func (l *links) expose(node int32) {
	lower := none
	for n := node; n != none; n = l.up[n] {
		l.splay(n)
		l.right[n] = lower
		lower = n
	}
	l.splay(node)
}

// splay brings a node to the top of its binary tree.
func (l *links) splay(node int32) {
	for !l.isTop(node) {
		p := l.up[node]
		if !l.isTop(p) {
			if (l.left[p] == node) == (l.left[l.up[p]] == p) {
				l.rotate(p)
			} else {
				l.rotate(node)
			}
		}
		l.rotate(node)
	}
}

func (l *links) isTop(node int32) bool {
	p := l.up[node]
	return p == none || l.left[p] != node && l.right[p] != node
}

// rotate changes places with the node above in the binary tree.
func (l *links) rotate(node int32) {
	p := l.up[node]
	near, far := l.left, l.right // the side on which node is, and the other
	if l.right[p] == node {
		near, far = far, near
	}
	l.up[node] = l.up[p]
	if !l.isTop(p) {
		if g := l.up[p]; l.left[g] == p {
			l.left[g] = node
		} else {
			l.right[g] = node
		}
	}
	inner := far[node]
	near[p] = inner
	if inner != none {
		l.up[inner] = p
	}
	far[node], l.up[p] = p, node
}
