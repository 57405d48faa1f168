package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
)

// patience is how long a test waits for what has to come. It measures nothing.
const patience = 30 * time.Second

// running is rohrpost up in a test.
type running struct {
	t    testing.TB
	home string
	cmd  *exec.Cmd
	addr map[string]string // of each service

	mu  sync.Mutex
	log strings.Builder
}

// off switches all services off; what follows it counts.
var off = []string{"--smtp", "off", "--submission", "off", "--pop3", "off", "--imap", "off", "--sieve", "off",
	"--submissions", "off", "--pop3s", "off", "--imaps", "off"}

// up starts rohrpost up and waits until it is ready.
func up(t testing.TB, args ...string) *running {
	t.Helper()
	for _, p := range []string{"listen", "smtpd", "relay", "deliver", "pop3d", "checkpw", "login-ok"} {
		progtest.Bin(t, p)
	}
	r := &running{t: t, home: filepath.Join(t.TempDir(), "h"), addr: map[string]string{}}
	r.cmd = progtest.Command(t, nil, "rohrpost", append([]string{"up", "--home", r.home, "--host", "mx.example"}, args...)...)
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go io.Copy(r, stderr)
	t.Cleanup(func() {
		r.cmd.Process.Signal(unix.SIGTERM)
		r.cmd.Wait()
		if t.Failed() {
			t.Log(r.logged())
		}
	})
	r.readReady(stdout)
	return r
}

// readReady reads the lines of standard output up to the last one.
func (r *running) readReady(stdout io.Reader) {
	r.t.Helper()
	in := bufio.NewScanner(stdout)
	service := regexp.MustCompile(`^rohrpost: ready service=(\S+) addr=(\S+)$`)
	for in.Scan() {
		if in.Text() == "rohrpost: ready" {
			return
		}
		m := service.FindStringSubmatch(in.Text())
		if m == nil {
			r.t.Fatalf("standard output has %q", in.Text())
		}
		r.addr[m[1]] = m[2]
	}
	r.t.Fatalf("never ready:\n%s", r.logged())
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// wait waits for n matches in the log and returns the last one's first group.
func (r *running) wait(n int, pattern string) string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	var got string
	eventually(r.t, "log: "+pattern, func() bool {
		all := re.FindAllStringSubmatch(r.logged(), -1)
		if len(all) < n {
			return false
		}
		got = all[n-1][1]
		return true
	})
	return got
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// started are the process numbers of what up started.
func (r *running) started() []int {
	var pids []int
	for _, m := range regexp.MustCompile(`rohrpost: started .*pid=(\d+)`).FindAllStringSubmatch(r.logged(), -1) {
		pid, _ := strconv.Atoi(m[1])
		pids = append(pids, pid)
	}
	return pids
}

// gone wants all these processes to end, and all that they started: a group
// without processes cannot be signalled.
func gone(t testing.TB, pids []int) {
	t.Helper()
	if len(pids) == 0 {
		t.Error("nothing was started")
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("group %d ends", pid), func() bool { return unix.Kill(-pid, 0) == unix.ESRCH })
	}
}

// closed wants the other side to end the conversation.
func (d *dialogue) closed() {
	d.t.Helper()
	if rest, err := io.ReadAll(d.in); err != nil && !errors.Is(err, unix.ECONNRESET) {
		d.t.Errorf("still open after %q: %v", rest, err)
	}
}

// dialogue is a connection on which lines are said and answers heard.
type dialogue struct {
	t  testing.TB
	c  net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, addr string) *dialogue {
	t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &dialogue{t: t, c: c, in: bufio.NewReader(c)}
}

// hear wants an answer that begins so, and returns its last line. SMTP's answers
// of several lines are one.
func (d *dialogue) hear(want string) string {
	d.t.Helper()
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			d.t.Fatalf("after %q: %v", line, err)
		}
		if len(line) > 3 && line[3] == '-' && line[0] != '-' && line[0] != '+' {
			continue
		}
		if !strings.HasPrefix(line, want) {
			d.t.Fatalf("got %q, want %s", line, want)
		}
		return line
	}
}

func (d *dialogue) say(line, want string) string {
	d.t.Helper()
	if _, err := io.WriteString(d.c, line+"\r\n"); err != nil {
		d.t.Fatal(err)
	}
	return d.hear(want)
}

