package disk_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// slow is an FS whose syncs wait for the test.
type slow struct {
	disk.FS
	start chan *disk.Dir // one for each sync that began
	end   chan error     // its result
}

func (s slow) SyncDir(d *disk.Dir) error {
	s.start <- d
	return <-s.end
}

func TestSharedSyncServesAllWhoWaitedForIt(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	s := slow{start: make(chan *disk.Dir), end: make(chan error)}
	f := disk.Shared(s)
	results := make(chan error, 100)
	ask := func() { results <- f.SyncDir(tr.new) }

	go ask()
	<-s.start // the first sync runs, alone
	const late = 50
	for range late {
		go ask()
	}
	s.end <- nil
	must(t, <-results)
	// Those who came while it ran wait for a later one: it cannot cover them.
	for got := 0; got < late; {
		select {
		case <-s.start:
			s.end <- unix.EIO
		case err := <-results:
			got++
			if !errors.Is(err, unix.EIO) {
				t.Errorf("a waiter got %v", err)
			}
		}
	}
}

func TestSharedSyncOfOneDirectoryDoesNotWaitForAnother(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	s := slow{start: make(chan *disk.Dir, 2), end: make(chan error)}
	f := disk.Shared(s)
	var wg sync.WaitGroup
	for _, d := range []*disk.Dir{tr.new, tr.tmp} {
		wg.Go(func() { f.SyncDir(d) })
	}
	if a, b := <-s.start, <-s.start; a == b {
		t.Error("one directory was synced twice, the other never")
	}
	s.end <- nil
	s.end <- nil
	wg.Wait()
}

// counted is an FS that remembers what had been linked when a sync began.
type counted struct {
	disk.FS
	linked  atomic.Int64
	durable atomic.Int64
	syncs   atomic.Int64
}

func (c *counted) Link(from *disk.Dir, old string, to *disk.Dir, new string) error {
	defer c.linked.Add(1)
	return c.FS.Link(from, old, to, new)
}

func (c *counted) SyncDir(d *disk.Dir) error {
	c.syncs.Add(1)
	before := c.linked.Load()
	err := c.FS.SyncDir(d)
	for {
		now := c.durable.Load()
		if now >= before || c.durable.CompareAndSwap(now, before) {
			return err
		}
	}
}

func TestSharedSyncCoversWhatWasLinkedBeforeIt(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	c := &counted{FS: disk.OS}
	f := disk.Shared(c)
	var wg sync.WaitGroup
	const workers, each = 16, 20
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if err := f.Link(tr.tmp, "m", tr.new, fmt.Sprintf("%d.%d", w, i)); err != nil {
					t.Error(err)
					return
				}
				mine := c.linked.Load() // at least ours are in it
				if err := f.SyncDir(tr.new); err != nil {
					t.Error(err)
				}
				if c.durable.Load() < mine {
					t.Error("sync returned before it covered the link")
				}
			}
		})
	}
	wg.Wait()
	if n := c.syncs.Load(); n > workers*each {
		t.Errorf("%d syncs for %d calls", n, workers*each)
	}
}
