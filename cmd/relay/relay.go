package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/route"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// relay is the program at work. One goroutine, the loop, owns the table; each
// job has one of its own.
type relay struct {
	options options
	etc     control.Dir
	q       *queue.Queue
	courier *courier
	log     *maillog.Logger
	config  atomic.Pointer[config]

	table   *table
	refused map[string]bool // names in the drop, and strangers in the queue
	jobs    int             // that are running
	results chan result
	// broken is why nothing more is sent: a result could not be recorded.
	broken   error
	stopping bool
}

// config is what SIGHUP reads again.
type config struct {
	settings
	routes *route.Table
}

// open reads the configuration and opens the queue.
func open(o options) (*relay, error) {
	r := &relay{options: o, etc: control.Open(o.etc), log: maillog.New("relay"),
		table: newTable(), refused: map[string]bool{}, results: make(chan result, maxLocal)}
	if err := r.configure(); err != nil {
		return nil, err
	}
	path, err := r.etc.Queue(o.queue)
	if err != nil {
		return nil, misuse(err)
	}
	if r.q, err = openQueue(path, !o.once); err != nil {
		return nil, err
	}
	deliver, err := frame.Libexec("deliver")
	if err != nil {
		return nil, misuse(err)
	}
	argv := []string{deliver, "--lmtp", "--etc", r.etc.Path}
	if o.mail != "" {
		argv = append(argv, "--mail", o.mail)
	}
	r.courier = newCourier(argv, r.config.Load().settings, r.log)
	return r, nil
}

// openQueue opens the queue, and makes it if relay is here to stay. A single
// pass over a queue that is not there is a slip of who wrote its name.
func openQueue(path string, stay bool) (*queue.Queue, error) {
	shared := disk.Shared(disk.OS)
	if !stay {
		q, err := queue.Open(path, shared)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; relay without --once makes a queue, and --queue names another", err)
		}
		return q, err
	}
	q, err := queue.Create(path, shared)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; make the directory above it, for the mail user, or name another queue by --queue", err)
	}
	return q, err
}

// configure reads the control files.
func (r *relay) configure() error {
	s, err := load(r.etc)
	if err != nil {
		return err
	}
	routes, err := route.Load(r.etc, r.options.mail)
	if err != nil {
		return misuse(err)
	}
	r.config.Store(&config{s, routes})
	return nil
}

func (r *relay) close() { r.q.Close() }

// run works the queue until it is told to stop, or with --once until everything
// has been tried.
func (r *relay) run() error {
	if os.Getenv("GOMAXPROCS") == "" {
		// The work is system calls, in short bits: to hand them from thread to
		// thread costs more than a second processor gains.
		runtime.GOMAXPROCS(1)
	}
	// Before anything is sent: can results be recorded?
	if err := r.q.Probe(); err != nil {
		return fmt.Errorf("queue %s cannot be written, so nothing is sent: %w", r.q.Path(), err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGALRM)
	w := r.watch()
	defer w.close()
	if err := r.scan(); err != nil {
		return err
	}
	r.sweep()
	r.takeDrop(true)
	if r.options.once {
		r.table.hurry(time.Now())
	}
	r.loop(w, signals)
	r.courier.close()
	return r.broken
}

func (r *relay) watch() *watcher {
	w, err := watch(r.q)
	if err != nil {
		r.log.Event("watch-failed", "err", err, "instead", "looking each second")
	}
	return w
}

// loop is the one goroutine that decides.
func (r *relay) loop(w *watcher, signals <-chan os.Signal) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.startJobs()
		if r.jobs == 0 && (r.stopping || r.options.once && !r.anythingDue()) {
			return
		}
		r.setTimer(timer)
		select {
		case n := <-w.news:
			r.hear(n)
		case res := <-r.results:
			r.finish(res)
		case s := <-signals:
			r.obey(s)
		case <-timer.C:
		}
	}
}

// startJobs starts what is due, as far as concurrencylocal allows.
func (r *relay) startJobs() {
	c := r.config.Load()
	for !r.stopping && r.jobs < c.local {
		group := r.table.take(time.Now())
		if group == nil {
			return
		}
		r.jobs++
		j := newJob(r, c, group)
		go j.run()
	}
}

func (r *relay) anythingDue() bool {
	at, ok := r.table.next()
	return ok && !at.After(time.Now()) && r.config.Load().local > 0
}

// setTimer wakes the loop when the next entry is due.
func (r *relay) setTimer(t *time.Timer) {
	if at, ok := r.table.next(); ok && !r.stopping && r.jobs < r.config.Load().local {
		t.Reset(max(time.Until(at), 0))
		return
	}
	t.Stop()
}

// hear takes note of names that appeared.
func (r *relay) hear(n news) {
	if n.entries == nil && !n.drop {
		if err := r.scan(); err != nil {
			r.log.Event("scan-failed", "err", err)
		}
		r.takeDrop(false)
		return
	}
	for _, e := range n.entries {
		r.note(e, false)
	}
	if n.drop {
		r.takeDrop(false)
	}
}

// note puts an entry into the table, due when its name says. A T that no schedule
// makes counts as now, and so does the end of what was cancelled.
func (r *relay) note(e queue.Entry, again bool) {
	at := e.Next
	if now := time.Now(); at.After(now) && (e.Cancelled || queue.Due(at, now, r.config.Load().lifetime)) {
		at = now
	}
	r.table.put(e, at, again || e.Tries > 0)
}

// scan reads the names of the whole queue.
func (r *relay) scan() error {
	l, err := r.q.Scan()
	if err != nil {
		return err
	}
	for _, e := range l.Surplus {
		if err := r.q.Settle(e); err != nil {
			r.log.Event("settle-failed", "q", e.ID, "err", err)
		}
	}
	for _, e := range l.Entries {
		r.note(e, true)
	}
	for _, name := range l.Strangers {
		if !r.refused[name] {
			r.log.Event("stranger", "file", name)
			r.remember(name)
		}
	}
	return nil
}

// sweep removes the debris of crashes, which is a matter of starts.
func (r *relay) sweep() {
	n, err := r.q.Sweep(time.Now())
	if n > 0 || err != nil {
		r.log.Event("swept", "files", n, "err", err)
	}
}

// finish takes note of how a job ended.
func (r *relay) finish(res result) {
	r.jobs--
	for _, end := range res.ends {
		r.table.end(end)
	}
	// What followed from this entry waited for its end.
	for _, e := range res.made {
		r.note(e, false)
	}
	if res.broken != nil && r.broken == nil {
		r.broken = res.broken
		r.stop()
		r.log.Event("stopping", "err", res.broken)
	}
}

// obey does what a signal asks for.
func (r *relay) obey(s os.Signal) {
	switch s {
	case unix.SIGALRM:
		r.table.hurry(time.Now())
	case unix.SIGHUP:
		if err := r.configure(); err != nil {
			r.log.Event("config-bad", "err", err, "instead", "going on with the old one")
		}
	default:
		r.stop()
	}
}

// stop starts nothing more, and lets what is in flight finish.
func (r *relay) stop() {
	r.stopping = true
	r.courier.halt()
}

// recordFailed reports whether an error of the queue means that results cannot
// be recorded at all: a disk that fails or is mounted read-only.
func recordFailed(err error) bool {
	return errors.Is(err, unix.EIO) || errors.Is(err, unix.EROFS)
}
