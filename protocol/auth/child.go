package auth

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is one run of a checkpassword program. It works on bare descriptors and
// starts no goroutine, so that a server with a login costs no more memory than
// one without.
type child struct {
	argv    []string
	env     []string
	timeout time.Duration
}

// ask runs the program with the record and returns what login-ok reported.
func (c child) ask(record []byte) (Identity, error) {
	end := time.Now().Add(c.timeout)
	pid, out, err := c.start(record)
	if err != nil {
		return Identity{}, fmt.Errorf("run %s: %w", c.argv[0], err)
	}
	report, readErr := readReport(out, end)
	unix.Close(out)
	if readErr != nil {
		unix.Kill(-pid, unix.SIGKILL)
	}
	status, err := wait(pid, end)
	switch {
	case err != nil:
		return Identity{}, fmt.Errorf("%s: %w", c.argv[0], err)
	case readErr != nil:
		return Identity{}, fmt.Errorf("%s: %w", c.argv[0], readErr)
	case status.Exited() && status.ExitStatus() == 1:
		return Identity{}, ErrRefused
	case status.Signaled():
		return Identity{}, fmt.Errorf("%s was killed by signal %d", c.argv[0], status.Signal())
	case !status.Exited() || status.ExitStatus() != 0:
		return Identity{}, fmt.Errorf("%s exited %d", c.argv[0], status.ExitStatus())
	}
	id, err := ParseReport(report)
	if err != nil {
		return Identity{}, fmt.Errorf("%s exited 0, but: %w", c.argv[0], err)
	}
	return id, nil
}

// start starts the program in a process group of its own and returns the reading
// end of its standard output.
func (c child) start(record []byte) (pid, out int, err error) {
	if len(c.argv) < 2 || c.argv[0] == "" {
		return 0, -1, errors.New("no checkpassword program was given")
	}
	path, err := lookPath(c.argv[0])
	if err != nil {
		return 0, -1, err
	}
	// The record fits into any pipe (PIPE_BUF is 4096), so it can be written
	// before anybody reads, and a program that does not read it disturbs nobody.
	fds, err := openAll(record)
	if err != nil {
		return 0, -1, err
	}
	closeInherited()
	pid, err = syscall.ForkExec(path, c.argv, &syscall.ProcAttr{
		Env:   cleanEnv(c.env),
		Files: []uintptr{uintptr(fds.null), uintptr(fds.out), 2, uintptr(fds.record)},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	unix.Close(fds.null)
	unix.Close(fds.out)
	unix.Close(fds.record)
	if err != nil {
		unix.Close(fds.report)
		return 0, -1, os.NewSyscallError("exec "+path, err)
	}
	return pid, fds.report, nil
}

// descriptors are a child's 0, 1 and 3, and our end of its 1.
type descriptors struct{ null, out, record, report int }

func openAll(record []byte) (d descriptors, err error) {
	var fds []int
	defer func() {
		if err != nil {
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}()
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return d, os.NewSyscallError("open /dev/null", err)
	}
	fds = append(fds, null)
	var rec, rep [2]int
	if err := unix.Pipe2(rec[:], unix.O_CLOEXEC); err != nil {
		return d, os.NewSyscallError("pipe", err)
	}
	fds = append(fds, rec[:]...)
	if err := unix.Pipe2(rep[:], unix.O_CLOEXEC); err != nil {
		return d, os.NewSyscallError("pipe", err)
	}
	fds = append(fds, rep[:]...)
	if _, err := unix.Write(rec[1], record); err != nil {
		return d, os.NewSyscallError("write record", err)
	}
	unix.Close(rec[1])
	return descriptors{null: null, out: rep[1], record: rec[0], report: rep[0]}, nil
}

// closeInherited keeps descriptors that we inherited ourselves, the TLS
// wrapper's control socket before all, from the programs we start. Kernels
// before 5.11 do not know the call; there the named ones are marked.
func closeInherited() {
	if unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	for fd := 3; fd < 256; fd++ {
		unix.CloseOnExec(fd)
	}
}

// handOver are the variables that describe descriptors of ours.
var handOver = []string{"SSLCTLFD=", "SSLREADFD=", "SSLWRITEFD=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES="}

// cleanEnv is env without variables that describe descriptors the program does
// not get.
func cleanEnv(env []string) []string {
	clean := make([]string, 0, len(env))
next:
	for _, e := range env {
		for _, name := range handOver {
			if strings.HasPrefix(e, name) {
				continue next
			}
		}
		clean = append(clean, e)
	}
	return clean
}

// Find reports whether a checkpassword program is there to be run, for servers
// that want to know before the first login.
func Find(name string) error {
	path, err := lookPath(name)
	if err == nil {
		_, err = os.Stat(path)
	}
	return err
}

// lookPath finds a program as execvp does: a name with a slash as it is, others
// in PATH.
func lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range strings.Split(os.Getenv("PATH"), ":") {
		if dir == "" {
			continue // the current directory is nobody's choice here
		}
		path := dir + "/" + name
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s not found in PATH", name)
}

// errDeadline is a program that runs too long.
var errDeadline = errors.New("still running at the deadline; killed")

// readReport reads a program's output to its end, at most maxReport bytes of it.
func readReport(fd int, end time.Time) ([]byte, error) {
	buf := make([]byte, 0, 4096)
	for {
		if len(buf) > maxReport {
			return nil, fmt.Errorf("printed more than %d bytes", maxReport)
		}
		left := time.Until(end)
		if left <= 0 {
			return nil, errDeadline
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
		if n == 0 || err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("poll", err)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err = unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, os.NewSyscallError("read", err)
		case n == 0:
			return buf, nil
		default:
			buf = buf[:len(buf)+n]
		}
	}
}

// wait waits for the program, which has closed its output and so is about to
// end; one that goes on is killed at the deadline.
func wait(pid int, end time.Time) (unix.WaitStatus, error) {
	var status unix.WaitStatus
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		defer unix.Close(fd)
		for {
			left := max(time.Until(end), 0)
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
			if err == unix.EINTR {
				continue
			}
			if n == 0 {
				unix.Kill(-pid, unix.SIGKILL)
				unix.Wait4(pid, &status, 0, nil)
				return status, errDeadline
			}
			break
		}
	}
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err != unix.EINTR {
			return status, os.NewSyscallError("wait", err)
		}
	}
}
