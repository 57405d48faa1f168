package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/maillog"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/client"
)

// Waits between two starts of deliver, if it keeps ending.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = time.Minute
)

// pipeSize is how much may be on its way to deliver, in bytes, so that several
// messages leave without waiting. The kernel may allow less.
const pipeSize = 1 << 20

// errStopping is a hand-over that came too late.
var errStopping = errors.New("relay is stopping")

// courier keeps one deliver --lmtp running and hands messages to it. When it
// dies, it is started again, with growing pauses.
type courier struct {
	argv     []string
	me       string
	patience time.Duration
	log      *maillog.Logger

	mu      sync.Mutex
	session *session      // nil while none runs
	pause   time.Duration // before the next start

	stop   context.Context // done when no more are to be started
	halted context.CancelFunc
}

// session is one run of deliver.
type session struct {
	conn *client.Conn
	cmd  *exec.Cmd
	to   *os.File // its standard input
	from *os.File // its standard output
}

func newCourier(argv []string, s settings, log *maillog.Logger) *courier {
	stop, halted := context.WithCancel(context.Background())
	return &courier{argv: argv, me: s.me, patience: s.patience, log: log, stop: stop, halted: halted}
}

// halt lets no deliver start any more. One that runs is not touched.
func (c *courier) halt() { c.halted() }

// send hands one message over and waits for the verdicts. An error means that
// there is none, so the message may have been stored or not.
func (c *courier) send(t client.Transaction) ([]smtp.Reply, error) {
	s, err := c.running()
	if err != nil {
		return nil, err
	}
	replies, err := s.conn.Send(t)
	if err == nil {
		c.calm()
	}
	return replies, err
}

// calm ends the pauses: deliver works.
func (c *courier) calm() {
	c.mu.Lock()
	c.pause = 0
	c.mu.Unlock()
}

// running is the session, started if there is none. While somebody starts one,
// all others wait: mail that waits here keeps its place in the schedule.
func (c *courier) running() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.session; s != nil {
		select {
		case <-s.conn.Done():
			c.end(s)
		default:
			return s, nil
		}
	}
	if err := c.wait(); err != nil {
		return nil, err
	}
	s, err := c.start()
	if err != nil {
		c.log.Event("deliver-failed", "program", c.argv[0], "err", err)
		return nil, err
	}
	c.session = s
	return s, nil
}

// wait lets the pause pass, and makes the next one longer.
func (c *courier) wait() error {
	timer := time.NewTimer(c.pause)
	defer timer.Stop()
	select {
	case <-c.stop.Done():
	case <-timer.C:
	}
	if c.stop.Err() != nil {
		return errStopping
	}
	c.pause = min(max(2*c.pause, firstPause), lastPause)
	return nil
}

// start starts deliver and says LHLO.
func (c *courier) start() (*session, error) {
	s, err := c.spawn()
	if err != nil {
		return nil, err
	}
	s.conn = client.New(s.from, s.to)
	s.conn.Timeout = c.patience
	if err := s.conn.Hello(c.me); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, s.kill())
	}
	return s, nil
}

// spawn starts deliver on two pipes.
func (c *courier) spawn() (*session, error) {
	childIn, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// The child's ends must be closed here, or its end would go unnoticed.
	defer childIn.Close()
	from, childOut, err := os.Pipe()
	if err != nil {
		to.Close()
		return nil, err
	}
	defer childOut.Close()
	growPipe(to)
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = childIn, childOut, os.Stderr
	// A Ctrl-C at the terminal is for relay, which ends deliver in order.
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		to.Close()
		from.Close()
		return nil, err
	}
	return &session{cmd: cmd, to: to, from: from}, nil
}

func growPipe(f *os.File) {
	raw, err := f.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}

// end reaps a session that is over.
func (c *courier) end(s *session) {
	c.session = nil
	c.log.Event("deliver-ended", "status", s.kill(), "err", s.conn.Err())
}

// kill makes sure that a run is over and says how it ended.
func (s *session) kill() string {
	s.cmd.Process.Kill()
	s.to.Close()
	s.from.Close()
	s.cmd.Wait()
	return s.cmd.ProcessState.String()
}

// close lets deliver finish, and ends.
func (c *courier) close() {
	c.halt()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	if s == nil {
		return
	}
	if s.conn.Quit() == nil {
		<-s.conn.Done()
	}
	if s.conn.Err() != nil {
		c.end(s)
		return
	}
	s.to.Close()
	s.cmd.Wait()
	s.from.Close()
}
