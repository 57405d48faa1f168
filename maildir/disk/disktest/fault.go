package disktest

import (
	"sync"
	"time"

	"rohrpost/maildir/disk"
)

// Faulty is an FS of which one call fails. Calls are counted from 1, those of
// files among them. It may be used by several goroutines at once.
type Faulty struct {
	FS  disk.FS
	Op  string // count only these: "create", "write", "link" …; all if empty
	At  int    // which call fails; 0 for none
	Err error  // with what

	// Done does the call all the same, and only then says it failed: the lost
	// answer of a file server.
	Done bool

	mu    sync.Mutex
	calls int
}

var _ disk.FS = (*Faulty)(nil)

// Calls is the number of calls so far, of those that count.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Hit reports whether the fault has happened.
func (f *Faulty) Hit() bool { return f.At > 0 && f.Calls() >= f.At }

// call does one call, or fails.
func (f *Faulty) call(op string, do func() error) error {
	f.mu.Lock()
	hit := false
	if f.Op == "" || f.Op == op {
		f.calls++
		hit = f.calls == f.At
	}
	f.mu.Unlock()
	if !hit {
		return do()
	}
	if f.Done {
		do()
	}
	return f.Err
}

// Mkdir implements disk.FS.
func (f *Faulty) Mkdir(d *disk.Dir, name string) error {
	return f.call("mkdir", func() error { return f.FS.Mkdir(d, name) })
}

// Create implements disk.FS.
func (f *Faulty) Create(d *disk.Dir, name string) (disk.File, error) {
	return f.open("create", func() (disk.File, error) { return f.FS.Create(d, name) })
}

// Append implements disk.FS.
func (f *Faulty) Append(d *disk.Dir, name string) (disk.File, error) {
	return f.open("append", func() (disk.File, error) { return f.FS.Append(d, name) })
}

// Touch implements disk.FS.
func (f *Faulty) Touch(d *disk.Dir, name string, t time.Time) error {
	return f.call("touch", func() error { return f.FS.Touch(d, name, t) })
}

func (f *Faulty) open(op string, do func() (disk.File, error)) (disk.File, error) {
	var file disk.File
	err := f.call(op, func() (err error) {
		file, err = do()
		return err
	})
	if err != nil {
		if file != nil {
			file.Close()
		}
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

// Link implements disk.FS.
func (f *Faulty) Link(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return f.call("link", func() error { return f.FS.Link(from, old, to, new) })
}

// Rename implements disk.FS.
func (f *Faulty) Rename(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return f.call("rename", func() error { return f.FS.Rename(from, old, to, new) })
}

// RenameNew implements disk.FS.
func (f *Faulty) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	return f.call("renamenew", func() error { return f.FS.RenameNew(from, old, to, new) })
}

// Remove implements disk.FS.
func (f *Faulty) Remove(d *disk.Dir, name string) error {
	return f.call("remove", func() error { return f.FS.Remove(d, name) })
}

// RemoveDir implements disk.FS.
func (f *Faulty) RemoveDir(d *disk.Dir, name string) error {
	return f.call("removedir", func() error { return f.FS.RemoveDir(d, name) })
}

// SyncDir implements disk.FS.
func (f *Faulty) SyncDir(d *disk.Dir) error {
	return f.call("syncdir", func() error { return f.FS.SyncDir(d) })
}

type faultyFile struct {
	disk.File
	fs *Faulty
}

// Write fails after half of p if it fails: a disk is full in the middle.
func (f *faultyFile) Write(p []byte) (n int, err error) {
	err = f.fs.call("write", func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	if err != nil && n == 0 {
		n, _ = f.File.Write(p[:len(p)/2])
	}
	return n, err
}

func (f *faultyFile) Sync() error { return f.fs.call("sync", f.File.Sync) }

// Close closes in any case: a descriptor is never left open.
func (f *faultyFile) Close() error {
	closed := false
	err := f.fs.call("close", func() error {
		closed = true
		return f.File.Close()
	})
	if !closed {
		f.File.Close()
	}
	return err
}
