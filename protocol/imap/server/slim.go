package server

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

// A session that waits has little memory, however much its last command took.
const (
	// bulky is how many messages make a command one that may leave much behind.
	bulky = 1000
	// slimAfter is how long a client that does not say IDLE must be silent.
	slimAfter = time.Second
	// slimAbove is how much memory of our own, in bytes, is given back. The
	// collector itself takes half a megabyte when it has run once, and so does
	// runtime.ReadMemStats: below this it is better not to ask.
	slimAbove = 2 << 20
)

// slim gives memory back that the last commands used, if that is much.
func (s *Session) slim() {
	if s.bulk && ownMemory() > slimAbove {
		s.flags = nil
		debug.FreeOSMemory()
	}
	s.bulk = false
}

// ownMemory is what the process has resident and shares with nobody, in bytes; 0 if
// the kernel does not say (proc_pid_statm(5)).
func ownMemory() int {
	b, err := os.ReadFile("/proc/self/statm")
	f := bytes.Fields(b)
	if err != nil || len(f) < 3 {
		return 0
	}
	resident, _ := strconv.Atoi(string(f[1]))
	shared, _ := strconv.Atoi(string(f[2]))
	return (resident - shared) * os.Getpagesize()
}
