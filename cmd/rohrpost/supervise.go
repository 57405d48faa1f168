package main

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long a program that keeps dying waits before it is started again, and how
// long it must have run for the wait to begin anew.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = time.Minute
	wellAfter  = 10 * time.Second
)

// How long sessions may go on after SIGTERM before listen ends them, and how
// long after it a program that still runs is killed.
const (
	grace      = time.Second
	stopWithin = 15 * time.Second
)

// job is one program that has to run.
type job struct {
	name, service string
	argv          []string
	socket        *os.File // its descriptor 3, or nil

	cmd     *exec.Cmd
	started time.Time
	pause   time.Duration
}

// ended is the end of a job's process.
type ended struct {
	job *job
	err error
}

// supervise runs the jobs until a signal comes: what dies is started again,
// after a pause that grows. It returns once no process is left. ready is called
// when all have been started.
func supervise(jobs []*job, stop <-chan os.Signal, ready func()) error {
	// The kernel ends a child when the thread that started it ends, so that
	// nothing outlives us even if we are killed: this thread has to stay.
	runtime.LockOSThread()
	adopt()
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	ends := make(chan ended)
	again := make(chan *job)
	for _, j := range jobs {
		if err := j.start(ends); err != nil {
			stopAll(jobs, ends)
			return err
		}
	}
	ready()
	for {
		select {
		case <-stop:
			stopAll(jobs, ends)
			return nil
		case <-children:
			reap(jobs)
		case e := <-ends:
			e.job.died(e.err)
			time.AfterFunc(e.job.pause, func() { again <- e.job })
		case j := <-again:
			if err := j.start(ends); err != nil {
				j.died(err)
				time.AfterFunc(j.pause, func() { again <- j })
			}
		}
	}
}

// start starts the program in a process group of its own, which a Ctrl-C at the
// terminal does not reach: we stop it in our order.
func (j *job) start(ends chan<- ended) error {
	c := exec.Command(j.argv[0], j.argv[1:]...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if j.socket != nil {
		c.ExtraFiles = []*os.File{j.socket}
	}
	if err := c.Start(); err != nil {
		return err
	}
	j.cmd, j.started = c, time.Now()
	log.Event("started", "program", j.name, "service", j.service, "pid", c.Process.Pid)
	go func() { ends <- ended{j, c.Wait()} }()
	return nil
}

// died logs an end that nobody asked for, and sets the pause before the next
// start.
func (j *job) died(err error) {
	switch {
	case j.pause == 0 || time.Since(j.started) > wellAfter:
		j.pause = firstPause
	default:
		j.pause = min(2*j.pause, lastPause)
	}
	status := "exit status 0"
	if err != nil {
		status = err.Error()
	}
	j.cmd = nil
	log.Event("died", "program", j.name, "service", j.service, "status", status, "again", j.pause)
}

// stopAll ends all jobs, and what they lost, and waits for them: politely first,
// then not.
func stopAll(jobs []*job, ends <-chan ended) {
	signalAll(jobs, unix.SIGTERM)
	late := time.After(stopWithin)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for running(jobs) > 0 || len(strays(jobs)) > 0 {
		select {
		case e := <-ends:
			e.job.cmd = nil
		case <-look.C:
			reap(jobs)
		case <-late:
			log.Event("stop-late", "programs", running(jobs))
			signalAll(jobs, unix.SIGKILL)
			late = time.After(time.Second) // what they lost comes to us only now
		}
	}
}

func running(jobs []*job) int {
	n := 0
	for _, j := range jobs {
		if j.cmd != nil {
			n++
		}
	}
	return n
}

// signalAll signals what runs: SIGTERM to each program, which ends its own
// children, SIGKILL to each whole group.
func signalAll(jobs []*job, s unix.Signal) {
	pids := strays(jobs)
	for _, j := range jobs {
		if j.cmd != nil {
			pids = append(pids, j.cmd.Process.Pid)
		}
	}
	for _, pid := range pids {
		if s == unix.SIGKILL {
			unix.Kill(-pid, s)
		}
		unix.Kill(pid, s)
	}
}
