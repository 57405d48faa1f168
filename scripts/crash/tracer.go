//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A fault is what strikes.
type fault struct {
	name  string
	after bool          // once the call is done, else instead of it
	errno syscall.Errno // 0: kill
	all   bool          // kill every process, else only the one that calls
	cut   func() error  // run first, while all of them stand still
}

// kills are the two ways to die: all at once, or one process of several.
var (
	killAll = fault{name: "kill", all: true}
	killOne = fault{name: "kill one"}
)

func (f fault) String() string {
	if f.after {
		return f.name + " after"
	}
	return f.name + " before"
}

// A command is a program to run under the tracer.
type command struct {
	argv, env []string // argv[0] is a path
	stdin     string   // file
}

// An outcome is how one run ended.
type outcome struct {
	points   int  // counted calls made
	struck   bool // the fault came
	timedOut bool
	what     string // the call where it struck, and its object
	code     int    // of the first process; -1 if a signal ended it
	stdout   []byte
	stderr   []byte
	trace    []string // all points, if there is no fault
}

// limit ends a run that hangs.
const limit = 30 * time.Second

// A tracer runs commands and lets a fault strike at the n-th counted call of the
// whole process tree. It belongs to one thread, which starts no other process
// meanwhile.
type tracer struct {
	set map[uint64]call
	dir string // for standard output and error

	mu   sync.Mutex
	live map[int]bool

	out     *outcome
	fault   *fault
	point   int
	armed   bool // the program itself runs, no more the shim
	dying   bool // whoever stops is killed
	leaving int  // the thread whose call has to end before the fault
	expired atomic.Bool
}

// run runs a command; the fault strikes at the point given, none if it is nil.
func (t *tracer) run(c command, f *fault, point int) (outcome, error) {
	var out outcome
	t.out, t.fault, t.point, t.live = &out, f, point, map[int]bool{}
	t.armed, t.dying, t.leaving = false, false, 0
	t.expired.Store(false)
	root, err := t.start(c)
	if err != nil {
		return out, err
	}
	watchdog := time.AfterFunc(limit, t.expire)
	err = t.loop(root)
	watchdog.Stop()
	out.timedOut = t.expired.Load()
	out.stdout, _ = os.ReadFile(filepath.Join(t.dir, "stdout"))
	out.stderr, _ = os.ReadFile(filepath.Join(t.dir, "stderr"))
	return out, err
}

// start starts the shim, which stops before its first instruction.
func (t *tracer) start(c command) (pid int, err error) {
	in, err := os.Open(c.stdin)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	stdout, err := os.Create(filepath.Join(t.dir, "stdout"))
	if err != nil {
		return 0, err
	}
	defer stdout.Close()
	stderr, err := os.Create(filepath.Join(t.dir, "stderr"))
	if err != nil {
		return 0, err
	}
	defer stderr.Close()
	x := exec.Cmd{Path: "/proc/self/exe", Args: c.argv, Stdin: in, Stdout: stdout, Stderr: stderr}
	x.Env = append(append(os.Environ(), c.env...), shimSpec(t.set))
	x.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := x.Start(); err != nil {
		return 0, fmt.Errorf("start: %w", err)
	}
	pid = x.Process.Pid
	x.Process.Release()
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, syscall.WALL, nil); err != nil {
		return 0, fmt.Errorf("wait: %w", err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE |
		unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		return 0, fmt.Errorf("ptrace: %w", err)
	}
	t.live[pid] = true
	return pid, syscall.PtraceCont(pid, 0)
}

func (t *tracer) expire() {
	t.expired.Store(true)
	t.killAll()
}

func (t *tracer) killAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for pid := range t.live {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// loop serves the tracees of this thread until none is left.
func (t *tracer) loop(root int) error {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WALL|unix.WNOTHREAD, nil)
		switch {
		case err == syscall.EINTR:
		case err == syscall.ECHILD:
			return nil
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case ws.Exited() || ws.Signaled():
			t.gone(pid, pid == root, ws)
		default:
			t.stopped(pid, root, ws)
		}
	}
}

func (t *tracer) gone(pid int, root bool, ws syscall.WaitStatus) {
	t.mu.Lock()
	delete(t.live, pid)
	t.mu.Unlock()
	if root {
		t.out.code = ws.ExitStatus() // -1 after a signal
	}
}

