// Package disktest judges the order in which a program touches the disk.
//
// A Recorder is a disk.FS that notes each step. Crashes takes the steps and
// gives every state in which a power cut may leave the files, on the weakest
// disk that keeps its promises:
//
//   - data of a file is durable once the file was synced; until then any part of
//     it may be missing
//   - each change of a directory's entries is durable once that directory was
//     synced; until then any of them may be missing, in any combination
//   - a rename within one directory is one change; one between two directories
//     is two
//
// A test writes each such World to disk, opens it with the real code and asks:
// is what we said yes to still there, and is nothing there by halves? Real file
// systems lose less than this; what survives here survives on all of them.
//
// Start reading at Judge. Faulty is for the other half: calls that fail.
package disktest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// inode is a file or directory in the model; 0 is none.
type inode int

// Recorder does everything on the real file system, except that it does not
// wait for the disk, and notes it. What lies under its root when it is made
// counts as durable. It may be used by several goroutines at once.
type Recorder struct {
	mu     sync.Mutex
	root   string
	trace  Trace
	inodes map[key]inode              // of directories, by what the kernel calls them
	live   map[inode]map[string]inode // the entries as programs see them
}

// key is the kernel's identity of a directory.
type key struct{ dev, ino uint64 }

var _ disk.FS = (*Recorder)(nil)

// Record makes a Recorder for the tree under root, which must exist.
func Record(t testing.TB, root string) *Recorder {
	t.Helper()
	r := &Recorder{root: root, inodes: map[key]inode{}, live: map[inode]map[string]inode{}}
	r.trace.base = map[inode]*node{}
	if _, err := r.snapshot(root); err != nil {
		t.Fatalf("record %s: %v", root, err)
	}
	return r
}

// snapshot takes up what is there already. Hard links become files of their own.
func (r *Recorder) snapshot(path string) (inode, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, err
	}
	id := r.fresh()
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		data, err := os.ReadFile(path)
		r.trace.base[id] = &node{data: data}
		return id, err
	}
	r.adopt(&st, id)
	list, err := os.ReadDir(path)
	for _, e := range list {
		child, err := r.snapshot(filepath.Join(path, e.Name()))
		if err != nil {
			return 0, err
		}
		r.trace.base[id].entries[e.Name()] = child
		r.live[id][e.Name()] = child
	}
	return id, err
}

func (r *Recorder) fresh() inode {
	r.trace.inodes++
	return r.trace.inodes
}

// adopt makes id the model of an empty directory.
func (r *Recorder) adopt(st *unix.Stat_t, id inode) {
	r.inodes[key{uint64(st.Dev), st.Ino}] = id
	r.live[id] = map[string]inode{}
	r.trace.base[id] = &node{entries: map[string]inode{}}
}

// Ack notes that the program says yes at this point. A World after it has
// Acked(what).
func (r *Recorder) Ack(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(op{ack: what, text: "yes to " + what})
}

// Trace is the steps so far.
func (r *Recorder) Trace() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trace
	t.base, t.ops = maps.Clone(t.base), slices.Clone(t.ops)
	return t
}

func (r *Recorder) note(o op) { r.trace.ops = append(r.trace.ops, o) }

// dir is the model's directory for d, or 0 if it is not below the root.
func (r *Recorder) dir(d *disk.Dir) inode {
	var st unix.Stat_t
	if unix.Fstat(d.Fd(), &st) != nil {
		return 0
	}
	return r.inodes[key{uint64(st.Dev), st.Ino}]
}

// change notes changes of one directory that happen together.
func (r *Recorder) change(d *disk.Dir, text string, changes ...change) {
	id := r.dir(d)
	if id == 0 {
		panic(fmt.Sprintf("disktest: %s outside %s", text, r.root))
	}
	for _, c := range changes {
		c.apply(r.live[id])
	}
	r.note(op{dir: id, changes: changes, text: text})
}

