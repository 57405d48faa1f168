package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
)

// maxRSS bounds the memory of a session, in KB, whatever is sent.
const maxRSS = 24 << 10

// repeat is text n times over, as a stream.
func repeat(text string, n int) io.Reader {
	block := bytes.Repeat([]byte(text), max(1, 32<<10/len(text)))
	total := int64(n) * int64(len(text))
	return io.LimitReader(endless{block: block, at: new(int)}, total)
}

type endless struct {
	block []byte
	at    *int
}

func (e endless) Read(p []byte) (int, error) {
	n := copy(p, e.block[*e.at:])
	*e.at = (*e.at + n) % len(e.block)
	return n, nil
}

// stream runs a conversation that is too large for memory, and returns what was
// said and the most memory that the program ever had, in KB.
func (h host) stream(t *testing.T, env []string, input ...io.Reader) (progtest.Result, int64) {
	t.Helper()
	c := progtest.Command(t, append(h.env(), env...), "smtpd")
	r := progtest.RunCmd(t, io.MultiReader(input...), c)
	return r, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}

func TestS22_MillionRecipients(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	r, rss := h.stream(t, nil, strings.NewReader(opening), repeat("RCPT TO:<bob@mx.example>\r\n", 1_000_000), strings.NewReader("QUIT\r\n"))
	if !strings.HasSuffix(r.Stdout, "421 4.7.0 too many errors, closing connection\r\n") {
		t.Errorf("the flood did not end the session: %.200q", r.Stdout[max(0, len(r.Stdout)-200):])
	}
	if rss > maxRSS {
		t.Errorf("memory went up to %d KB", rss)
	}
}

func TestS24_LineWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	r, rss := h.stream(t, nil, repeat("a", 2<<30), strings.NewReader("\r\nQUIT\r\n"))
	if r.Stdout != "220 mx.example ESMTP\r\n500 5.5.2 line too long\r\n" || r.Code != 0 {
		t.Errorf("said %q, exit %d", r.Stdout, r.Code)
	}
	if rss > maxRSS {
		t.Errorf("memory went up to %d KB", rss)
	}
	if !strings.Contains(r.Stderr, "smtpd: lost ") {
		t.Errorf("log: %s", r.Stderr)
	}
}

func TestS25_HugeHeaders(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	for claim, header := range map[string]io.Reader{
		"a line of 100 MB": io.MultiReader(strings.NewReader("Subject: "), repeat("x", 100<<20), strings.NewReader("\r\n")),
		"a million fields": repeat("X-Field: some value of a common length\r\n", 1_000_000),
		"one of a million": repeat("Subject: x\r\n folded\r\n", 1_000_000),
	} {
		h := newHost(t, t.TempDir())
		r, rss := h.stream(t, []string{"DATABYTES=0"}, strings.NewReader(opening+"DATA\r\n"), header, strings.NewReader("\r\nbody\r\n.\r\nQUIT\r\n"))
		if codes(r.Stdout) != "220 250 250 250 354 250 221" {
			t.Errorf("%s: %s %s", claim, codes(r.Stdout), r.Stderr)
		}
		if rss > maxRSS {
			t.Errorf("%s: memory went up to %d KB", claim, rss)
		}
		if n := len(glob(t, h.path("queue", "new", "*"))); n != 1 {
			t.Errorf("%s: %d messages queued", claim, n)
		}
	}
	h := newHost(t, t.TempDir())
	r, _ := h.stream(t, []string{"DATABYTES=1000000"}, strings.NewReader(opening+"DATA\r\n"), repeat("X-Field: some value\r\n", 1_000_000), strings.NewReader("\r\n.\r\nQUIT\r\n"))
	if codes(r.Stdout) != "220 250 250 250 354 552 221" || len(h.files(t)) != 0 {
		t.Errorf("beyond the limit: %s", codes(r.Stdout))
	}
}

func TestS27_ClientGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for _, part := range []string{"DATA\r\nSubject: x\r\n\r\nhalf", "DATA\r\nSubject: x\r\n\r\nwhole\r\n", "DATA\r\nx\r\n.", "DATA\r\nx\r\n.\r",
		"BDAT 100\r\nhalf", "BDAT 5\r\nhalf\n", "BDAT 4 LAST\r\nabc"} {
		r := h.run(t, nil, opening+part)
		if strings.Contains(r.Stdout, "queued") || r.Code != 0 {
			t.Errorf("%q: said %q, exit %d", part, r.Stdout, r.Code)
		}
		for _, dir := range []string{"new", "cur", "tmp"} {
			if left := glob(t, h.path("queue", dir, "*")); len(left) != 0 {
				t.Errorf("%q: %s holds %q", part, dir, left)
			}
		}
	}
}

// The client is gone when the verdict comes: the message is ours all the same
// (RFC 1047), once.
func TestS28_ClientGoneBeforeTheVerdict(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	c := progtest.Command(t, h.env(), "smtpd")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, opening+"DATA\r\n")
	readUntil(t, out, "354 ")
	out.Close()
	io.WriteString(in, "Subject: x\r\n\r\nx\r\n.\r\n")
	in.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if q := h.queued(t); len(q) != 1 {
		t.Errorf("queued %q, want one", q)
	}
}

