package disktest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// World is the files as a power cut left them.
type World struct {
	nodes map[inode]*node
	acks  []string
	lost  []string
	steps []op
}

// root is the inode of the Recorder's root: the first that it met.
const root inode = 1

// Acked reports whether the program had said yes to what (see Recorder.Ack)
// before the power was cut.
func (w *World) Acked(what string) bool { return slices.Contains(w.acks, what) }

// Acks is all that the program had said yes to.
func (w *World) Acks() []string { return w.acks }

// String tells where the power was cut and what was lost.
func (w *World) String() string {
	at := "before the first step"
	if n := len(w.steps); n > 0 {
		at = "after " + w.steps[n-1].text
	}
	if len(w.lost) == 0 {
		return "cut " + at + ", nothing lost"
	}
	return "cut " + at + ", lost: " + strings.Join(w.lost, "; ")
}

// Files is the paths of all files, relative to the root, and their bytes.
func (w *World) Files() map[string][]byte {
	files := map[string][]byte{}
	w.walk(root, "", func(path string, id inode) {
		if n := w.nodes[id]; n.entries == nil {
			files[path] = n.data
		}
	})
	return files
}

// Write makes the world real in the directory dir, which must exist. Names of
// one file are hard links again.
func (w *World) Write(dir string) error {
	at := map[inode]string{}
	var first error
	w.walk(root, dir, func(path string, id inode) {
		if err := w.writeNode(path, id, at); err != nil && first == nil {
			first = err
		}
	})
	return first
}

func (w *World) writeNode(path string, id inode, at map[inode]string) error {
	n := w.nodes[id]
	if n.entries != nil {
		return os.Mkdir(path, 0o700)
	}
	if other, ok := at[id]; ok {
		return os.Link(other, path)
	}
	at[id] = path
	return os.WriteFile(path, n.data, 0o600)
}

// walk visits everything below id, directories before what is in them.
func (w *World) walk(id inode, path string, visit func(path string, id inode)) {
	entries := w.nodes[id].entries
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		child := filepath.Join(path, name)
		visit(child, entries[name])
		w.walk(entries[name], child, visit)
	}
}

// unsynced is the files in this world that have data which is not durable.
func (w *World) unsynced(s *state) []inode {
	var files []inode
	w.walk(root, "", func(_ string, id inode) {
		if len(s.data[id]) > 0 && !slices.Contains(files, id) {
			files = append(files, id)
		}
	})
	return files
}

func (w *World) clone() *World {
	return &World{nodes: maps.Clone(w.nodes), acks: w.acks, lost: slices.Clone(w.lost)}
}

// key is the same for worlds that look alike.
func (w *World) key() (sum [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", w.acks)
	w.walk(root, "", func(path string, id inode) {
		n := w.nodes[id]
		fmt.Fprintf(h, "%q %d %t %d\n", path, id, n.entries != nil, len(n.data))
		h.Write(n.data)
	})
	h.Sum(sum[:0])
	return sum
}

// Memory is a temporary directory in memory where there is such a file system,
// else anywhere. It goes with the test.
func Memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rohrpost-test")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Judge writes each World of the trace below a temporary directory and calls
// judge with it and the path of its root. What judge returns is reported with
// the story of that World. The number of Worlds is returned, so that a test can
// see that it tested something.
func Judge(t testing.TB, trace Trace, judge func(w *World, root string) error) int {
	t.Helper()
	base := Memory(t)
	n := 0
	for w := range Crashes(trace) {
		n++
		dir := filepath.Join(base, "world")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(dir); err != nil {
			t.Fatal(err)
		}
		if err := judge(w, dir); err != nil {
			t.Errorf("%v: %v", w, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
