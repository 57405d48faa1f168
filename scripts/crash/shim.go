//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shimEnv holds the numbers of the calls to stop at, and makes this program the
// shim: it puts a filter on itself and becomes the program under test. With the
// filter only those calls stop for the tracer; all else runs at full speed.
const shimEnv = "ROHRPOST_CRASH_SHIM"

func shimSpec(set map[uint64]call) string {
	var words []string
	for nr := range set {
		words = append(words, strconv.FormatUint(nr, 10))
	}
	slices.Sort(words)
	return shimEnv + "=" + strings.Join(words, ",")
}

// shim never returns.
func shim(spec string) {
	runtime.LockOSThread()
	err := filter(strings.Split(spec, ","))
	if err == nil {
		env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, shimEnv+"=") })
		err = unix.Exec(os.Args[0], os.Args, env)
	}
	fmt.Fprintln(os.Stderr, "crash: shim:", err)
	os.Exit(125)
}

func filter(numbers []string) error {
	const (
		loadNumber = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		jumpEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ret        = unix.BPF_RET | unix.BPF_K
	)
	code := []unix.SockFilter{{Code: loadNumber}}
	for _, n := range numbers {
		nr, err := strconv.ParseUint(n, 10, 32)
		if err != nil {
			return err
		}
		code = append(code,
			unix.SockFilter{Code: jumpEqual, Jf: 1, K: uint32(nr)},
			unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_TRACE})
	}
	code = append(code, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	// Needed by all but root, and no hindrance: nothing here is set-user-ID.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(code)
	if e != 0 {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}
