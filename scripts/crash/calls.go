//go:build linux && amd64

package main

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// A call is a system call at which a fault can strike. path and fd are the
// indexes of the argument that says what it is about, -1 for none.
type call struct {
	nr       uint64
	name     string
	changes  bool // something that outlives the process, or that a peer sees
	path, fd int
}

// calls are all those that our programs touch the world with. What is missing
// here (memory, threads, clocks, signals) runs at full speed and is never hit.
var calls = []call{
	{unix.SYS_READ, "read", false, -1, 0},
	{unix.SYS_WRITE, "write", true, -1, 0},
	{unix.SYS_OPEN, "open", true, 0, -1},
	{unix.SYS_CLOSE, "close", false, -1, 0},
	{unix.SYS_STAT, "stat", false, 0, -1},
	{unix.SYS_FSTAT, "fstat", false, -1, 0},
	{unix.SYS_LSTAT, "lstat", false, 0, -1},
	{unix.SYS_LSEEK, "lseek", false, -1, 0},
	{unix.SYS_PREAD64, "pread64", false, -1, 0},
	{unix.SYS_PWRITE64, "pwrite64", true, -1, 0},
	{unix.SYS_READV, "readv", false, -1, 0},
	{unix.SYS_WRITEV, "writev", true, -1, 0},
	{unix.SYS_SENDFILE, "sendfile", true, -1, 0},
	{unix.SYS_SENDTO, "sendto", true, -1, 0},
	{unix.SYS_EXECVE, "execve", true, 0, -1},
	{unix.SYS_FCNTL, "fcntl", false, -1, 0},
	{unix.SYS_FLOCK, "flock", true, -1, 0},
	{unix.SYS_FSYNC, "fsync", true, -1, 0},
	{unix.SYS_FDATASYNC, "fdatasync", true, -1, 0},
	{unix.SYS_FTRUNCATE, "ftruncate", true, -1, 0},
	{unix.SYS_GETDENTS64, "getdents64", false, -1, 0},
	{unix.SYS_RENAME, "rename", true, 1, -1},
	{unix.SYS_MKDIR, "mkdir", true, 0, -1},
	{unix.SYS_LINK, "link", true, 1, -1},
	{unix.SYS_UNLINK, "unlink", true, 0, -1},
	{unix.SYS_EXIT_GROUP, "exit_group", true, -1, -1},
	{unix.SYS_OPENAT, "openat", true, 1, -1},
	{unix.SYS_MKDIRAT, "mkdirat", true, 1, -1},
	{unix.SYS_NEWFSTATAT, "newfstatat", false, 1, -1},
	{unix.SYS_UNLINKAT, "unlinkat", true, 1, -1},
	{unix.SYS_RENAMEAT, "renameat", true, 3, -1},
	{unix.SYS_RENAMEAT2, "renameat2", true, 3, -1},
	{unix.SYS_LINKAT, "linkat", true, 3, -1},
	{unix.SYS_READLINKAT, "readlinkat", false, 1, -1},
	{unix.SYS_FCHMODAT, "fchmodat", true, 1, -1},
	{unix.SYS_UTIMENSAT, "utimensat", true, 1, -1},
	{unix.SYS_FALLOCATE, "fallocate", true, -1, 0},
	{unix.SYS_PIPE2, "pipe2", false, -1, -1},
	{unix.SYS_COPY_FILE_RANGE, "copy_file_range", true, -1, 2},
	{unix.SYS_SPLICE, "splice", true, -1, 2},
	{unix.SYS_STATX, "statx", false, 1, -1},
	{unix.SYS_OPENAT2, "openat2", true, 1, -1},
	{unix.SYS_INOTIFY_ADD_WATCH, "inotify_add_watch", false, 1, -1},
}

// counted are the calls of a campaign: those that change something, or all.
func counted(all bool) map[uint64]call {
	m := map[uint64]call{}
	for _, c := range calls {
		if all || c.changes {
			m[c.nr] = c
		}
	}
	return m
}

// errnos are what a call may be made to fail with.
var errnos = map[string]syscall.Errno{
	"ENOSPC": syscall.ENOSPC, "EDQUOT": syscall.EDQUOT, "EIO": syscall.EIO, "EINTR": syscall.EINTR, "ENOMEM": syscall.ENOMEM,
	"EMFILE": syscall.EMFILE, "ENFILE": syscall.ENFILE, "ESTALE": syscall.ESTALE, "EROFS": syscall.EROFS, "EXDEV": syscall.EXDEV,
	"EACCES": syscall.EACCES, "ENAMETOOLONG": syscall.ENAMETOOLONG, "EPIPE": syscall.EPIPE, "ETIMEDOUT": syscall.ETIMEDOUT,
}

// describe says what a stopped thread is about to call, and on what.
func describe(pid int, c call, r *syscall.PtraceRegs) string {
	switch {
	case c.path >= 0:
		return fmt.Sprintf("%s %q", c.name, peek(pid, uintptr(argument(r, c.path))))
	case c.fd >= 0:
		return fmt.Sprintf("%s %d<%s>", c.name, int32(argument(r, c.fd)), target(pid, r, c))
	}
	return c.name
}

func argument(r *syscall.PtraceRegs, n int) uint64 { return [...]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10}[n] }

// target is what the descriptor of a call refers to.
func target(pid int, r *syscall.PtraceRegs, c call) string {
	var b [256]byte
	n, _ := unix.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(argument(r, c.fd))), b[:])
	return string(b[:max(n, 0)])
}

// peek reads a string of another process.
func peek(pid int, at uintptr) string {
	b := make([]byte, 256)
	n, _ := syscall.PtracePeekData(pid, at, b)
	for i, c := range b[:n] {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b[:n])
}
