package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
)

// patience ends what hangs. Nothing waits for it in a test that passes.
const patience = 30 * time.Second

// echo is a program that greets and then sends back what it gets.
var echo = []string{"sh", "-c", "echo hello; exec cat"}

// daemon is a listen that runs.
type daemon struct {
	t     *testing.T
	cmd   *exec.Cmd
	addrs []string
	log   *safeBuffer
	ended chan error
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}
func (b *safeBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start starts listen with these words and waits until it is ready.
func start(t *testing.T, words ...string) *daemon { return startWith(t, nil, nil, words...) }

// startWith gives it an environment and descriptors from 4 up; 3 is the one of
// --notify.
func startWith(t *testing.T, env []string, files []*os.File, words ...string) *daemon {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := &daemon{t: t, log: &safeBuffer{}, ended: make(chan error, 1)}
	d.cmd = progtest.Command(t, env, "listen", append([]string{"--notify", "3"}, words...)...)
	d.cmd.ExtraFiles = append([]*os.File{w}, files...)
	d.cmd.Stderr = d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() { d.cmd.Process.Kill() })
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("not ready: %v\n%s", err, d.log)
	}
	d.addrs = strings.Fields(line)
	return d
}

// stop sends SIGTERM, waits for the end and returns the log.
func (d *daemon) stop() string {
	d.t.Helper()
	d.cmd.Process.Signal(unix.SIGTERM)
	if err := d.wait(); err != nil {
		d.t.Errorf("listen ended: %v\n%s", err, d.log)
	}
	return d.log.String()
}

func (d *daemon) wait() error {
	select {
	case err := <-d.ended:
		return err
	case <-time.After(patience):
		return errors.New("it did not end")
	}
}

// dial connects to an address of listen's; from is a local address, or empty.
func dial(t *testing.T, addr, from string) net.Conn {
	t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	var n net.Dialer
	if from != "" {
		n.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := n.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

// lineOf reads the first line of a connection.
func lineOf(t *testing.T, c net.Conn) string {
	t.Helper()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Errorf("read a line: %q, %v", line, err)
	}
	return line
}

// all reads a connection to its end.
func all(t *testing.T, c net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read to the end: %q, %v", b, err)
	}
	return string(b)
}

// untilServed connects until the program greets: a session that has ended makes
// room only when listen has heard of it.
func untilServed(t *testing.T, addr, from string) net.Conn {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c := dial(t, addr, from)
		if line, _ := bufio.NewReader(c).ReadString('\n'); line == "hello\n" {
			return c
		}
		c.Close()
	}
	t.Fatal("there was never room again")
	return nil
}

func environOf(t *testing.T, c net.Conn) map[string]string {
	t.Helper()
	env := map[string]string{}
	for l := range strings.Lines(all(t, c)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "=")
		env[name] = value
	}
	return env
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	stale := []string{"TCPREMOTEHOST=mallory", "TCPREMOTEINFO=root", "SSLCTLFD=5", "SSL_PROTOCOL=TLSv1.3", "REMOTE_ADDR=1.2.3.4",
		"LISTEN_FDS=1", "LISTEN_PID=1", "UNIXREMOTEEUID=0", "RELAYCLIENT=", "DATABYTES=7"}
	path := filepath.Join(t.TempDir(), "s")
	d := startWith(t, stale, nil, "127.0.0.1:0", "unix:"+path, "--", "env")
	tcp := dial(t, d.addrs[0], "")
	env := environOf(t, tcp)
	host, port, _ := net.SplitHostPort(d.addrs[0])
	_, remote, _ := net.SplitHostPort(tcp.LocalAddr().String())
	for name, want := range map[string]string{
		"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": remote, "TCPLOCALIP": host, "TCPLOCALPORT": port,
		"TCPCONNNUM": "1", "GOMAXPROCS": "1", "DATABYTES": "7", "RELAYCLIENT": "",
	} {
		if got, ok := env[name]; !ok || got != want {
			t.Errorf("TCP: %s=%q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"TCPREMOTEHOST", "TCPREMOTEINFO", "SSLCTLFD", "SSL_PROTOCOL", "REMOTE_ADDR", "LISTEN_FDS", "LISTEN_PID", "UNIXREMOTEEUID"} {
		if got, ok := env[name]; ok {
			t.Errorf("TCP: stale %s=%q", name, got)
		}
	}
	env = environOf(t, dial(t, d.addrs[1], ""))
	for name, want := range map[string]string{
		"PROTO": "UNIX", "UNIXLOCALPATH": path, "UNIXREMOTEPID": fmt.Sprint(os.Getpid()),
		"UNIXREMOTEEUID": fmt.Sprint(os.Geteuid()), "UNIXREMOTEEGID": fmt.Sprint(os.Getegid()),
	} {
		if env[name] != want {
			t.Errorf("Unix: %s=%q, want %q", name, env[name], want)
		}
	}
	d.stop()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket file is left behind")
	}
}

