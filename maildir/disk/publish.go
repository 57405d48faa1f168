package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrNotRegular is the error for a name that is a FIFO, a device, a directory
// or a symbolic link where a file of mail belongs.
var ErrNotRegular = errors.New("not a regular file")

// Publish gives the file tmp/name, which the caller has written, synced and
// closed, its final name in the directory to, and returns once that name
// survives a power cut. The order is the durability contract:
//
//  1. link tmp/name to to/final
//  2. sync the directory to
//  3. remove tmp/name (not synced: a leftover in tmp is debris, not a loss)
//
// A crash between 1 and 2 leaves the file under its final name or not at all,
// whole in both cases. If final is taken by another file, the error is
// fs.ErrExist and nothing has changed; if it is taken by this very file, an
// earlier try has published it and Publish goes on from step 2.
func Publish(f FS, tmp *Dir, name string, to *Dir, final string) error {
	if err := link(f, tmp, name, to, final); err != nil {
		return err
	}
	if err := f.SyncDir(to); err != nil {
		return err
	}
	f.Remove(tmp, name) // debris at worst
	return nil
}

// link is the first step of Publish with what file systems add to it.
func link(f FS, tmp *Dir, name string, to *Dir, final string) error {
	err := f.Link(tmp, name, to, final)
	switch {
	case err == nil:
		return nil
	case noHardLinks(err):
		// FAT and several FUSE file systems. The rename must not replace, and
		// both directories have changed.
		if err := f.RenameNew(tmp, name, to, final); err != nil {
			return err
		}
		return f.SyncDir(tmp)
	case sameFile(tmp, name, to, final):
		// An NFS server did the link and lost the answer, or we crashed here
		// once before.
		return nil
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("publish %s: %w", to.join(final), fs.ErrExist)
	}
	return err
}

func noHardLinks(err error) bool {
	for _, e := range []unix.Errno{unix.EXDEV, unix.EPERM, unix.EMLINK, unix.EOPNOTSUPP, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func sameFile(a *Dir, aname string, b *Dir, bname string) bool {
	x, err := a.Stat(aname)
	if err != nil {
		return false
	}
	y, err := b.Stat(bname)
	return err == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// Shared returns f with calls of SyncDir for the same Dir shared: all who ask
// while one sync runs wait for the next, which covers them all. A disk does
// about one small sync a millisecond, so this is what lets one process deliver
// many messages at a time.
func Shared(f FS) FS {
	return &shared{FS: f, dirs: map[*Dir]*syncs{}}
}

type shared struct {
	FS
	mu   sync.Mutex
	dirs map[*Dir]*syncs
}

// syncs is the state of one directory: the sync that runs, and the one that
// will run after it with those who came meanwhile.
type syncs struct {
	running bool
	next    *round
}

type round struct {
	done chan struct{}
	err  error
}

func (s *shared) SyncDir(d *Dir) error {
	s.mu.Lock()
	q := s.dirs[d]
	if q == nil {
		q = &syncs{}
		s.dirs[d] = q
	}
	if q.next != nil { // somebody already leads the next round: join it
		r := q.next
		s.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &round{done: make(chan struct{})}
	if q.running {
		q.next = r
		s.mu.Unlock()
		<-r.done
		return r.err
	}
	q.running = true
	s.mu.Unlock()
	err := s.FS.SyncDir(d)
	s.finish(d, q)
	return err
}

// finish runs the rounds that gathered meanwhile, in the goroutine that led the
// round before: one sync at a time per directory, and nobody waits for more
// than two.
func (s *shared) finish(d *Dir, q *syncs) {
	s.mu.Lock()
	r := q.next
	q.next = nil
	if r == nil {
		q.running = false
		delete(s.dirs, d)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	go func() {
		r.err = s.FS.SyncDir(d)
		close(r.done)
		s.finish(d, q)
	}()
}
