// Package services starts the service definitions in scripts for real, as the
// supervisors they are for would, and gets a greeting from each.
package services

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

const patience = 30 * time.Second

// definition is the path of a service definition.
func definition(elem ...string) string {
	return filepath.Join(append([]string{progtest.Root(), "scripts"}, elem...)...)
}

// need finds a program of Debian's; without it the definitions go untested, so
// that is a failure.
func need(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path = "/usr/sbin/" + name; !executable(path) {
			t.Fatalf("%s is missing: apt-get install %s", name, pkg)
		}
	}
	return path
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode()&0o111 != 0
}

// host is a configuration of which smtpd and pop3d can greet, and the
// environment that leads to it.
func host(t *testing.T) (etc string, env []string) {
	t.Helper()
	for _, p := range []string{"listen", "smtpd", "pop3d", "imapd", "checkpw", "login-ok", "relay", "deliver"} {
		progtest.Bin(t, p)
	}
	dir := t.TempDir()
	etc = filepath.Join(dir, "etc")
	files := map[string]string{"me": "mx.example.net", "queue": dir + "/queue", "mail": dir + "/mail", "users": ""}
	q, err := queue.Create(dir+"/queue", disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	for _, d := range []string{etc, dir + "/mail"} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return etc, []string{"PATH=" + os.Getenv("PATH"), "ROHRPOST_ETC=" + etc, "ROHRPOST_LIBEXEC=" + progtest.BinDir(),
		"LIBEXEC=" + progtest.BinDir(), "MAILUSER="}
}

// port is a port that is free now. Whoever takes it meanwhile fails the test,
// which no definition could help.
func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// run starts a supervisor and ends it, with all that it started, at the end.
func run(t *testing.T, env []string, argv ...string) {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM)
		done := make(chan bool)
		go func() { c.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Errorf("%s does not end", argv[0])
		}
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		if b, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s said:\n%s", argv[0], b)
		}
	})
}

// greeting connects until somebody listens, and reads a line.
func greeting(t *testing.T, port string) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Errorf("no greeting: %q, %v", line, err)
		}
		return line
	}
	t.Error("nobody listens")
	return ""
}

// services are the ones that greet, each with the beginning of its words.
var services = []struct{ name, says string }{
	{"smtpd", "220 mx.example.net "}, {"submission", "220 mx.example.net "}, {"pop3d", "+OK"}, {"imapd", "* OK"},
}

func TestTcpserver(t *testing.T) {
	t.Parallel()
	need(t, "tcpserver", "ucspi-tcp")
	_, env := host(t)
	for _, s := range services {
		p := port(t)
		run(t, append(env, "HOST=127.0.0.1", "PORT="+p), definition("tcpserver", s.name, "run"))
		if got := greeting(t, p); !strings.HasPrefix(got, s.says) {
			t.Errorf("%s: %q, want %q", s.name, got, s.says)
		}
	}
}

// Each service directory runs under s6-supervise, which also says when it is
// ready.
func TestS6(t *testing.T) {
	t.Parallel()
	supervise, wait := need(t, "s6-supervise", "s6"), need(t, "s6-svwait", "s6")
	_, env := host(t)
	for _, s := range services {
		dir, p := t.TempDir(), port(t)
		copyFiles(t, definition("s6", s.name), dir)
		run(t, append(env, "ADDRESS=127.0.0.1:"+p), supervise, dir)
		if got := greeting(t, p); !strings.HasPrefix(got, s.says) {
			t.Errorf("%s: %q, want %q", s.name, got, s.says)
		}
		if out, err := exec.Command(wait, "-U", "-t", "30000", dir).CombinedOutput(); err != nil {
			t.Errorf("%s is never ready: %v %s", s.name, err, out)
		}
	}
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// The lines of inetd.conf with other ports, our programs and our user.
func TestInetd(t *testing.T) {
	t.Parallel()
	inetd := need(t, "inetd", "openbsd-inetd")
	if os.Geteuid() != 0 {
		t.Skip("inetd needs root to change to the user in its file")
	}
	etc, env := host(t)
	b, err := os.ReadFile(definition("inetd", "inetd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("/usr/local/libexec/rohrpost/", progtest.BinDir()+"/", "  mail  ", "  root  ",
		"GOMAXPROCS=1", "GOMAXPROCS=1 ROHRPOST_ETC="+etc+" ROHRPOST_LIBEXEC="+progtest.BinDir()).Replace(string(b))
	ports := map[string]string{"smtpd": port(t), "submission": port(t), "pop3d": port(t), "imapd": port(t)}
	for service, name := range map[string]string{"smtp": "smtpd", "submission": "submission", "pop3": "pop3d", "imap2": "imapd"} {
		conf = regexp.MustCompile(`(?m)^`+service+`\s`).ReplaceAllString(conf, "127.0.0.1:"+ports[name]+" ")
	}
	file := filepath.Join(t.TempDir(), "inetd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, env, inetd, "-i", file)
	for _, s := range services {
		if got := greeting(t, ports[s.name]); !strings.HasPrefix(got, s.says) {
			t.Errorf("%s: %q, want %q\n%s", s.name, got, s.says, conf)
		}
	}
}

// systemd's own judge reads the units, with our programs where they will be.
func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	units, err := filepath.Glob(definition("systemd", "*.s*"))
	if err != nil || len(units) < 10 {
		t.Fatalf("units: %v, %v", units, err)
	}
	dir := t.TempDir()
	var paths []string
	for _, u := range units {
		b, err := os.ReadFile(u)
		if err != nil {
			t.Fatal(err)
		}
		keyLines(t, filepath.Base(u), string(b))
		path := filepath.Join(dir, filepath.Base(u))
		text := strings.ReplaceAll(string(b), "/usr/local/libexec/rohrpost/", progtest.BinDir()+"/")
		text = strings.ReplaceAll(text, "Documentation=", "#Documentation=") // looked up among installed pages
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(u, "@") { // a template is read for its socket
			paths = append(paths, path)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // the lines were checked
	}
	for _, p := range []string{"listen", "smtpd", "pop3d", "imapd", "relay"} {
		progtest.Bin(t, p)
	}
	c := exec.Command(analyze, append([]string{"verify", "--man=no", "--recursive-errors=no"}, paths...)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// keyLines holds what makes a unit what it is.
func keyLines(t *testing.T, name, text string) {
	t.Helper()
	var want []string
	switch {
	case strings.HasSuffix(name, ".socket"):
		want = []string{"Accept=yes", "MaxConnectionsPerSource=20"}
	case strings.HasSuffix(name, "@.service"):
		want = []string{"StandardInput=socket", "StandardOutput=socket", "StandardError=journal", "Environment=GOMAXPROCS=1", "User=mail"}
	case strings.HasSuffix(name, "-listen.service"):
		want = []string{"Type=notify", "KillMode=mixed", "Restart=always"}
	default:
		want = []string{"User=mail", "Restart=always"}
	}
	for _, l := range want {
		if !strings.Contains(text, "\n"+l+"\n") {
			t.Errorf("%s lacks %s", name, l)
		}
	}
}
