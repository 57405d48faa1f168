package main

import (
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/ucspi"
)

// A process that waits for another connection is kept so long, and so many of
// them: a burst is served by the processes of the last one, and a quiet night
// costs nothing.
const (
	restFor = 20 * time.Second
	maxRest = 16
)

// worker is one program at work, or at rest until there is a connection for it.
type worker struct {
	pid    int
	busy   bool
	served int // connections, this one included

	// Of the connection, while busy.
	host  netip.Prefix
	peer  string
	start time.Time

	// next is our end of what ucspi.Next has the other of; nil if the program
	// serves one connection only.
	next *os.File
}

// newNext makes the two ends of a worker's socket, or none if each process is
// for one connection.
func (s *server) newNext() (ours, theirs *os.File, err error) {
	if s.perProcess <= 1 {
		return nil, nil, nil
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	// Ours goes into the poller, so that waiting takes no thread.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "next"), os.NewFile(uintptr(fds[1]), "next"), nil
}

// begin notes the connection that a worker serves.
func (w *worker) begin(p peer, host netip.Prefix, now time.Time) {
	w.busy, w.host, w.peer, w.start = true, host, p.String(), now
	w.served++
}

// handOver gives a connection to a worker at rest, the one that came to rest
// last, whose memory is warm. It reports false if there is none that takes it:
// one that has died meanwhile does not. The lock is held until the connection is
// given, so that whose it is when a worker dies is never in doubt.
func (s *server) handOver(fd int, p peer, n int, host netip.Prefix) (pid int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.resting) > 0 {
		w := s.resting[len(s.resting)-1]
		s.resting = s.resting[:len(s.resting)-1]
		if w.send(fd, p.environ(n)) == nil {
			w.next.SetReadDeadline(time.Time{})
			w.begin(p, host, s.now())
			return w.pid, true
		}
		w.next.Close()
	}
	return 0, false
}

func (w *worker) send(fd int, env []string) error {
	raw, err := w.next.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(next uintptr) { sent = ucspi.SendNext(int(next), fd, env) })
	if err == nil {
		err = sent
	}
	return err
}

// attend hears from a worker each time that it is done with a connection, until
// it ends or has nothing to wait for.
func (s *server) attend(w *worker) {
	defer w.next.Close()
	var word [1]byte
	for {
		n, err := w.next.Read(word[:])
		switch {
		case n > 0:
			if !s.rest(w) {
				return
			}
		case os.IsTimeout(err) && !s.dismiss(w):
			// It was given a connection at that moment.
		default:
			return
		}
	}
}

// rest takes the connection that a worker is done with out of the counts. The
// worker waits for another unless it has served enough, enough others wait, or
// we stop.
func (s *server) rest(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.busy || s.running[w.pid] != w {
		return false
	}
	s.count.add(&s.count.ended)
	s.endedVerbose(w, 0, s.now().Sub(w.start))
	s.forget(w.host)
	w.busy = false
	if s.stopping || w.served >= s.perProcess || len(s.resting) >= maxRest {
		return false
	}
	w.next.SetReadDeadline(time.Now().Add(restFor))
	s.resting = append(s.resting, w)
	return true
}

// dismiss takes a worker from those at rest and reports whether it was there.
func (s *server) dismiss(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unrest(w)
}

func (s *server) unrest(w *worker) bool {
	for i, r := range s.resting {
		if r == w {
			s.resting = append(s.resting[:i], s.resting[i+1:]...)
			return true
		}
	}
	return false
}

// restNoMore ends the workers that wait, and lets none wait from now on.
func (s *server) restNoMore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for _, w := range s.resting {
		w.next.Close()
	}
	s.resting = nil
}
