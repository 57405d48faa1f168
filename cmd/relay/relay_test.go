package main

import (
	"fmt"
	"io"
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

// TestMain is also the fake deliver, which tests tell how to fail.
func TestMain(m *testing.M) {
	if mode := os.Getenv("FAKE_DELIVER"); mode != "" && filepath.Base(os.Args[0]) == "deliver" {
		fake(mode)
		return
	}
	os.Exit(m.Run())
}

// host is a mail host in a directory of its own: users ann and bob of mx.test.
type host struct {
	t   *testing.T
	dir string
	env []string
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir()}
	for _, d := range []string{"etc", "mail"} {
		if err := os.Mkdir(h.path(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.write("etc/me", "mx.test\n")
	h.write("etc/users", "ann:{PLAIN}x:::::\nbob:{PLAIN}x:::::\n")
	q, err := queue.Create(h.path("queue"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.dir, name) }

func (h *host) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// fake makes relay use the fake deliver, which behaves as mode says and notes
// each command it gets.
func (h *host) fake(mode string) {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	dir := h.path("libexec")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "deliver"))
	if err := os.Symlink(self, filepath.Join(dir, "deliver")); err != nil {
		h.t.Fatal(err)
	}
	h.env = []string{"ROHRPOST_LIBEXEC=" + dir, "FAKE_DELIVER=" + mode, "FAKE_LOG=" + h.path("fake.log")}
}

func (h *host) args(more ...string) []string {
	return append([]string{"--etc", h.path("etc"), "--queue", h.path("queue"), "--mail", h.path("mail")}, more...)
}

// command is relay, ready to start.
func (h *host) command(more ...string) *exec.Cmd {
	h.t.Helper()
	progtest.Bin(h.t, "deliver")
	return progtest.Command(h.t, h.env, "relay", h.args(more...)...)
}

// once runs relay --once, which must succeed, and returns its log.
func (h *host) once() string {
	h.t.Helper()
	r := progtest.RunCmd(h.t, nil, h.command("--once"))
	if r.Code != 0 || r.Stdout != "" {
		h.t.Fatalf("exit %d, stdout %q\n%s", r.Code, r.Stdout, r.Stderr)
	}
	return r.Stderr
}

// put puts a message into the queue.
func (h *host) put(env queue.Envelope, text string) string {
	h.t.Helper()
	q, err := queue.Open(h.path("queue"), disk.OS)
	if err != nil {
		h.t.Fatal(err)
	}
	defer q.Close()
	p, err := q.Begin(env)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := io.WriteString(p, text); err != nil {
		h.t.Fatal(err)
	}
	if err := p.Commit(); err != nil {
		h.t.Fatal(err)
	}
	return p.ID()
}

func mail(sender string, rcpts ...string) queue.Envelope {
	env := queue.Envelope{Sender: sender, Arrived: time.Now()}
	for _, r := range rcpts {
		env.Recipients = append(env.Recipients, queue.Recipient{Address: r})
	}
	return env
}

const text = "Received: by mx.test\nSubject: hi\n\nho\n"

// files are the names in a directory of the host; none if it is not there.
func (h *host) files(dir string) []string {
	h.t.Helper()
	list, err := os.ReadDir(h.path(dir))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// waiting are the entries of the queue.
func (h *host) waiting() []string { return append(h.files("queue/new"), h.files("queue/cur")...) }

// inbox are the messages of a user.
func (h *host) inbox(user string) []string {
	h.t.Helper()
	var all []string
	for _, name := range h.files("mail/" + user + "/Maildir/new") {
		b, err := os.ReadFile(h.path("mail/" + user + "/Maildir/new/" + name))
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, string(b))
	}
	return all
}

// want checks how many messages users have and how many entries wait.
func (h *host) want(waiting int, inboxes map[string]int) {
	h.t.Helper()
	for user, n := range inboxes {
		if got := h.inbox(user); len(got) != n {
			h.t.Errorf("%s has %d messages, want %d", user, len(got), n)
		}
	}
	if got := h.waiting(); len(got) != waiting {
		h.t.Errorf("%d entries wait, want %d: %q", len(got), waiting, got)
	}
}

// logged checks that a line of the log matches.
func (h *host) logged(log, pattern string) {
	h.t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(log) {
		h.t.Errorf("no %s in\n%s", pattern, log)
	}
}

// daemon is a relay that keeps running.
type daemon struct {
	h   *host
	cmd *exec.Cmd
	log string // file
}

// start starts relay. It is stopped with the test at the latest.
func (h *host) start() *daemon {
	h.t.Helper()
	d := &daemon{h: h, cmd: h.command(), log: h.path(fmt.Sprintf("log.%d", len(h.files("."))))}
	f, err := os.Create(d.log)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	d.cmd.Stderr = f
	if err := d.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { d.cmd.Process.Kill(); d.cmd.Wait() })
	return d
}

// stop sends a signal, waits, and returns the exit code and the log.
func (d *daemon) stop(s os.Signal) (int, string) {
	d.h.t.Helper()
	d.cmd.Process.Signal(s)
	stop := time.AfterFunc(time.Minute, func() { d.cmd.Process.Kill() })
	d.cmd.Wait()
	stop.Stop()
	b, err := os.ReadFile(d.log)
	if err != nil {
		d.h.t.Fatal(err)
	}
	return d.cmd.ProcessState.ExitCode(), string(b)
}

// until waits for a condition. The bound is no measurement, only an end.
func (h *host) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	h.t.Fatalf("waited in vain for %s; queue: %q", what, h.waiting())
}