// IPv6 and IPv4 come in at one socket, each as what it is.
func TestAllAddresses(t *testing.T) {
	t.Parallel()
	d := start(t, ":0", "--", "env")
	_, port, _ := net.SplitHostPort(d.addrs[0])
	for _, ip := range []string{"127.0.0.1", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(ip, port))
		if err != nil {
			if ip == "::1" && !strings.HasPrefix(d.addrs[0], "[") {
				continue // a host without IPv6
			}
			t.Fatal(err)
		}
		defer c.Close()
		if env := environOf(t, c); env["TCPREMOTEIP"] != ip || env["TCPLOCALIP"] != ip || env["PROTO"] != "TCP" {
			t.Errorf("%s: %v", ip, env)
		}
	}
}

// A program has the connection and the log, nothing else, and a Ctrl-C for us is
// none for it.
func TestProgramHasNothingElse(t *testing.T) {
	t.Parallel()
	d := start(t, "127.0.0.1:0", "--", "sh", "-c", `cut -d" " -f5 /proc/$$/stat; echo $$; for f in /proc/$$/fd/*; do echo ${f##*/}; done`)
	f := strings.Fields(all(t, dial(t, d.addrs[0], "")))
	if len(f) < 2 || f[0] != f[1] {
		t.Errorf("process group and process differ: %q", f)
	}
	// The shell itself holds its directory open while it lists it.
	if fds := strings.Join(f[2:], " "); fds != "0 1 2" && fds != "0 1 2 3" {
		t.Errorf("descriptors %s", fds)
	}
}

func TestL02_LimitPerHostAndInTotal(t *testing.T) {
	t.Parallel()
	d := start(t, "127.0.0.1:0", "--max", "3", "--max-per-host", "2", "--protocol", "smtp", "--", echo[0], echo[1], echo[2])
	first := untilServed(t, d.addrs[0], "127.0.0.1")
	untilServed(t, d.addrs[0], "127.0.0.1")
	for range 50 {
		if got := all(t, dial(t, d.addrs[0], "127.0.0.1")); !strings.HasPrefix(got, "421 4.7.0 ") || !strings.HasSuffix(got, "\r\n") {
			t.Fatalf("one too many from one host: %q", got)
		}
	}
	untilServed(t, d.addrs[0], "127.0.0.2")
	if got := all(t, dial(t, d.addrs[0], "127.0.0.3")); !strings.HasPrefix(got, "421 4.3.2 ") {
		t.Errorf("one too many in total: %q", got)
	}
	first.Close()
	untilServed(t, d.addrs[0], "127.0.0.1")
	if n := strings.Count(d.log.String(), "refused"); n > 10 {
		t.Errorf("a flood made %d log lines", n)
	}
}

// Whoever is refused hears it even if he has already said something, which
// would reset the connection.
func TestRefusalReachesWhoTalksFirst(t *testing.T) {
	t.Parallel()
	d := start(t, "127.0.0.1:0", "--max", "1", "--protocol", "pop3", "--", echo[0], echo[1], echo[2])
	untilServed(t, d.addrs[0], "")
	c := dial(t, d.addrs[0], "")
	c.Write([]byte("CAPA\r\n"))
	if got := lineOf(t, c); !strings.HasPrefix(got, "-ERR [SYS/TEMP] ") {
		t.Errorf("refusal %q", got)
	}
}

