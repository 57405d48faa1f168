//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A scenario is one program at one task.
type scenario struct {
	name string
	// make makes what the scenario needs in an empty directory, once for each
	// worker.
	make func(dir string) (*instance, error)
}

// An instance is a scenario ready to run again and again.
type instance struct {
	command command
	reset   func() error              // brings the world back to the beginning
	judge   func(o outcome) error     // is what the run left as promised?
	cut     func(mode cutMode) *fault // a power cut, where the world can have one
}

// A count is what a campaign came to.
type count struct {
	points            int // calls of the longest run
	runs, struck, bad int
	took              time.Duration
}

// campaign lets a fault strike at every stride-th point of a scenario, and says
// on standard output where it left what it must not.
type campaign struct {
	scenario scenario
	fault    fault
	mode     cutMode // for power cuts
	set      map[uint64]call
	stride   int
	workers  int

	next   atomic.Int64
	over   atomic.Bool
	mu     sync.Mutex
	missed int // runs in a row that ended before their point
	count
}

// allMissed ends a campaign: the number of points varies from run to run, so one
// miss does not mean that there are no more: relay and deliver run at the same time,
// and how often one waits for the other is chance.
const allMissed = 40

// maxShown bounds the violations printed for one campaign; all are counted.
const maxShown = 10

func (c *campaign) run(dir string) (count, error) {
	start := time.Now()
	errs := make([]error, c.workers)
	var wg sync.WaitGroup
	for w := range c.workers {
		wg.Go(func() { errs[w] = c.work(filepath.Join(dir, fmt.Sprint(w))) })
	}
	wg.Wait()
	c.took = time.Since(start)
	return c.count, errors.Join(errs...)
}

// work is one worker: it begins with a clean run, then takes point after point.
func (c *campaign) work(dir string) error {
	// What is traced, and whom to wait for, belongs to the thread: it must be
	// this worker's alone, and never come back to a pool that others fork from.
	runtime.LockOSThread()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	in, err := c.scenario.make(filepath.Join(dir, "world"))
	if err != nil {
		return err
	}
	t := &tracer{set: c.set, dir: dir}
	clean, err := c.once(t, in, nil, 0)
	if err == nil && (clean.timedOut || clean.code != 0) {
		err = fmt.Errorf("ended with %d", clean.code)
	}
	if err == nil {
		err = in.judge(clean)
	}
	if err != nil {
		return fmt.Errorf("%s: run without a fault: %w\n%s", c.scenario.name, err, clean.stderr)
	}
	f := c.fault
	if c.mode != noCut {
		f = *in.cut(c.mode)
		f.after = c.fault.after
	}
	for !c.over.Load() {
		point := int(c.next.Add(1)-1)*c.stride + 1
		o, err := c.once(t, in, &f, point)
		if err != nil {
			return err
		}
		c.note(point, f, o, in.judge(o))
	}
	return nil
}

func (c *campaign) once(t *tracer, in *instance, f *fault, point int) (outcome, error) {
	if err := in.reset(); err != nil {
		return outcome{}, fmt.Errorf("%s: reset: %w", c.scenario.name, err)
	}
	return t.run(in.command, f, point)
}

// note counts a run and tells of a violation.
func (c *campaign) note(point int, f fault, o outcome, verdict error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	c.points = max(c.points, o.points)
	c.missed++
	if o.struck {
		c.struck++
		c.missed = 0
	}
	if c.missed >= allMissed {
		c.over.Store(true)
	}
	if o.timedOut {
		verdict = errors.Join(fmt.Errorf("no end within %v", limit), verdict)
	}
	if verdict == nil {
		return
	}
	if c.bad++; c.bad <= maxShown {
		fmt.Printf("VIOLATION %s, %s, point %d, %s, exit %d: %v\n", c.scenario.name, f, point, o.what, o.code, verdict)
		if len(o.stderr) > 0 {
			fmt.Printf("    %s\n", o.stderr[:min(len(o.stderr), 3000)])
		}
	}
}
