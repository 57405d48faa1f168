package main

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/maillog"
)

// backoff is the wait of a loop that meets the same trouble again and again.
type backoff struct{ wait time.Duration }

const (
	firstWait = 10 * time.Millisecond
	lastWait  = time.Second
)

func (b *backoff) sleep() {
	b.wait = min(max(firstWait, 2*b.wait), lastWait)
	time.Sleep(b.wait)
}

func (b *backoff) reset() { b.wait = 0 }

// spare is a descriptor held for the time when there are no others: given up
// for a moment, it lets us take a connection off the queue and refuse it, where
// it would hang otherwise and the socket would stay readable for ever.
type spare struct {
	mu sync.Mutex
	fd int
}

// hold takes the descriptor.
func (s *spare) hold() error {
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	s.fd = fd
	return err
}

// turnAway refuses the next connection of a socket.
func (s *spare) turnAway(socket int, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		if err := s.hold(); err != nil {
			return err
		}
	}
	unix.Close(s.fd)
	defer s.hold()
	fd, _, err := unix.Accept4(socket, unix.SOCK_CLOEXEC)
	if err != nil {
		return err
	}
	sayLast(fd, text)
	return unix.Close(fd)
}

// threads is how many threads we start with. The runtime starts them as it needs
// them, and it dies if the kernel refuses one: when RLIMIT_NPROC is full of our
// own sessions, which is no reason to stop listening. What can block here is the
// wait for programs and one fork for each accept loop; a thread that was started
// once is kept.
const threads = 12

// startThreads makes the runtime start them now.
func startThreads() {
	var started, done sync.WaitGroup
	started.Add(threads)
	for range threads {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			started.Done()
			started.Wait() // holds the thread until all have one
		})
	}
	done.Wait()
}

// pace lets one log line a second through and counts the others: a flood of
// connections must not become a flood of lines.
type pace struct {
	now func() time.Time

	mu      sync.Mutex
	next    time.Time
	skipped int
}

// event logs, or counts. The next line says how many were not written.
func (p *pace) event(log *maillog.Logger, event string, pairs ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Before(p.next) {
		p.skipped++
		return
	}
	if p.skipped > 0 {
		pairs = append(pairs, "skipped", p.skipped)
	}
	p.next, p.skipped = now.Add(time.Second), 0
	log.Event(event, pairs...)
}