func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		protocol string
		argv     []string
		begins   string
	}{
		{"", []string{"smtpd"}, "421 4."},
		{"", []string{"/usr/lib/qmail-smtpd"}, "421 4."},
		{"", []string{"smtpd", "--lmtp"}, "421 4."},
		{"", []string{"deliver", "--lmtp"}, "421 4."},
		{"", []string{"pop3d", "--", "checkpw"}, "-ERR [SYS/TEMP] "},
		{"", []string{"imapd"}, "* BYE ["},
		{"", []string{"sieved"}, "BYE (TRYLATER) \""},
		{"imap", []string{"sh"}, "* BYE ["},
		{"none", []string{"smtpd"}, ""},
		{"", []string{"sh", "-c", "smtpd"}, ""},
	} {
		w, err := wordsFor(c.protocol, c.argv)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{w.busy, w.host} {
			if !strings.HasPrefix(s, c.begins) || (c.begins == "") != (s == "") || s != "" && strings.Index(s, "\r\n") != len(s)-2 {
				t.Errorf("%q %q: %q", c.protocol, c.argv, s)
			}
		}
	}
	if _, err := wordsFor("gopher", []string{"x"}); err == nil {
		t.Error("an unknown protocol is taken")
	}
}

// ask sends bytes in pieces and reads to the end.
func ask(t *testing.T, addr, from string, pieces ...string) string {
	t.Helper()
	c := dial(t, addr, from)
	for _, p := range pieces {
		if _, err := c.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if u, ok := c.(interface{ CloseWrite() error }); ok {
		u.CloseWrite()
	}
	b, _ := io.ReadAll(c) // a connection that is cut in the middle may be reset
	return string(b)
}

// says is a program that tells its peer and sends back what it reads.
var says = []string{"sh", "-c", `echo "$TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT"; exec cat`}

const v1 = "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n"

func TestS35_ProxyHeader(t *testing.T) {
	t.Parallel()
	d := start(t, append([]string{"127.0.0.1:0", "--proxy-from", "127.0.0.2,10.0.0.0/8", "--"}, says...)...)
	const who = "192.0.2.1 5000 198.51.100.2 25\n"
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\x13\x88\x00\x19"
	health := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
	for _, c := range []struct {
		claim  string
		pieces []string
		want   string
	}{
		{"version 1", []string{v1, "EHLO x\r\n"}, who + "EHLO x\r\n"},
		{"version 1 in one piece with what follows", []string{v1 + "EHLO x\r\n"}, who + "EHLO x\r\n"},
		{"version 1, byte by byte", strings.Split(v1+"EHLO x\r\n", ""), who + "EHLO x\r\n"},
		{"version 2", []string{v2 + "\r\n\r\n\x00\r\nQUIT\n"}, who + "\r\n\r\n\x00\r\nQUIT\n"},
		{"version 2, byte by byte", strings.Split(v2+"x", ""), who + "x"},
		{"a header behind the header is the program's", []string{v1 + v1}, who + v1},
		{"no header", []string{"EHLO x\r\n"}, ""},
		{"version 1, overlong", []string{"PROXY UNKNOWN " + strings.Repeat("f", 200) + "\r\n"}, ""},
		{"version 2, bad length", []string{v2[:14] + "\x00\x0b" + v2[16:]}, ""},
		{"half a header", []string{v1[:20]}, ""},
		{"nothing", nil, ""},
	} {
		if got := ask(t, d.addrs[0], "127.0.0.2", c.pieces...); got != c.want {
			t.Errorf("%s: %q, want %q", c.claim, got, c.want)
		}
	}
	if got := ask(t, d.addrs[0], "127.0.0.2", health); !strings.HasPrefix(got, "127.0.0.2 ") {
		t.Errorf("the proxy's own connection: %q", got)
	}
	got := ask(t, d.addrs[0], "127.0.0.1", v1)
	if !strings.HasPrefix(got, "127.0.0.1 ") || !strings.HasSuffix(got, "\n"+v1) {
		t.Errorf("from one who is not listed: %q; the header must be the program's to refuse", got)
	}
}

// A proxy's clients are many hosts, and each has its own limit.
func TestS35_LimitsAreTheClients(t *testing.T) {
	t.Parallel()
	d := start(t, "127.0.0.1:0", "--proxy-from", "127.0.0.1", "--max-per-host", "1", "--protocol", "smtp", "--", echo[0], echo[1], echo[2])
	open := func(ip string) string {
		c := dial(t, d.addrs[0], "")
		fmt.Fprintf(c, "PROXY TCP4 %s 198.51.100.2 5000 25\r\n", ip)
		return lineOf(t, c)
	}
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", "hello"}, {"192.0.2.2", "hello"}, {"192.0.2.1", "421 4.7.0"},
	} {
		if got := open(c.ip); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %s", c.ip, got, c.want)
		}
	}
}

