package main

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/maillog"
	"rohrpost/protocol/ucspi"
)

// server starts a program for each connection.
//
// Invariants:
//  1. A connection is counted, in total and for its host, both or none, from
//     before a program gets it until the program has been waited for or has said
//     that it is done.
//  2. Nothing that a peer does or fails to do makes an accept loop wait.
//  3. A connection that gets no program gets a refusal, or is closed.
type server struct {
	log        *maillog.Logger
	path       string   // the program's file
	argv       []string // its words, the first as it was given
	env        []string // for all connections
	words      words    // of refusals
	limits     limits
	perProcess int // most connections that one process serves
	proxy      trusted
	quiet      *pace // of log lines about refusals
	spare      spare
	now        func() time.Time
	count      counters
	accept     bool // log every connection

	mu       sync.Mutex
	changed  *sync.Cond           // sessions came or went
	total    int                  // connections that are counted
	hosts    map[netip.Prefix]int // of them, by host
	running  map[int]*worker      // by process
	resting  []*worker            // those that wait for a connection
	stopping bool                 // nobody shall wait any more
}

// limits are how many connections there may be at once.
type limits struct {
	total, host  int
	bits4, bits6 int // the prefix that is one host
}

// serve accepts connections on l until it is stopped, and then closes it.
func (s *server) serve(l *listener) error {
	defer l.close()
	var wait backoff
	turnAway := func(socket int) error { return s.spare.turnAway(socket, s.words.busy) }
	for {
		fd, sa, err := l.accept(turnAway)
		switch {
		case err == nil:
			wait.reset()
			s.connection(l, fd, sa)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case temporary(err):
		case exhausted(err):
			s.count.add(&s.count.exhausted)
			s.quiet.event(s.log, "accept-failed", "addr", l.addr, "err", err)
			if !errors.Is(err, errTurnedAway) {
				wait.sleep()
			}
		default:
			return &os.SyscallError{Syscall: "accept at " + l.addr, Err: err}
		}
	}
}

// connection handles one connection up to the start of its program.
func (s *server) connection(l *listener, fd int, sa unix.Sockaddr) {
	s.count.add(&s.count.accepted)
	p := peerOf(l, fd, sa)
	switch {
	case !s.admitTotal():
		s.sayNo(fd, p, reasonTotal)
	case s.proxy.sends(p):
		go s.proxied(fd, p) // the only wait there is before a program
		return
	default:
		s.session(fd, p)
	}
	unix.Close(fd)
}

// session gives a connection that is counted in the total to a program: one that
// waits for it, or a new one. The caller closes fd: the program has its own by
// then.
//
// TLS will sit here, between the peer and the program: for a listener that
// speaks it at once, the program gets one end of a socketpair in place of fd
// and the other end goes with fd to the process that holds the key; for
// STARTTLS the program gets fd and the three descriptors of UCSPI-TLS.
func (s *server) session(fd int, p peer) {
	host := hostOf(p, s.limits.bits4, s.limits.bits6)
	n, ok := s.admitHost(host)
	if !ok {
		s.leave(netip.Prefix{})
		s.sayNo(fd, p, reasonHost)
		return
	}
	pid, ok := s.handOver(fd, p, n, host)
	var err error
	if !ok {
		pid, err = s.spawn(fd, p, n, host)
	}
	if err != nil {
		s.leave(host)
		s.quiet.event(s.log, "start-failed", "peer", p, "program", s.path, "err", err)
		s.sayNo(fd, p, reasonStart)
		return
	}
	if s.accept {
		s.log.Event("accepted", "peer", p, "pid", pid, "sessions", s.sessions())
	}
}

// spawn starts the program with the connection as its descriptors 0 and 1. It
// is a process group of its own: a Ctrl-C at our terminal is for us, who then
// let the sessions end.
func (s *server) spawn(fd int, p peer, n int, host netip.Prefix) (int, error) {
	env := append(s.env[:len(s.env):len(s.env)], p.environ(n)...)
	files := []uintptr{uintptr(fd), uintptr(fd), 2}
	ours, theirs, err := s.newNext()
	if err != nil {
		return 0, err
	}
	if ours != nil {
		defer theirs.Close()
		env = append(env, ucspi.NextSetting(len(files)))
		files = append(files, theirs.Fd())
	}
	w := &worker{next: ours}
	w.begin(p, host, s.now())
	// The lock is held over the fork: the program may end before we know its
	// number, and reap needs to find it.
	s.mu.Lock()
	defer s.mu.Unlock()
	w.pid, err = syscall.ForkExec(s.path, s.argv, &syscall.ProcAttr{
		Env:   env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		ours.Close()
		return 0, err
	}
	s.running[w.pid] = w
	s.changed.Broadcast()
	if ours != nil {
		go s.attend(w)
	}
	return w.pid, nil
}

// admitTotal counts a connection, unless there are too many.
func (s *server) admitTotal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.limits.total {
		return false
	}
	s.total++
	return true
}

// admitHost counts a connection for its host and returns how many it has.
func (s *server) admitHost(host netip.Prefix) (n int, ok bool) {
	if !host.IsValid() {
		return 1, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts[host] >= s.limits.host {
		return 0, false
	}
	s.hosts[host]++
	return s.hosts[host], true
}

// leave takes a connection out of the counts.
func (s *server) leave(host netip.Prefix) {
	s.mu.Lock()
	s.forget(host)
	s.mu.Unlock()
}

// forget is leave for who holds the lock.
func (s *server) forget(host netip.Prefix) {
	s.total--
	if host.IsValid() {
		if s.hosts[host]--; s.hosts[host] == 0 {
			delete(s.hosts, host)
		}
	}
	s.changed.Broadcast()
}

// sessions is how many programs are at work.
func (s *server) sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running) - len(s.resting)
}

// reap waits for programs, for ever. It is the only place that does.
func (s *server) reap() {
	for {
		s.mu.Lock()
		for len(s.running) == 0 {
			s.changed.Wait()
		}
		s.mu.Unlock()
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err == nil {
			s.ended(pid, status)
		}
	}
}

// ended takes a program that is no more out of the counts, and its connection if
// it had one. Children that we inherited from before our own exec are none of
// ours.
func (s *server) ended(pid int, status unix.WaitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.running[pid]
	if w == nil {
		return
	}
	delete(s.running, pid)
	s.unrest(w)
	s.changed.Broadcast()
	if !w.busy {
		return
	}
	s.forget(w.host)
	switch took := s.now().Sub(w.start); {
	case status.Signaled():
		s.count.add(&s.count.killed)
		s.log.Event("session-killed", "peer", w.peer, "pid", pid, "signal", status.Signal(), "duration", took)
	case status.ExitStatus() != 0:
		s.count.add(&s.count.failed)
		s.endedVerbose(w, status.ExitStatus(), took)
	default:
		s.count.add(&s.count.ended)
		s.endedVerbose(w, 0, took)
	}
}

func (s *server) endedVerbose(w *worker, code int, took time.Duration) {
	if s.accept {
		s.log.Event("ended", "peer", w.peer, "pid", w.pid, "code", code, "duration", took)
	}
}