// readUntil reads what a server says until text comes up.
func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var said []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(said, []byte(text)) {
		n, err := r.Read(buf)
		said = append(said, buf[:n]...)
		if err != nil {
			t.Fatalf("waiting for %q: %v after %q", text, err, said)
		}
	}
	return string(said)
}

func TestS36_QueueProgram(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"cat >message; cat <&1 >envelope": "250 2.0.0 queued as ",
		"exit 111":                        "451 4.3.0 cannot handle this now",
		"exit 11":                         "554 5.3.0 message cannot be accepted",
		"cat >/dev/null; exit 31":         "554 5.3.0 message cannot be accepted",
		"cat >/dev/null; exit 40":         "554 5.3.0 message cannot be accepted",
		"cat >/dev/null; exit 53":         "451 4.3.0 cannot handle this now",
		"cat >/dev/null; exit 91":         "451 4.3.0 cannot handle this now",
		"cat >/dev/null; printf 'Dgo away\\n' >&6; exit 82":    "554 5.7.1 go away?",
		"cat >/dev/null; printf 'Znot today' >&6; exit 82":     "451 4.3.0 not today",
		"cat >/dev/null; printf 'noise' >&6; exit 82":          "451 4.3.0 cannot handle this now",
		"cat >/dev/null; cat <&1 >/dev/null; kill -9 $$":       "451 4.3.0 cannot handle this now",
		"echo noise; echo noise >&2; cat >/dev/null; exit 111": "451 4.3.0 cannot handle this now",
	} {
		h := newHost(t, t.TempDir())
		h.script(t, "queue-it", "cd "+h.dir+"; "+script)
		r := h.run(t, []string{"QMAILQUEUE=" + h.path("queue-it")}, opening+"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n")
		lines := strings.Split(strings.TrimSuffix(r.Stdout, "221 2.0.0 bye\r\n"), "\r\n")
		if last := lines[len(lines)-2]; !strings.HasPrefix(last, want) {
			t.Errorf("%s: %q, want %q; %s", script, last, want, r.Stderr)
		}
		if strings.HasPrefix(want, "250") {
			message, _ := os.ReadFile(h.path("message"))
			envelope, _ := os.ReadFile(h.path("envelope"))
			_, text := cutReceived(t, string(message))
			if text != "Subject: x\n\nx\n" || string(envelope) != "Fann@b.example\x00Tbob@mx.example\x00\x00" {
				t.Errorf("the program got %q and %q", message, envelope)
			}
		}
	}
	h := newHost(t, t.TempDir())
	r := h.run(t, []string{"QMAILQUEUE=" + h.path("missing")}, opening+"DATA\r\nQUIT\r\n")
	if codes(r.Stdout) != "220 250 250 250 452 221" || len(h.files(t)) != 0 {
		t.Errorf("the program is missing: %s", codes(r.Stdout))
	}
}

// A program that sees the client go must not see an envelope.
func TestS36_QueueProgramAndAClientThatGoes(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	h.script(t, "queue-it", "cat >/dev/null; cat <&1 >"+h.path("envelope"))
	h.run(t, []string{"QMAILQUEUE=" + h.path("queue-it")}, opening+"DATA\r\nSubject: x\r\n")
	if b, _ := os.ReadFile(h.path("envelope")); len(b) != 0 {
		t.Errorf("the program got the envelope %q", b)
	}
}

// A full file system, in a name space of our own where that is allowed.
func TestS37_DiskFull(t *testing.T) {
	t.Parallel()
	for claim, size := range map[string]string{"no blocks": "size=64k", "no inodes": "nr_inodes=10"} {
		h := newHost(t, t.TempDir())
		script := fmt.Sprintf(`mount -t tmpfs -o %s none %s && cd %[2]s && mkdir new cur tmp && i=0 &&
while [ $i -lt 20 ]; do i=$((i+1)); touch tmp/fill$i 2>/dev/null; done; exec %s`, size, h.path("queue"), progtest.Bin(t, "smtpd"))
		c := exec.Command("unshare", "-rm", "sh", "-c", script)
		c.Env = h.env()
		if err := exec.Command("unshare", "-rm", "sh", "-c", "mount -t tmpfs none /tmp").Run(); err != nil {
			t.Skip("no mount name spaces here")
		}
		r := progtest.RunCmd(t, io.MultiReader(strings.NewReader(opening+"DATA\r\n"), repeat("some text in a line\r\n", 10_000), strings.NewReader(".\r\nRSET\r\nQUIT\r\n")), c)
		if !strings.Contains(r.Stdout, "452 4.3.1") || strings.Contains(r.Stdout, "queued") || strings.Contains(r.Stdout, h.dir) {
			t.Errorf("%s: said %q, log %s", claim, r.Stdout, r.Stderr)
		}
		if !strings.Contains(r.Stderr, "no space left on device") {
			t.Errorf("%s: the log does not say why: %s", claim, r.Stderr)
		}
	}
}

