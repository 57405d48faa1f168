package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/smtp/server"
)

// childLimit is how long a program that judges or queues may take. Clients wait
// ten minutes for the verdict on a message (RFC 5321 section 4.5.3.2.6).
const childLimit = 300 * time.Second

// errLate is a program that was killed because it took too long.
var errLate = errors.New("took too long and was killed")

// child is a running program of the administrator's choice. It is started by
// argv, never by a shell, so nothing that a client says is ever parsed by one.
type child struct {
	name string
	cmd  *exec.Cmd
	kill *time.Timer
	late chan struct{}
}

// startChild starts a program with these files as its descriptors 0, 1, 3 and
// up; nil is the null device. Descriptor 2 is our log. It may run for limit.
func startChild(argv, env []string, limit time.Duration, in, out *os.File, more ...*os.File) (*child, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = more
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if in != nil {
		cmd.Stdin = in
	}
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	c := &child{name: argv[0], cmd: cmd, late: make(chan struct{})}
	c.kill = time.AfterFunc(limit, func() {
		close(c.late)
		c.end()
	})
	return c, nil
}

// end kills the program and what it started.
func (c *child) end() { unix.Kill(-c.cmd.Process.Pid, unix.SIGKILL) }

// wait waits for the program and returns its exit code. A program that did not
// exit by itself has none.
func (c *child) wait() (code int, err error) {
	err = c.cmd.Wait()
	c.kill.Stop()
	select {
	case <-c.late:
		return -1, fmt.Errorf("%s %w", c.name, errLate)
	default:
	}
	if c.cmd.ProcessState == nil {
		return -1, fmt.Errorf("%s: %w", c.name, err)
	}
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -1, fmt.Errorf("%s was killed by signal %d", c.name, ws.Signal())
	}
	return c.cmd.ProcessState.ExitCode(), nil
}

// environ is the environment for a program that judges: ours, the peer in UCSPI's
// words also where nobody set them, and the envelope so far.
func (b *backend) environ(m *server.Mail, more ...string) []string {
	env := append(os.Environ(), b.peer.Environ()...)
	env = append(env, "SENDER="+m.From.String(), "SMTPHELO="+m.Client.Helo)
	if m.Client.Login != "" {
		env = append(env, "SMTPLOGIN="+m.Client.Login)
	}
	return append(env, more...)
}