// Who is listed and says nothing holds no connection for ever, and holds up
// nobody meanwhile.
func TestS35_SilentProxy(t *testing.T) {
	t.Parallel()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	unix.Write(pair[1], []byte(v1[:20]))
	f := os.NewFile(uintptr(pair[0]), "connection")
	defer f.Close()
	if _, err := readHeader(f, time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("half a header: %v", err)
	}
	d := start(t, append([]string{"127.0.0.1:0", "--proxy-from", "127.0.0.2", "--"}, says...)...)
	dial(t, d.addrs[0], "127.0.0.2") // silent
	if got := ask(t, d.addrs[0], "127.0.0.1", "x"); !strings.HasSuffix(got, "\nx") {
		t.Errorf("behind a silent proxy: %q", got)
	}
}

func TestProxyFrom(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"x", "10.0.0.0/33", "::ffff:10.0.0.0/104", "", "10.0.0.1-10.0.0.9"} {
		if _, err := parseTrusted([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// limit sets a soft limit of the process that runs, as that process's user may,
// and returns the old one.
func (d *daemon) limit(resource, n string) (old string) {
	d.t.Helper()
	for _, set := range []string{"", "=" + n + ":"} {
		c := exec.Command("prlimit", "--noheadings", "--output", "SOFT", "--pid", fmt.Sprint(d.cmd.Process.Pid), "--"+resource+set)
		if resource == "nproc" && os.Geteuid() == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		out, err := c.CombinedOutput()
		if err != nil {
			d.t.Fatalf("%v: %v\n%s", c.Args, err, out)
		}
		if set == "" {
			old = strings.TrimSpace(string(out))
		}
	}
	return old
}

// nobody is a uid and gid that the tests become.
const nobody = 4243

// unprivileged is the flags that make a listen of root's somebody else: root
// itself may have any number of processes.
func unprivileged() []string {
	if os.Geteuid() == 0 {
		return []string{"--user", fmt.Sprintf("%d:%d", nobody, nobody)}
	}
	return nil
}

func TestS38_NoProcess(t *testing.T) {
	t.Parallel()
	words := append([]string{"127.0.0.1:0", "--protocol", "smtp"}, unprivileged()...)
	d := start(t, append(append(words, "--"), echo...)...)
	old := d.limit("nproc", "0")
	for range 20 {
		if got := all(t, dial(t, d.addrs[0], "")); !strings.HasPrefix(got, "421 4.3.2 ") {
			t.Fatalf("no process to be had: %q", got)
		}
	}
	d.limit("nproc", old)
	untilServed(t, d.addrs[0], "")
	if log := d.log.String(); !strings.Contains(log, "start-failed") || strings.Count(log, "\n") > 10 {
		t.Errorf("log:\n%s", log)
	}
}

func TestS38_NoProgram(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "smtpd")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := start(t, "127.0.0.1:0", "--", program)
	if err := os.Rename(program, program+".old"); err != nil {
		t.Fatal(err)
	}
	if got := all(t, dial(t, d.addrs[0], "")); !strings.HasPrefix(got, "421 4.3.2 ") {
		t.Errorf("the program is away for a moment: %q", got)
	}
	if err := os.Rename(program+".old", program); err != nil {
		t.Fatal(err)
	}
	untilServed(t, d.addrs[0], "")
}

// Without a descriptor left, connections are taken and refused, not left to
// hang. What holds the descriptors here are proxies that say nothing.
func TestL04_NoDescriptor(t *testing.T) {
	t.Parallel()
	d := start(t, append([]string{"127.0.0.1:0", "--protocol", "smtp", "--proxy-from", "127.0.0.2", "--"}, echo...)...)
	untilServed(t, d.addrs[0], "").Close()
	used := d.descriptors()
	fd := 0
	for free := 0; free < 4; fd++ {
		if !used[fd] {
			free++
		}
	}
	old := d.limit("nofile", fmt.Sprint(fd))
	var silent []net.Conn
	for !strings.Contains(d.log.String(), "accept-failed") && len(silent) < 150 {
		silent = append(silent, dial(t, d.addrs[0], "127.0.0.2"))
	}
	for range 20 {
		if got := all(t, dial(t, d.addrs[0], "")); !strings.HasPrefix(got, "421 4.3.2 ") {
			t.Fatalf("no descriptor to be had: %q\n%s", got, d.log)
		}
	}
	d.limit("nofile", old)
	for _, c := range silent {
		c.Close()
	}
	untilServed(t, d.addrs[0], "")
	if log := d.log.String(); !strings.Contains(log, "accept-failed") || strings.Count(log, "\n") > 10 {
		t.Errorf("log:\n%s", log)
	}
}

// descriptors is what the process has open.
func (d *daemon) descriptors() map[int]bool {
	d.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	open := map[int]bool{}
	for _, e := range entries {
		var fd int
		fmt.Sscan(e.Name(), &fd)
		open[fd] = true
	}
	return open
}

// After many sessions nothing is left of them: no process, no descriptor. (The
// catalogue asks for 10^5, which takes minutes.)
func TestL03_NothingIsLeft(t *testing.T) {
	t.Parallel()
	d := start(t, "127.0.0.1:0", "--max", "1", "--metrics", filepath.Join(t.TempDir(), "m.prom"), "--", echo[0], echo[1], echo[2])
	// With --max 1, a refusal comes when everything about the session before it
	// is over: it is the next thing that the accept loop does.
	refused := func() {
		if got := all(t, dial(t, d.addrs[0], "")); got != "" {
			t.Errorf("one too many: %q", got)
		}
	}
	c := untilServed(t, d.addrs[0], "")
	refused()
	before := len(d.descriptors())
	for range 300 {
		c.Close()
		c = untilServed(t, d.addrs[0], "")
	}
	refused()
	if after := len(d.descriptors()); after > before+1 { // the refused one may still be closing
		t.Errorf("descriptors: %d, before %d", after, before)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", d.cmd.Process.Pid, d.cmd.Process.Pid))
	if err == nil && len(strings.Fields(string(b))) > 1 {
		t.Errorf("children: %s", b)
	}
	c.Close()
	d.stop()
}

func TestL07_StopWaitsForSessions(t *testing.T) {
	t.Parallel()
	d := start(t, append([]string{"127.0.0.1:0", "--"}, echo...)...)
	c := untilServed(t, d.addrs[0], "")
	d.cmd.Process.Signal(unix.SIGTERM)
	for end := time.Now().Add(patience); ; {
		n, err := net.Dial("tcp", d.addrs[0])
		if errors.Is(err, unix.ECONNREFUSED) {
			break
		}
		if err == nil {
			n.Close()
		}
		if time.Now().After(end) {
			t.Fatal("connections are still accepted")
		}
	}
	fmt.Fprintln(c, "still here")
	if got := lineOf(t, c); got != "still here\n" {
		t.Errorf("a session after SIGTERM: %q", got)
	}
	c.Close()
	if err := d.wait(); err != nil {
		t.Errorf("end: %v", err)
	}
}

func TestL07_GraceEnds(t *testing.T) {
	t.Parallel()
	const polite = `trap 'echo bye; exit' TERM; echo hello; while :; do read x || exit; done`
	for name, stop := range map[string]func(*daemon){
		"by the clock": func(d *daemon) { d.cmd.Process.Signal(unix.SIGTERM) },
		"by the second signal": func(d *daemon) {
			d.cmd.Process.Signal(unix.SIGTERM)
			awaitLog(d, "stopping")
			d.cmd.Process.Signal(unix.SIGINT)
		},
	} {
		grace := map[string]string{"by the clock": "0s"}[name]
		if grace == "" {
			grace = "1h"
		}
		d := start(t, "127.0.0.1:0", "--grace", grace, "--", "sh", "-c", polite)
		c := untilServed(t, d.addrs[0], "")
		stop(d)
		if got := lineOf(t, c); got != "bye\n" {
			t.Errorf("%s: the session said %q", name, got)
		}
		if err := d.wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// awaitLog waits for an event in the log.
func awaitLog(d *daemon, event string) {
	for end := time.Now().Add(patience); !strings.Contains(d.log.String(), event); {
		if time.Now().After(end) {
			d.t.Fatalf("no %s in the log:\n%s", event, d.log)
		}
		time.Sleep(time.Millisecond)
	}
}