// send sends a message by SMTP or LMTP.
func send(t testing.TB, addr, hello, to, message string) {
	t.Helper()
	d := dial(t, addr)
	d.hear("220 ")
	d.say(hello+" client.example", "250 ")
	d.say("MAIL FROM:<al@far.example>", "250 ")
	d.say("RCPT TO:<"+to+">", "250 ")
	d.say("DATA", "354 ")
	d.say(message+".", "250 ")
	d.say("QUIT", "221 ")
}

// fetch logs in by POP3 and reads the last message as soon as there are n.
func fetch(t testing.TB, addr, user, password string, n int) string {
	t.Helper()
	var message string
	eventually(t, fmt.Sprintf("%d messages for %s", n, user), func() bool {
		d := dial(t, addr)
		defer d.c.Close()
		d.hear("+OK")
		d.say("USER "+user, "+OK")
		d.say("PASS "+password, "+OK")
		if !strings.HasPrefix(d.say("STAT", "+OK"), fmt.Sprintf("+OK %d ", n)) {
			return false
		}
		d.say(fmt.Sprintf("RETR %d", n), "+OK")
		for {
			line, err := d.in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == ".\r\n" {
				return true
			}
			message += line
		}
	})
	return message
}

// TestUpCarriesMail is the main job, end to end: SMTP and LMTP in, POP3 out.
func TestUpCarriesMail(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "lmtp")
	r := up(t, append(off, "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--lmtp", "unix:"+socket, "--sieve", "127.0.0.1:0")...)
	password := r.wait(1, `demo-user user=demo password=(\S+)`)
	r.wait(1, `(service-off service=sieve)`)
	if len(r.addr) != 3 || r.addr["lmtp"] != "unix:"+socket || strings.HasSuffix(r.addr["smtp"], ":0") {
		t.Errorf("ready: %v", r.addr)
	}
	const body = "Subject: one\r\n\r\nline\r\nlast \xff\r\n"
	send(t, r.addr["smtp"], "EHLO", "demo@mx.example", body)
	if got := fetch(t, r.addr["pop3"], "demo", password, 1); !strings.HasSuffix(got, body) {
		t.Errorf("read %q", got)
	}
	send(t, r.addr["lmtp"], "LHLO", "demo@mx.example", strings.Replace(body, "one", "two", 1))
	if got := fetch(t, r.addr["pop3"], "demo@mx.example", password, 2); !strings.Contains(got, "Subject: two\r\n") {
		t.Errorf("read %q", got)
	}
	added := progtest.Run(t, strings.NewReader("sesame\n"), nil, "rohrpost", "user", "add", "--home", r.home, "bob@shop.example")
	if added.Code != 0 {
		t.Fatal(added.Stderr)
	}
	send(t, r.addr["smtp"], "EHLO", "bob@shop.example", body)
	if got := fetch(t, r.addr["pop3"], "bob@shop.example", "sesame", 1); !strings.HasSuffix(got, body) {
		t.Errorf("read %q", got)
	}
	r.cmd.Process.Signal(unix.SIGINT)
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("stopped by SIGINT: %v", err)
	}
	gone(t, r.started())
	if _, err := os.Lstat(socket); !os.IsNotExist(err) {
		t.Errorf("the Unix socket is still there: %v", err)
	}
}

func TestUpMakesAPrivateHomeOnce(t *testing.T) {
	t.Parallel()
	r := up(t, append(off, "--smtp", "127.0.0.1:0")...)
	for _, name := range []string{"", "etc", "mail", "queue", "run"} {
		if st, err := os.Stat(filepath.Join(r.home, name)); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
	second := progtest.Run(t, nil, nil, "rohrpost", append([]string{"up", "--home", r.home}, off...)...)
	if second.Code != 111 || !strings.Contains(second.Stderr, fmt.Sprintf("is up already: pid %d; stop that", r.cmd.Process.Pid)) || second.Stdout != "" {
		t.Errorf("a second one: exit %d %s%s", second.Code, second.Stdout, second.Stderr)
	}
}

func TestUpPortInUseStartsNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	home := t.TempDir() + "/h"
	r := in(t, t.TempDir(), "", append(append([]string{"up", "--home", home, "--host", "mx.example"}, off...), "--smtp", "127.0.0.1:0", "--pop3", l.Addr().String())...)
	want := "service pop3 at " + l.Addr().String() + ": the port is in use by another program; stop that, or give --pop3 another address or off"
	if r.Code != 111 || !strings.Contains(r.Stderr, want) || r.Stdout != "" || strings.Contains(r.Stderr, "started") {
		t.Errorf("exit %d, want 111 and %s\n%s%s", r.Code, want, r.Stdout, r.Stderr)
	}
}