// stopped decides what a stop means and lets the thread go on.
func (t *tracer) stopped(pid, root int, ws syscall.WaitStatus) {
	t.mu.Lock()
	t.live[pid] = true
	t.mu.Unlock()
	sig, event := ws.StopSignal(), int(ws)>>16
	switch {
	case t.dying || t.expired.Load():
		syscall.Kill(pid, syscall.SIGKILL)
	case sig == syscall.SIGTRAP|0x80: // the end of a call
		if pid == t.leaving {
			t.leaving = 0
			t.strike(pid, true)
		} else {
			syscall.PtraceCont(pid, 0)
		}
	case sig == syscall.SIGTRAP && event == unix.PTRACE_EVENT_SECCOMP:
		t.reached(pid)
	case sig == syscall.SIGTRAP && event != 0:
		t.armed = t.armed || (event == unix.PTRACE_EVENT_EXEC && pid == root)
		t.resume(pid, 0)
	case sig == syscall.SIGSTOP: // a new thread or process
		t.resume(pid, 0)
	default:
		t.resume(pid, sig)
	}
}

// resume lets a thread go on after a stop that is not ours, with the signal that
// was on its way. One that is to be struck at the end of its call still is.
func (t *tracer) resume(pid int, sig syscall.Signal) {
	if pid == t.leaving {
		syscall.PtraceSyscall(pid, int(sig))
		return
	}
	syscall.PtraceCont(pid, int(sig))
}

// reached counts a call that is about to be made.
func (t *tracer) reached(pid int) {
	var regs syscall.PtraceRegs
	if !t.armed || syscall.PtraceGetRegs(pid, &regs) != nil {
		syscall.PtraceCont(pid, 0)
		return
	}
	c := t.set[regs.Orig_rax]
	if c.fd >= 0 && internal(pid, &regs, c) {
		syscall.PtraceCont(pid, 0)
		return
	}
	t.out.points++
	if t.fault == nil {
		t.out.trace = append(t.out.trace, describe(pid, c, &regs))
	}
	if t.fault == nil || t.out.points != t.point {
		syscall.PtraceCont(pid, 0)
		return
	}
	t.out.what = describe(pid, c, &regs)
	ends := c.nr != unix.SYS_EXIT_GROUP && !(c.nr == unix.SYS_EXECVE && t.fault.errno != 0)
	// Linux frees the descriptor whatever close says: one that was never closed
	// would leave the other end of a pipe waiting for ever.
	closes := c.nr == unix.SYS_CLOSE && t.fault.errno != 0
	if t.fault.after && ends || closes {
		t.leaving = pid
		syscall.PtraceSyscall(pid, 0)
		return
	}
	t.strike(pid, false)
}

// internal says whether a call can neither fail nor be seen: about a descriptor
// that is no file and no pipe, by which Go's runtime wakes itself, or about
// flags of a descriptor.
func internal(pid int, regs *syscall.PtraceRegs, c call) bool {
	if c.nr == unix.SYS_FCNTL {
		cmd := argument(regs, 1)
		return cmd != unix.F_OFD_SETLK && cmd != unix.F_OFD_SETLKW && cmd != unix.F_SETLK && cmd != unix.F_SETLKW
	}
	return strings.HasPrefix(target(pid, regs, c), "anon_inode:")
}

// strike lets the fault happen to a thread that stands before a call or, when
// it was made, at its end.
func (t *tracer) strike(pid int, made bool) {
	t.out.struck = true
	if t.fault.cut != nil {
		if err := t.fault.cut(); err != nil {
			t.out.what += ": " + err.Error()
		}
	}
	switch {
	case t.fault.errno != 0:
		t.fail(pid, made)
	case t.fault.all:
		t.dying = true
		t.killAll()
	default:
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// fail makes the call return an error: it is not made, or its result is a lie.
func (t *tracer) fail(pid int, made bool) {
	var regs syscall.PtraceRegs
	if syscall.PtraceGetRegs(pid, &regs) == nil {
		if !made {
			regs.Orig_rax = ^uint64(0)
		}
		regs.Rax = uint64(-int64(t.fault.errno))
		syscall.PtraceSetRegs(pid, &regs)
	}
	syscall.PtraceCont(pid, 0)
}
