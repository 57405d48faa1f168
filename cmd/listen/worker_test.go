package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/protocol/ucspi"
)

// workerEnv makes this test binary a program for connections: it says its
// number, its peer's port and all it was told of him, and is done with the
// connection when the client has spoken. "die" ends it, "exit" ends it in order.
const workerEnv = "TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		work()
	}
	os.Exit(m.Run())
}

func work() {
	next, more := ucspi.NextOffer(os.Getenv)
	for {
		fmt.Printf("%d %s %s\n", os.Getpid(), os.Getenv("TCPREMOTEPORT"), os.Getenv("TCPCONNNUM"))
		word, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		switch strings.TrimSpace(word) {
		case "die":
			unix.Kill(os.Getpid(), unix.SIGKILL)
		case "exit":
			os.Exit(0)
		}
		if !more || next.Wait() != nil {
			os.Exit(0)
		}
	}
}

// startWorkers is a listen whose programs are such workers.
func startWorkers(t *testing.T, flags ...string) *daemon {
	words := append(flags, "--verbose", "127.0.0.1:0", "--", os.Args[0])
	return startWith(t, []string{workerEnv + "=1"}, nil, words...)
}

// served is what a worker says of one connection.
type served struct {
	c         net.Conn
	in        *bufio.Reader
	pid, port string
	number    string
}

func serve(t *testing.T, d *daemon) *served {
	t.Helper()
	s := &served{c: dial(t, d.addrs[0], "")}
	s.in = bufio.NewReader(s.c)
	line, err := s.in.ReadString('\n')
	if err != nil {
		t.Fatalf("no greeting: %v\n%s", err, d.log)
	}
	fmt.Sscan(line, &s.pid, &s.port, &s.number)
	if _, port, _ := net.SplitHostPort(s.c.LocalAddr().String()); s.port != port {
		t.Errorf("the program took us for port %s, we are %s", s.port, port)
	}
	return s
}

// say speaks to the worker and waits for the end of the connection.
func (s *served) say(t *testing.T, word string) {
	t.Helper()
	fmt.Fprintln(s.c, word)
	if rest, err := io.ReadAll(s.in); err != nil || len(rest) > 0 {
		t.Errorf("after %q: %q, %v", word, rest, err)
	}
}

// atRest waits until listen knows that a program is done with its connections.
func atRest(d *daemon, pid string) {
	d.t.Helper()
	ofIt := func(event string) (n int) {
		for line := range strings.SplitSeq(d.log.String(), "\n") {
			if strings.HasPrefix(line, "listen: "+event) && strings.Contains(line, " pid="+pid+" ") {
				n++
			}
		}
		return n
	}
	for range 1000 {
		if n := ofIt("accepted"); n > 0 && n == ofIt("ended") {
			return
		}
		pause()
	}
	d.t.Fatalf("process %s does not come to rest:\n%s", pid, d.log)
}

func gone(t *testing.T, pid string) {
	t.Helper()
	n, _ := strconv.Atoi(pid)
	for range 1000 {
		if unix.Kill(n, 0) == unix.ESRCH {
			return
		}
		pause()
	}
	t.Fatalf("process %s does not end", pid)
}

func pause() { unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil) }

// One process serves as many connections as it may, each with its own peer in
// the environment, and is counted for one at a time.
func TestPerProcess(t *testing.T) {
	d := startWorkers(t, "--per-process", "3", "--max", "2", "--max-per-host", "1")
	var pids []string
	for range 6 {
		s := serve(t, d)
		if s.number != "1" {
			t.Errorf("connections of this host: %s, want 1", s.number)
		}
		pids = append(pids, s.pid)
		s.say(t, "next")
		if len(pids)%3 == 0 {
			gone(t, s.pid)
		} else {
			atRest(d, s.pid)
		}
	}
	for i, want := range []int{0, 0, 0, 3, 3, 3} {
		if pids[i] != pids[want] {
			t.Errorf("connection %d was served by %s; of all: %v", i, pids[i], pids)
		}
	}
	if pids[0] == pids[3] {
		t.Errorf("one process served all: %v", pids)
	}
	d.stop()
}

// Without the flag, and for a program that does not know of it, each connection
// has a process of its own.
func TestPerProcessIsAsked(t *testing.T) {
	for _, flags := range [][]string{nil, {"--per-process", "1"}} {
		d := startWorkers(t, flags...)
		one := serve(t, d)
		one.say(t, "next")
		gone(t, one.pid)
		if two := serve(t, d); one.pid == two.pid {
			t.Errorf("%v: one process for two connections", flags)
		}
	}
	d := start(t, "--per-process", "5", "127.0.0.1:0", "--", "sh", "-c", "echo $$; read word")
	pid := func() string {
		c := dial(t, d.addrs[0], "")
		fmt.Fprintln(c, "bye")
		b, _ := io.ReadAll(c)
		return string(b)
	}
	if one, two := pid(), pid(); one == two || one == "" {
		t.Errorf("a shell served as %q and %q", one, two)
	}
}

// A program that dies, busy or at rest, costs its own connection at most, and
// leaves no count behind: --max 1 would refuse the next one.
func TestPerProcessDeath(t *testing.T) {
	d := startWorkers(t, "--per-process", "10", "--max", "1")
	for _, word := range []string{"die", "exit"} {
		s := serve(t, d)
		fmt.Fprintln(s.c, word)
		gone(t, s.pid)
	}
	resting := serve(t, d)
	resting.say(t, "next")
	atRest(d, resting.pid)
	pid, _ := strconv.Atoi(resting.pid)
	unix.Kill(pid, unix.SIGKILL)
	gone(t, resting.pid)
	for range 3 {
		s := serve(t, d)
		if s.pid == resting.pid {
			t.Error("served by the dead")
		}
		s.say(t, "next")
		atRest(d, s.pid)
	}
	if log := d.stop(); strings.Count(log, "session-killed") != 1 {
		t.Errorf("want one session killed in:\n%s", log)
	}
}

// A signal that stops listen ends the programs at rest as well, at once.
func TestPerProcessStop(t *testing.T) {
	d := startWorkers(t, "--per-process", "10", "--grace", "1h")
	s := serve(t, d)
	s.say(t, "next")
	atRest(d, s.pid)
	busy := serve(t, d)
	if busy.pid != s.pid {
		t.Errorf("a process at rest was passed over")
	}
	other := serve(t, d)
	other.say(t, "next")
	atRest(d, other.pid)
	d.cmd.Process.Signal(unix.SIGTERM)
	gone(t, other.pid)
	busy.say(t, "next") // it is served to its end, and then there is no next
	if err := d.wait(); err != nil {
		t.Errorf("listen ended: %v\n%s", err, d.log)
	}
}

func TestPerProcessUsage(t *testing.T) {
	r := progtest.Run(t, nil, nil, "listen", "--per-process", "0", "127.0.0.1:0", "--", "true")
	if r.Code != 100 || !strings.Contains(r.Stderr, "--per-process 0") {
		t.Errorf("exit %d, %q", r.Code, r.Stderr)
	}
}
