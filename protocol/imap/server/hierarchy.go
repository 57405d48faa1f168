package server

import (
	"iter"
	"slices"
	"strings"

	"rohrpost/maildir"
)

// entry is a name that is a mailbox, or that the user has subscribed to, or both.
// An entry that is neither is a level of the hierarchy with nothing but others
// below it: Maildir++ has .A.B without .A.
type entry struct {
	name       string
	exists     bool
	subscribed bool
	matched    bool // by one of the patterns of a LIST
}

// hierarchy is entries in the order of a tree: each before those below it, which
// follow it without another between them.
type hierarchy []entry

// newHierarchy puts names together. Those of mailboxes exist, those of subscribed
// need not.
func newHierarchy(mailboxes, subscribed []string) hierarchy {
	h := make(hierarchy, 0, len(mailboxes)+len(subscribed))
	for _, name := range mailboxes {
		h = append(h, entry{name: name, exists: true})
	}
	for _, name := range subscribed {
		h = append(h, entry{name: name, subscribed: true})
	}
	slices.SortFunc(h, func(a, b entry) int { return compareNames(a.name, b.name) })
	return h.merge()
}

// merge makes one entry of those with one name.
func (h hierarchy) merge() hierarchy {
	out := h[:0]
	for _, e := range h {
		if n := len(out); n > 0 && out[n-1].name == e.name {
			out[n-1].exists = out[n-1].exists || e.exists
			out[n-1].subscribed = out[n-1].subscribed || e.subscribed
			continue
		}
		out = append(out, e)
	}
	return out
}

// compareNames orders names as a tree: the separator comes before all other
// characters, so that nothing comes between a name and those below it.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := a[i], b[i]; x != y {
			switch {
			case x == separator:
				return -1
			case y == separator:
				return 1
			}
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// isBelow reports whether name is below parent, at any depth.
func isBelow(name, parent string) bool {
	return len(name) > len(parent) && name[len(parent)] == separator && name[:len(parent)] == parent
}

// below reports whether some entry below name is one that is asked for. Those
// below name begin at next.
func (h hierarchy) below(next int, name string, is func(e *entry) bool) bool {
	for i := next; i < len(h) && isBelow(h[i].name, name); i++ {
		if is(&h[i]) {
			return true
		}
	}
	return false
}

// has reports whether there is a mailbox of this name.
func (h hierarchy) has(name string) bool {
	i, found := slices.BinarySearchFunc(h, name, func(e entry, name string) int { return compareNames(e.name, name) })
	return found && h[i].exists
}

// missing is the levels above h[i] that are no entries, the highest first. Each is
// told once, for the first entry below it.
func (h hierarchy) missing(i int) iter.Seq[string] {
	name, last := h[i].name, ""
	if i > 0 {
		last = h[i-1].name
	}
	shared := 0
	for shared < min(len(name), len(last)) && name[shared] == last[shared] {
		shared++
	}
	return func(yield func(string) bool) {
		for end := range len(name) {
			// What last is, or is below, was told before.
			seen := end <= shared && (end == len(last) || end < len(last) && last[end] == separator)
			if name[end] == separator && !seen && !yield(name[:end]) {
				return
			}
		}
	}
}

// depth is how many levels a name has.
func depth(name string) int { return 1 + strings.Count(name, maildir.Separator) }
