package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A group is one server with everything it forks: a control group, so that the
// processor time of children that ended long ago is counted to the nanosecond
// and no daemon can leave by forking twice.
type group struct {
	path string
	read func(path string) (time.Duration, error)
	cmd  *exec.Cmd
}

// groupRoots are the places to make groups in: version 1's accounting, then
// version 2.
var groupRoots = []struct {
	dir, mark string
	read      func(string) (time.Duration, error)
}{
	{"/sys/fs/cgroup/cpuacct", "cpuacct.usage", readV1},
	{"/sys/fs/cgroup", "cgroup.controllers", readV2},
}

func newGroup(name string) (*group, error) {
	for _, r := range groupRoots {
		if _, err := os.Stat(filepath.Join(r.dir, r.mark)); err != nil {
			continue
		}
		path := filepath.Join(r.dir, fmt.Sprintf("rohrpost-bench-%d-%s", os.Getpid(), strings.Map(plainRune, name)))
		if err := os.Mkdir(path, 0o755); err != nil {
			return nil, fmt.Errorf("make control group: %w (run as root)", err)
		}
		return &group{path: path, read: r.read}, nil
	}
	return nil, errors.New("no control groups in /sys/fs/cgroup: cannot count processor time")
}

func plainRune(r rune) rune {
	if r == ' ' || r == '/' {
		return '-'
	}
	return r
}

func readV1(path string) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(path, "cpuacct.usage"))
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return time.Duration(n), err
}

func readV2(path string) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(path, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	var us int64
	if _, err := fmt.Sscanf(string(b), "usage_usec %d", &us); err != nil {
		return 0, fmt.Errorf("%s/cpu.stat: %w", path, err)
	}
	return time.Duration(us) * time.Microsecond, nil
}

// start runs a server in the group. What it prints on stdout can be read from
// the pipe returned; its standard error goes to the file log.
func (g *group) start(log string, env []string, argv ...string) (*bufio.Reader, error) {
	enter := `echo $$ > "$0" && exec "$@"`
	g.cmd = exec.Command("sh", append([]string{"-c", enter, filepath.Join(g.path, "cgroup.procs")}, argv...)...)
	g.cmd.Env = append(os.Environ(), env...)
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	g.cmd.Stdout, g.cmd.Stderr = w, f
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go g.cmd.Wait()
	return bufio.NewReader(r), nil
}

// cpu is the time all processes of the group have used so far.
func (g *group) cpu() time.Duration {
	d, err := g.read(g.path)
	if err != nil {
		panic(err) // the group exists as long as g does
	}
	return d
}

// settle waits until the group rests, at most five seconds, and returns its
// processor time: what a server does after its last answer counts as well.
func (g *group) settle() time.Duration {
	const rest = 500 * time.Microsecond
	last := g.cpu()
	for range 50 {
		time.Sleep(100 * time.Millisecond)
		now := g.cpu()
		if now-last < rest {
			return now
		}
		last = now
	}
	return last
}

func (g *group) pids() []int {
	b, _ := os.ReadFile(filepath.Join(g.path, "cgroup.procs"))
	var pids []int
	for _, w := range strings.Fields(string(b)) {
		if n, err := strconv.Atoi(w); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

// pss is the memory of all processes of the group, each shared page divided
// among those who share it, in KiB.
func (g *group) pss() float64 {
	var sum float64
	for _, pid := range g.pids() {
		sum += procField(pid, "smaps_rollup", "Pss:")
	}
	return sum
}

// peaks is the largest resident size so far of each process of the group, in
// KiB, by the name of the program; of several with one name, the largest.
func (g *group) peaks() map[string]float64 {
	m := map[string]float64{}
	for _, pid := range g.pids() {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil {
			continue
		}
		name := strings.TrimSpace(string(comm))
		m[name] = max(m[name], procField(pid, "status", "VmHWM:"))
	}
	return m
}

// procField is a number of KiB in a file of /proc; 0 if the process has ended.
func procField(pid int, file, field string) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == field {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}

// stop ends the server politely, and after some seconds whatever is left of it.
func (g *group) stop() {
	if g.cmd != nil && g.cmd.Process != nil {
		g.cmd.Process.Signal(syscall.SIGTERM)
	}
	for i := range 200 {
		pids := g.pids()
		if len(pids) == 0 {
			break
		}
		if i > 100 {
			for _, p := range pids {
				syscall.Kill(p, syscall.SIGKILL)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	os.Remove(g.path)
}