// Mkdir implements disk.FS.
func (r *Recorder) Mkdir(d *disk.Dir, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := disk.OS.Mkdir(d, name); err != nil {
		return err
	}
	made, err := d.OpenDir(name)
	if err != nil {
		return err
	}
	defer made.Close()
	var st unix.Stat_t
	if err := unix.Fstat(made.Fd(), &st); err != nil {
		return err
	}
	id := r.fresh()
	r.adopt(&st, id)
	r.change(d, "mkdir "+r.path(d, name), change{name, id})
	return nil
}

// Create implements disk.FS.
func (r *Recorder) Create(d *disk.Dir, name string) (disk.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := disk.OS.Create(d, name)
	if err != nil {
		return nil, err
	}
	id := r.fresh()
	r.trace.base[id] = &node{}
	r.change(d, "create "+r.path(d, name), change{name, id})
	return &file{File: f, r: r, id: id, path: r.path(d, name)}, nil
}

// Append implements disk.FS.
func (r *Recorder) Append(d *disk.Dir, name string) (disk.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := disk.OS.Append(d, name)
	if err != nil {
		return nil, err
	}
	return &file{File: f, r: r, id: r.live[r.dir(d)][name], path: r.path(d, name)}, nil
}

// Touch implements disk.FS. Worlds have no times.
func (r *Recorder) Touch(d *disk.Dir, name string, t time.Time) error {
	return disk.OS.Touch(d, name, t)
}

// Link implements disk.FS.
func (r *Recorder) Link(from *disk.Dir, old string, to *disk.Dir, new string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := disk.OS.Link(from, old, to, new); err != nil {
		return err
	}
	id := r.live[r.dir(from)][old]
	r.change(to, "link "+r.path(from, old)+" to "+r.path(to, new), change{new, id})
	return nil
}

// Rename implements disk.FS.
func (r *Recorder) Rename(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return r.rename(disk.OS.Rename, from, old, to, new)
}

// RenameNew implements disk.FS.
func (r *Recorder) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return r.rename(disk.OS.RenameNew, from, old, to, new)
}

type renamer func(from *disk.Dir, old string, to *disk.Dir, new string) error

func (r *Recorder) rename(do renamer, from *disk.Dir, old string, to *disk.Dir, new string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := do(from, old, to, new); err != nil {
		return err
	}
	id := r.live[r.dir(from)][old]
	text := "rename " + r.path(from, old) + " to " + r.path(to, new)
	if r.dir(from) == r.dir(to) {
		r.change(to, text, change{old, 0}, change{new, id})
		return nil
	}
	r.change(to, text+" (new name)", change{new, id})
	r.change(from, text+" (old name)", change{old, 0})
	return nil
}

// Remove implements disk.FS.
func (r *Recorder) Remove(d *disk.Dir, name string) error {
	return r.remove(disk.OS.Remove, d, name)
}

// RemoveDir implements disk.FS.
func (r *Recorder) RemoveDir(d *disk.Dir, name string) error {
	return r.remove(disk.OS.RemoveDir, d, name)
}

func (r *Recorder) remove(do func(*disk.Dir, string) error, d *disk.Dir, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := do(d, name); err != nil {
		return err
	}
	r.change(d, "remove "+r.path(d, name), change{name, 0})
	return nil
}

// SyncDir implements disk.FS. A directory outside the root is none of ours.
func (r *Recorder) SyncDir(d *disk.Dir) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id := r.dir(d); id != 0 {
		r.note(op{dir: id, sync: true, text: "sync " + r.path(d, "")})
	}
	return nil
}

// path is a name for people, relative to the root.
func (r *Recorder) path(d *disk.Dir, name string) string {
	path := filepath.Join(d.Path(), name)
	if rel, err := filepath.Rel(r.root, path); err == nil {
		return rel
	}
	return path
}

// file notes what is written into a file.
type file struct {
	disk.File
	r    *Recorder
	id   inode
	path string
}

func (f *file) Write(p []byte) (int, error) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	n, err := f.File.Write(p)
	f.r.note(op{file: f.id, data: append([]byte(nil), p[:n]...), text: fmt.Sprintf("write %d bytes to %s", n, f.path)})
	return n, err
}

func (f *file) Sync() error {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	f.r.note(op{file: f.id, sync: true, text: "sync " + f.path})
	return nil
}