func TestDeliversToAMailbox(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	id := h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(0, map[string]int{"bob": 1, "ann": 0})
	h.logged(log, `^relay: delivered q=`+regexp.QuoteMeta(id)+` to=<bob@mx.test> from=<ann@mx.test> delay=\S+ tries=1 reply="250 `)
	if got := h.files("mail/bob/Maildir/new"); !strings.HasPrefix(got[0], id+".R1,") {
		t.Errorf("stored as %q", got)
	}
	if got := h.inbox("bob")[0]; !strings.HasSuffix(got, text) || !strings.HasPrefix(got, "Return-Path: <ann@mx.test>\n") {
		t.Errorf("message %q", got)
	}
}

func TestLargeMessageArrivesByteForByte(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	large := text + strings.Repeat("line\n.dot\n\n", 100_000) + "no end"
	h.put(mail("ann@mx.test", "bob@mx.test"), large)
	h.once()
	if got := h.inbox("bob"); len(got) != 1 || !strings.HasSuffix(got[0], large) {
		t.Error("not what was sent")
	}
}

func TestEachRecipientHasAFateOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	id := h.put(mail("ann@mx.test", "bob@mx.test", "nobody@mx.test", "x@remote.example", "bob+list@mx.test", "no@one@mx.test"), text)
	log := h.once()
	h.want(1, map[string]int{"bob": 2, "ann": 1})
	h.logged(log, `^relay: failed .*to=<nobody@mx.test> .*550 5.1.1`)
	h.logged(log, `^relay: failed .*no@one@mx.test.*553 5.1.3`)
	h.logged(log, `^relay: deferred .*to=<x@remote.example> .*451 4.3.2 mail for other hosts waits`)
	report := h.inbox("ann")[0]
	for _, want := range []string{"<nobody@mx.test>", "Final-Recipient: rfc822; no@one@mx.test", "Subject: hi"} {
		if !strings.Contains(report, want) {
			t.Errorf("no %s in the report\n%s", want, report)
		}
	}
	if strings.Count(report, "Final-Recipient") != 2 || !strings.Contains(h.files("mail/ann/Maildir/new")[0], id+".B2.R1") {
		t.Errorf("report %q\n%s", h.files("mail/ann/Maildir/new"), report)
	}
	if name := h.waiting()[0]; !strings.Contains(name, ",R=3,D=remote.example,") || !strings.Contains(name, ",A=1") {
		t.Errorf("waits as %q", name)
	}
	if got := h.files("queue/rohrpost.notes"); len(got) != 1 || got[0] != id+",R=3" {
		t.Errorf("notes %q", got)
	}
}