// What up refuses before it starts anything.
func TestUpRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim string
		args  []string
		want  string
		code  int
	}{
		{"an address without port", []string{"--smtp", "127.0.0.1"}, "give host:port, unix:path or off", 100},
		{"a port that is none", []string{"--smtp", "127.0.0.1:99999"}, `"99999" is no port; give a number from 0 to 65535`, 100},
		{"a host name that is none", []string{"--host", "a b"}, "give a name like mx.example.org", 100},
		{"a flag that there is not", []string{"--smpt", "off"}, "unknown flag: --smpt", 100},
		{"a socket where there is no directory", []string{"--lmtp", "unix:/nonexistent/s"}, "service lmtp at unix:/nonexistent/s", 111},
		{"an address of another host", []string{"--smtp", "192.0.2.1:0"}, "this host does not have the address", 111},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := in(t, t.TempDir(), "", append(append([]string{"up"}, off...), c.args...)...)
			if r.Code != c.code || !strings.Contains(r.Stderr, c.want) || r.Stdout != "" || strings.Contains(r.Stderr, "started") {
				t.Errorf("exit %d, want %d and %s\n%s%s", r.Code, c.code, c.want, r.Stdout, r.Stderr)
			}
		})
	}
}

func TestUpStartsAgainWhatDies(t *testing.T) {
	t.Parallel()
	r := up(t, append(off, "--smtp", "127.0.0.1:0")...)
	for n, program := range []string{"relay", "listen"} {
		first, _ := strconv.Atoi(r.wait(1, `started program=`+program+` .*pid=(\d+)`))
		unix.Kill(first, unix.SIGKILL)
		r.wait(n+1, `died program=(\S+) .*status="signal: killed"`)
		r.wait(2, `started program=`+program+` .*pid=(\d+)`)
	}
	send(t, r.addr["smtp"], "EHLO", "postmaster", "Subject: x\r\n\r\n")
}

// A kill that cannot be caught leaves no program and no session behind.
func TestUpKilledTakesAllWithIt(t *testing.T) {
	t.Parallel()
	r := up(t, append(off, "--smtp", "127.0.0.1:0")...)
	d := dial(t, r.addr["smtp"])
	d.hear("220 ")
	r.cmd.Process.Kill()
	r.cmd.Wait()
	gone(t, r.started())
	d.closed()
}

// A session outlives the listen that started it, but not up.
func TestUpStopEndsLostSessions(t *testing.T) {
	t.Parallel()
	r := up(t, append(off, "--smtp", "127.0.0.1:0")...)
	d := dial(t, r.addr["smtp"])
	d.hear("220 ")
	pid, _ := strconv.Atoi(r.wait(1, `started program=listen .*pid=(\d+)`))
	unix.Kill(pid, unix.SIGKILL)
	r.wait(2, `started program=(listen) `)
	d.say("EHLO client.example", "250 ")
	r.cmd.Process.Signal(unix.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	d.closed()
}

// A program that is missing may be there after the next make install.
func TestUpWithoutProgramsStartsNothing(t *testing.T) {
	t.Parallel()
	r := progtest.Run(t, nil, []string{"ROHRPOST_LIBEXEC=/nonexistent"}, "rohrpost", append([]string{"up", "--home", t.TempDir() + "/h"}, off...)...)
	if r.Code != 111 || !strings.Contains(r.Stderr, "not found in /nonexistent; set ROHRPOST_LIBEXEC") || strings.Contains(r.Stderr, "started") || r.Stdout != "" {
		t.Errorf("exit %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestUpWrongConfigurationStartsNothing(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/locals", "mx.example\ntwo words\n", 0o644)
	r := in(t, home, "", append([]string{"up", "--home", home}, off...)...)
	if r.Code != 111 || !strings.Contains(r.Stderr, "etc/locals:2:") || strings.Contains(r.Stderr, "started") || r.Stdout != "" {
		t.Errorf("exit %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}
