package disk

import "sync"

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