func TestAlias(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("list", "ann@mx.test, bob@mx.test\n")
	h.write("etc/aliases", "team: :include:"+h.path("list")+"\nowner-team: ann\nboth: bob, nobody@mx.test\n")
	h.put(mail("eve@mx.test", "team@mx.test"), text)
	log := h.once()
	h.want(0, map[string]int{"ann": 1, "bob": 1})
	if got := h.inbox("bob")[0]; !strings.HasPrefix(got, "Return-Path: <owner-team@mx.test>\n") {
		t.Errorf("message for a member %q", got)
	}
	h.logged(log, `^relay: alias q=\S+ to=<team@mx.test> from=<eve@mx.test>`)

	h.put(mail("ann@mx.test", "both@mx.test"), text)
	h.once()
	h.want(0, map[string]int{"ann": 2, "bob": 2}) // the report goes to the sender
}

func TestAliasOfNullSenderKeepsIt(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/aliases", "team: bob\nowner-team: ann\n")
	h.put(mail("", "team@mx.test"), text)
	h.once()
	if got := h.inbox("bob"); len(got) != 1 || !strings.HasPrefix(got[0], "Return-Path: <>\n") {
		t.Errorf("messages %q", got)
	}
}

func TestAliasLoopWaits(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/aliases", "a: b\nb: a\n")
	h.put(mail("ann@mx.test", "a@mx.test"), text)
	log := h.once()
	h.want(1, map[string]int{"ann": 0})
	h.logged(log, `^relay: route-failed .*lead`)
}

func TestWatchWakesAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	d := h.start()
	for n := 1; n <= 3; n++ {
		h.put(mail("ann@mx.test", "bob@mx.test"), text)
		h.until("the message", func() bool { return len(h.inbox("bob")) == n && len(h.waiting()) == 0 })
	}
	h.put(mail("ann@mx.test", "nobody@mx.test"), text)
	h.until("the report", func() bool { return len(h.inbox("ann")) == 1 && len(h.waiting()) == 0 })
	if code, log := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
}

func TestMailReaderAtWork(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/concurrencylocal", "0\n")
	for range 3 {
		h.put(mail("ann@mx.test", "bob@mx.test"), text)
	}
	h.once()
	h.want(3, map[string]int{"bob": 0})
	for i, name := range h.files("queue/new") {
		flags := []string{"S", "FS", "ST"}[i]
		if err := os.Rename(h.path("queue/new/"+name), h.path("queue/cur/"+name+":2,"+flags)); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(h.path("etc/concurrencylocal"))
	log := h.once()
	h.want(1, map[string]int{"bob": 1})
	h.logged(log, `^relay: cancelled .* tries=1$`)
	if name := h.waiting()[0]; !strings.HasSuffix(name, ":2,FS") {
		t.Errorf("%q waits", name)
	}
	// Released while relay runs: the new name is news.
	d := h.start()
	name := h.waiting()[0]
	if err := os.Rename(h.path("queue/cur/"+name), h.path("queue/cur/"+strings.TrimSuffix(name, "FS")+"S")); err != nil {
		t.Fatal(err)
	}
	h.until("the released message", func() bool { return len(h.inbox("bob")) == 2 && len(h.waiting()) == 0 })
	d.stop(syscall.SIGTERM)
}

func TestDropIsTaken(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	d := h.start()
	entry := "Return-Path: <ann@mx.test>\nRecipient: <bob@mx.test>\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n\nSubject: hi\n\nho\n"
	h.write("queue/drop/tmp/1", entry)
	if err := os.Rename(h.path("queue/drop/tmp/1"), h.path("queue/drop/new/1")); err != nil {
		t.Fatal(err)
	}
	h.until("the message", func() bool { return len(h.inbox("bob")) == 1 && len(h.waiting()) == 0 })
	if got := h.inbox("bob")[0]; !strings.Contains(got, fmt.Sprintf("Received: by mx.test (rohrpost, from uid %d)\n", os.Getuid())) {
		t.Errorf("message %q", got)
	}
	_, log := d.stop(syscall.SIGTERM)
	h.logged(log, `^relay: queued q=\S+ from=<ann@mx.test> rcpts=1 uid=\d+`)
	if got := h.files("queue/drop/new"); len(got) != 0 {
		t.Errorf("drop holds %q", got)
	}
}

// testQueue is the host's queue.
func testQueue(t *testing.T, h *host) *queue.Queue {
	t.Helper()
	q, err := queue.Open(h.path("queue"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}
