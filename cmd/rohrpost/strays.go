package main

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A listen that is killed leaves its sessions behind. They may go on, but they
// must not outlive us: so we adopt what our programs lose, and end it with them.

// adopt makes us the parent of every descendant that loses its own.
func adopt() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// strays are the processes that we adopted.
func strays(jobs []*job) []int {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	ours := map[int]bool{}
	for _, j := range jobs {
		if j.cmd != nil {
			ours[j.cmd.Process.Pid] = true
		}
	}
	var pids []int
	for _, n := range names {
		pid, err := strconv.Atoi(n.Name())
		if err == nil && !ours[pid] && parent(pid) == os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parent is the parent of a process, 0 if it has gone.
func parent(pid int) int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The second field is the name in brackets, which may hold anything; state
	// and parent follow the last bracket (proc_pid_stat(5)).
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(string(f[1]))
	return ppid
}

// reap takes note of the strays that have ended, so that they are no zombies.
func reap(jobs []*job) {
	for _, pid := range strays(jobs) {
		unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
}
