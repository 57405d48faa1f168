package server

import (
	"slices"
	"strings"
	"testing"
)

func TestHierarchyHasParentsBeforeChildren(t *testing.T) {
	h := newHierarchy([]string{"a-b", "a.b", "a", "INBOX", "ab", "a.b.c"}, []string{"a.b", "a.a", "z.y"})
	var got []string
	for _, e := range h {
		mark := ""
		if e.exists {
			mark += "+"
		}
		if e.subscribed {
			mark += "!"
		}
		got = append(got, mark+e.name)
	}
	want := []string{"+INBOX", "+a", "!a.a", "+!a.b", "+a.b.c", "+a-b", "+ab", "!z.y"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, want := range map[string]bool{"a": true, "a.a": false, "z": false, "a.b.c": true, "": false} {
		if h.has(name) != want {
			t.Errorf("has(%q) is %v", name, !want)
		}
	}
}

// FuzzHierarchy holds that entries and missing levels together are all names with
// all levels above them, each once and after its parent, and that nothing comes
// between a name and those below it.
func FuzzHierarchy(f *testing.F) {
	f.Add("a.b.c\na.b\nx\na-b")
	f.Add("a.b\na.bc\na.b.c.d\nab.c\na")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		want := map[string]bool{}
		var names []string
		for _, name := range strings.Split(text, "\n") {
			if levels := strings.Split(name, "."); slices.Contains(levels, "") {
				continue
			}
			names = append(names, name)
			for i := range len(name) {
				if name[i] == separator {
					want[name[:i]] = true
				}
			}
			want[name] = true
		}
		h := newHierarchy(names, nil)
		seen := map[string]bool{}
		see := func(name string) {
			if i := strings.LastIndexByte(name, separator); i >= 0 && !seen[name[:i]] {
				t.Errorf("%q before its parent", name)
			}
			if seen[name] || !want[name] {
				t.Errorf("%q is there twice, or was made up", name)
			}
			seen[name] = true
		}
		for i := range h {
			for name := range h.missing(i) {
				see(name)
			}
			see(h[i].name)
			inside := true
			for _, e := range h[i+1:] {
				below := isBelow(e.name, h[i].name)
				if below && !inside {
					t.Errorf("%q is not beside %q", e.name, h[i].name)
				}
				inside = inside && below
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%d names of %d", len(seen), len(want))
		}
	})
}