func TestS37_QueueGone(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"tmp", "new"} {
		h := newHost(t, t.TempDir())
		c := progtest.Command(t, h.env(), "smtpd")
		in, _ := c.StdinPipe()
		out, _ := c.StdoutPipe()
		var log bytes.Buffer
		c.Stderr = &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		io.WriteString(in, opening)
		readUntil(t, out, "recipient ok")
		if err := os.Remove(h.path("queue", dir)); err != nil {
			t.Fatal(err)
		}
		io.WriteString(in, "BDAT 3 LAST\r\nx\r\nNOOP\r\n")
		in.Close()
		said, _ := io.ReadAll(out)
		if c.Wait(); codes(string(said)) != "452 250" {
			t.Errorf("%s is gone: %q, log %s", dir, said, log.String())
		}
	}
}

func TestS38_ProgramCannotStart(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	// Before the session it looks like a program; to start it fails.
	h.script(t, "not-a-program", "")
	h.write(t, "not-a-program", "#!/nonexistent/interpreter\n")
	r := h.run(t, nil, opening+"DATA\r\nx\r\n.\r\nQUIT\r\n", "--filter", h.path("not-a-program"))
	if codes(r.Stdout) != "220 250 250 250 354 451 221" || len(h.files(t)) != 0 {
		t.Errorf("said %s", codes(r.Stdout))
	}
	if left := glob(t, h.path("queue", "tmp", "*")); len(left) != 0 {
		t.Errorf("left in tmp: %q", left)
	}
}

// A signal ends a transaction that takes long between two commands, not within a
// message.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, before, wait, after, want string }{
		{"between recipients", opening, "2.1.5 recipient ok\r\n", "", "421 4.3.2 service is being stopped, try again later\r\n"},
		{"between chunks", opening + "BDAT 3\r\nx\r\n", "bytes taken\r\n", "", "421 4.3.2 service is being stopped, try again later\r\n"},
		{"within a message", opening + "DATA\r\nSubject: x\r\n", "354", "\r\n.\r\n", "queued as "},
	} {
		h := newHost(t, t.TempDir())
		cmd := progtest.Command(t, h.env(), "smtpd")
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		io.WriteString(in, c.before)
		readUntil(t, out, c.wait)
		untilReady(t, cmd.Process.Pid)
		cmd.Process.Signal(syscall.SIGTERM)
		untilTold(cmd.Process.Pid)
		io.WriteString(in, c.after)
		said, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", c.claim, err)
		}
		// Its input stays open, so only the signal can have ended it.
		if !strings.Contains(string(said), c.want) || !strings.Contains(string(said), "421 4.3.2") {
			t.Errorf("%s: said %q", c.claim, said)
		}
		if left := glob(t, h.path("queue", "tmp", "*")); len(left) != 0 {
			t.Errorf("%s: left in tmp: %q", c.claim, left)
		}
	}
}

// untilReady returns when a process listens for signals: once the client has let
// it wait, it has the descriptor by which a signal wakes it.
func untilReady(t *testing.T, pid int) {
	t.Helper()
	for range 2000 {
		if wakeCount(pid) != "" {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("smtpd does not listen for signals")
}

// untilTold returns when the session has heard of a signal, or ended.
func untilTold(pid int) {
	for range 2000 {
		if n := wakeCount(pid); n != "0" {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// wakeCount is the count of a process's eventfd, in hexadecimal, or "" if it has
// none.
func wakeCount(pid int) string {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	for _, fd := range fds {
		b, _ := os.ReadFile(fd)
		if _, n, ok := strings.Cut(string(b), "eventfd-count:"); ok {
			return strings.Fields(n)[0]
		}
	}
	return ""
}

// A session that has nothing open ends at once, and so does one whose client is
// quick: what was not acknowledged is not there.
func TestSIGTERMWithoutTransaction(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	cmd := progtest.Command(t, h.env(), "smtpd")
	in, _ := cmd.StdinPipe()
	defer in.Close()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "EHLO x\r\n")
	readUntil(t, out, "250 HELP\r\n")
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err == nil || len(h.files(t)) != 0 {
		t.Errorf("ended with %v, queue %q", err, h.files(t))
	}
}

// Having no descriptor left passes; a supervisor shall try again.
func TestL04_NoDescriptorLeftIsTemporary(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	c := exec.Command("sh", "-c", `ulimit -n 5; exec "$@"`, "sh", progtest.Bin(t, "smtpd"))
	c.Env = append(os.Environ(), h.env()...)
	r := progtest.RunCmd(t, strings.NewReader("QUIT\r\n"), c)
	if r.Code != 111 || !strings.Contains(r.Stderr, "too many open files") || strings.Contains(r.Stdout, "220") {
		t.Errorf("exit %d, said %q, log %q", r.Code, r.Stdout, r.Stderr)
	}
}
