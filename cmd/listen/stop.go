package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lastGrace is how long sessions have after SIGTERM before they are killed.
const lastGrace = 5 * time.Second

// stop ends the server after the first signal has come: no new connections;
// then the sessions have grace to end by themselves, or less if a second signal
// comes; then SIGTERM, and at last SIGKILL. Mail survives each of these.
func (s *server) stop(all []*listener, grace time.Duration, signals <-chan os.Signal) {
	for _, l := range all {
		l.stop()
	}
	s.restNoMore()
	notifySystemd("STOPPING=1")
	s.log.Event("stopping", "sessions", s.sessions())
	idle := s.idle()
	end := time.After(grace)
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		select {
		case <-idle:
			return
		case <-signals:
		case <-end:
		}
		s.signal(sig)
		end = time.After(lastGrace)
	}
	select {
	case <-idle:
	case <-end:
	}
}

// idle is closed once there is no connection any more, and no program.
func (s *server) idle() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for s.total > 0 || len(s.running) > 0 {
			s.changed.Wait()
		}
		close(c)
	}()
	return c
}

// signal sends a signal to all sessions: SIGTERM to the program alone, which
// may have helpers to end in its order, SIGKILL to its whole group.
func (s *server) signal(sig unix.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.running) > 0 {
		s.log.Event("ending-sessions", "sessions", len(s.running), "signal", sig)
	}
	for pid := range s.running {
		if sig == unix.SIGKILL {
			pid = -pid
		}
		unix.Kill(pid, sig)
	}
}
