package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	d := start(t, append([]string{"unix:" + stale, "--mode", "0600", "--"}, echo...)...)
	untilServed(t, d.addrs[0], "")
	if st, err := os.Stat(stale); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of the socket: %v, %v", st.Mode(), err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		stale: "another program serves it", file: "something else of that name",
		dir + "/none/s": "make the directory", dir + "/" + strings.Repeat("x", 108): "107 bytes",
	} {
		r := progtest.Run(t, nil, nil, "listen", "unix:"+path, "--", "true")
		if r.Code != 111 || !strings.Contains(r.Stderr, says) {
			t.Errorf("%s: exit %d, %s; want 111 and %q", path, r.Code, r.Stderr, says)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file in the way: %q, %v", b, err)
	}
	untilServed(t, d.addrs[0], "") // none of that disturbed it
}

// socket is a listening socket for others to inherit.
func socket(t *testing.T) (f *os.File, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if f, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, l.Addr().String()
}

func TestInheritedSockets(t *testing.T) {
	t.Parallel()
	f, addr := socket(t)
	d := startWith(t, nil, []*os.File{f}, append([]string{"fd:4", "--"}, echo...)...)
	if fmt.Sprint(d.addrs) != "["+addr+"]" {
		t.Errorf("addresses %v, want %s", d.addrs, addr)
	}
	untilServed(t, addr, "").Close()
	d.stop()
	// Stopped, the socket is still good for the next who inherits it.
	startWith(t, nil, []*os.File{f}, append([]string{"fd:4", "--"}, echo...)...)
	untilServed(t, addr, "")
}

// passing is a shell that passes descriptor 3 as systemd does; $1 is how the pid
// is found.
func passing(t *testing.T, f *os.File, pid string, words ...string) *exec.Cmd {
	c := progtest.Command(t, nil, "listen")
	script := `LISTEN_FDS=1 LISTEN_PID=` + pid + ` exec "$0" "$@"`
	c.Args = append([]string{"sh", "-c", script, c.Path}, words...)
	c.Path = "/bin/sh"
	c.ExtraFiles = []*os.File{f}
	return c
}

func TestPassedSockets(t *testing.T) {
	t.Parallel()
	f, addr := socket(t)
	c := passing(t, f, "$$", append([]string{"--"}, echo...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	untilServed(t, addr, "")
	// For somebody else's pid they are not meant.
	r := progtest.RunCmd(t, nil, passing(t, f, "1", "--", "true"))
	if r.Code != 100 || !strings.Contains(r.Stderr, "no socket was passed") {
		t.Errorf("another's LISTEN_PID: exit %d, %s", r.Code, r.Stderr)
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := startWith(t, []string{"NOTIFY_SOCKET=" + path}, nil, "127.0.0.1:0", "127.0.0.1:0", "--", "true")
	if len(d.addrs) != 2 || d.addrs[0] == d.addrs[1] || strings.HasSuffix(d.addrs[0], ":0") {
		t.Errorf("addresses %v", d.addrs)
	}
	d.stop()
	buf := make([]byte, 100)
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		if n, err := l.Read(buf); err != nil || string(buf[:n]) != want {
			t.Errorf("notification %q, %v; want %s", buf[:n], err, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "listen.prom")
	d := start(t, "127.0.0.1:0", "--metrics", file, "--max-per-host", "1", "--", "sh", "-c", "echo hello; read x; exit $x")
	c := untilServed(t, d.addrs[0], "")
	all(t, dial(t, d.addrs[0], "")) // refused
	fmt.Fprintln(c, "7")
	c.Close()
	d.stop()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE rohrpost_listen_accepted_total counter\n",
		"rohrpost_listen_accepted_total{program=\"sh\"} 2\n",
		"rohrpost_listen_refused_total{program=\"sh\",reason=\"host\"} 1\n",
		"rohrpost_listen_ended_total{program=\"sh\",status=\"failed\"} 1\n",
		"rohrpost_listen_sessions{program=\"sh\"} 0\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("metrics lack %s:\n%s", want, b)
		}
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("mode of metrics: %v, %v", st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Dir(file) + "/.*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"0:0", "root", "1000:0", "0:1000"} {
		r := progtest.Run(t, nil, nil, "listen", "127.0.0.1:0", "--user", root, "--", "true")
		if r.Code != 100 || !strings.Contains(r.Stderr, "is root") {
			t.Errorf("--user %s: exit %d, %s", root, r.Code, r.Stderr)
		}
	}
	if os.Geteuid() != 0 {
		own := fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
		d := start(t, append([]string{"127.0.0.1:0", "--user", own, "--"}, echo...)...)
		untilServed(t, d.addrs[0], "")
		r := progtest.Run(t, nil, nil, "listen", "127.0.0.1:0", "--user", fmt.Sprintf("%d:%d", nobody, nobody), "--", "true")
		if r.Code != 111 || !strings.Contains(r.Stderr, "only root can") {
			t.Errorf("another user: exit %d, %s", r.Code, r.Stderr)
		}
		return
	}
	d := start(t, "127.0.0.1:0", "--user", "4243:4344", "--", "sh", "-c", "id -u; id -g; id -G")
	if got := all(t, dial(t, d.addrs[0], "")); got != "4243\n4344\n4344\n" {
		t.Errorf("identity %q", got)
	}
	dir := t.TempDir()
	start(t, "unix:"+dir+"/s", "--user", "4243:4344", "--", "true")
	out, err := exec.Command("stat", "-c", "%u %g %a", dir+"/s").Output()
	if err != nil || string(out) != "4243 4344 660\n" {
		t.Errorf("owner of the socket: %q, %v", out, err)
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	_, taken := socket(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 100, "no program given"},
		{"127.0.0.1:0", 100, "no program given"},
		{"127.0.0.1:0 --", 100, "no program given"},
		{"-- true", 100, "no address given"},
		{"--max 0 127.0.0.1:0 -- true", 100, "--max"},
		{"--host4 33 127.0.0.1:0 -- true", 100, "--host4"},
		{"--protocol gopher 127.0.0.1:0 -- true", 100, "gopher"},
		{"--proxy-from nonsense 127.0.0.1:0 -- true", 100, "nonsense"},
		{"--mode 999 unix:/tmp/x -- true", 100, "octal"},
		{"--user no-such-user-here 127.0.0.1:0 -- true", 100, "useradd"},
		{"--user 1:x 127.0.0.1:0 -- true", 100, "UID:GID"},
		{"--grace soon 127.0.0.1:0 -- true", 100, "grace"},
		{"localhost -- true", 111, "host:port"},
		{"127.0.0.1:nosuchservice -- true", 111, "/etc/services"},
		{"192.0.2.1:0 -- true", 111, "no such address"},
		{taken + " -- true", 111, "ss -ltnp"},
		{"fd:99 -- true", 111, "descriptor 99"},
		{"fd:0 -- true", 111, "not a listening socket"},
		{"fd:x -- true", 111, "number"},
		{"127.0.0.1:0 -- no-such-program-here", 111, "ROHRPOST_LIBEXEC"},
		{"127.0.0.1:0 -- /nonexistent", 111, "/nonexistent"},
		{"--notify 99 127.0.0.1:0 -- true", 111, "--notify 99"},
	} {
		r := progtest.Run(t, strings.NewReader(""), nil, "listen", strings.Fields(c.args)...)
		if r.Code != c.code || !strings.Contains(r.Stderr, c.says) || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("listen %s: exit %d, want %d and one line with %q\n%s", c.args, r.Code, c.code, c.says, r.Stderr)
		}
	}
}
