// Package frame is what holds around every program, whatever its command line:
// exit codes chosen for the caller, panics that lose no mail, descriptors that
// are what they seem.
//
// Package prog adds a command line by cobra. A program that is started for each
// message, where starting is what costs, uses this package alone.
package frame

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// A program that lives for one connection is profiled from outside. Sampling its
// allocations costs stack walks at start, a fiftieth of it.
func init() { runtime.MemProfileRate = 0 }

// Version is the release, set by the Makefile.
var Version = "0.1.0-dev"

// Codes are a program's exit codes, as its callers read them.
type Codes struct{ Temporary, Permanent, Usage int }

// The tables of codes (DESIGN section 2; each program's manual repeats them).
var (
	// Server is for programs that supervisors and qmail's tools start.
	Server = Codes{Temporary: 111, Permanent: 100, Usage: 100}
	// Delivery is for deliver: 75 is the one code every MTA takes as "later",
	// and an administrator's slip must not bounce mail.
	Delivery = Codes{Temporary: 75, Permanent: 100, Usage: 75}
)

// Program is how one program starts.
type Program struct {
	Name  string
	Codes Codes
	// Conversation says that descriptors 0 and 1 are a peer's, so descriptor 2
	// must not be: under inetd and systemd it may be the same socket.
	Conversation bool
	// Do is the program. Its error, if any, becomes a line on descriptor 2 and
	// an exit code.
	Do func(args []string) error
}

// Main runs the program and exits. Nothing returns from it.
func (p Program) Main() {
	openStandard()
	if p.Conversation {
		keepLogFromPeer(p.Name)
	}
	os.Exit(p.Run(os.Args[1:]))
}

// Run runs the program with these arguments and returns the exit code.
func (p Program) Run(args []string) (code int) {
	defer func() {
		if e := recover(); e != nil {
			// A panic is a bug, and no reason to bounce or to lose anything.
			complain(fmt.Sprintf("%s: panic err=%q stack=%q\n", p.Name, fmt.Sprint(e), firstLines(debug.Stack())))
			code = p.Codes.Temporary
		}
	}()
	err := p.Do(args)
	if err == nil {
		return 0
	}
	var silent Exit
	if errors.As(err, &silent) {
		return int(silent)
	}
	complain(p.Name + ": " + oneLine(err.Error()) + "\n")
	return p.Codes.Of(err)
}

// Exit is an error that says: all has been said, exit with this code.
type Exit int

func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Of is the exit code for an error. An error that says nothing about itself is
// temporary: a delayed message is seen, a bounced one is gone.
func (c Codes) Of(err error) int {
	switch {
	case err == nil:
		return 0
	case IsUsage(err):
		return c.Usage
	case Permanent(err):
		return c.Permanent
	}
	return c.Temporary
}

// Permanent reports whether trying again cannot help.
func Permanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

type permanentError struct{ error }

func (permanentError) Permanent() bool { return true }
func (e permanentError) Unwrap() error { return e.error }

// Fail marks an error as permanent.
func Fail(err error) error { return permanentError{err} }

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as the caller's misuse of the command line.
func Usage(err error) error { return usageError{err} }

// IsUsage reports whether an error is so marked.
func IsUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

// openStandard opens /dev/null in place of a standard descriptor that the
// caller closed; the next file opened would become it otherwise.
func openStandard() {
	for fd := 0; fd <= 2; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == unix.EBADF {
			if n, err := unix.Open("/dev/null", unix.O_RDWR, 0); err == nil && n != fd {
				unix.Dup2(n, fd)
				unix.Close(n)
			}
		}
	}
}

// keepLogFromPeer replaces descriptor 2 if it is the peer's socket.
func keepLogFromPeer(name string) {
	var two unix.Stat_t
	if unix.Fstat(2, &two) != nil || two.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return
	}
	for fd := 0; fd <= 1; fd++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Dev == two.Dev && st.Ino == two.Ino {
			replaceLog()
			return
		}
	}
}

// replaceLog makes descriptor 2 syslog's socket, else the null device.
func replaceLog() {
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if err = unix.Connect(s, &unix.SockaddrUnix{Name: "/dev/log"}); err == nil {
			unix.Dup2(s, 2)
		}
		unix.Close(s)
	}
	if err != nil {
		if n, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
			unix.Dup2(n, 2)
			unix.Close(n)
		}
	}
}

// complain writes one line to the log, past os.Stderr, whose broken pipe would
// kill us.
func complain(s string) { unix.Write(2, []byte(s)) }

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func firstLines(b []byte) string {
	s := string(b)
	if len(s) > 1500 {
		s = s[:1500]
	}
	return s
}
