package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/progtest"
	"rohrpost/cmd/internal/route"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

func TestLMTP(t *testing.T) {
	t.Parallel()
	progtest.Transcripts(t, "testdata/*.txtar", func(t *testing.T, tr *progtest.Transcript) {
		tr.Play(t, nil, "deliver", "--lmtp", "--etc", tr.Dir+"/etc", "--mail", tr.Dir+"/mail")
	})
}

// site is a configuration with users user0, user1 …; their homes are made on
// demand.
func site(t *testing.T, users int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mkdir(t, dir+"/etc")
	mkdir(t, dir+"/mail")
	write(t, dir+"/etc/me", "mx.example\n")
	var lines strings.Builder
	for i := range users {
		fmt.Fprintf(&lines, "user%d:{PLAIN}x::::::\n", i)
	}
	write(t, dir+"/etc/users", lines.String())
	return dir
}

// lmtpSession runs a session that sends all of input at once.
func lmtpSession(t *testing.T, dir string, input io.Reader) progtest.Result {
	t.Helper()
	return progtest.Run(t, input, nil, "deliver", "--lmtp", "--etc", dir+"/etc", "--mail", dir+"/mail")
}

// transactionText is one message as LMTP sends it.
func transactionText(user int, body string) string {
	return fmt.Sprintf("MAIL FROM:<>\r\nRCPT TO:<user%d@mx.example>\r\nDATA\r\n%s\r\n.\r\n", user, body)
}

// More users than Maildirs stay open, more messages than are in flight; each
// message arrives, each reply stands in its place.
func TestLMTPManyUsers(t *testing.T) {
	t.Parallel()
	const users, messagesEach = maxBoxes + 20, 3
	dir := site(t, users)
	var in bytes.Buffer
	in.WriteString("LHLO x\r\n")
	for i := range users * messagesEach {
		in.WriteString(transactionText(i%users, fmt.Sprintf("Subject: %d\r\n", i)))
		if i%5 == 0 {
			in.WriteString("MAIL FROM:<>\r\nRCPT TO:<nobody@mx.example>\r\nRSET\r\n")
		}
	}
	in.WriteString("QUIT\r\n")
	r := lmtpSession(t, dir, &in)
	if r.Code != 0 {
		t.Fatalf("exit %d: %s", r.Code, r.Stderr)
	}
	if n := strings.Count(r.Stdout, "354 "); n != users*messagesEach {
		t.Errorf("%d messages begun", n)
	}
	for i, part := range strings.Split(r.Stdout, "354 ")[1:] {
		lines := strings.Split(part, "\r\n")
		if lines[1] != "250 2.0.0 delivered" {
			t.Errorf("message %d: %q", i, lines[1])
		}
		if refused := strings.Contains(part, "550 5.1.1"); refused != (i%5 == 0) {
			t.Errorf("behind message %d: %q", i, part)
		}
	}
	for u := range users {
		var want []string
		for k := range messagesEach {
			want = append(want, fmt.Sprintf("Return-Path: <>\nDelivered-To: user%d@mx.example\nSubject: %d\n\n", u, k*users+u))
		}
		holds(t, fmt.Sprintf("%s/mail/user%d/Maildir", dir, u), want...)
	}
}

// talk is a session that is spoken line by line.
type talk struct {
	t   *testing.T
	in  io.WriteCloser
	out io.Reader
	buf []byte
}

func startLMTP(t *testing.T, dir string) (*talk, func() error, func(os.Signal)) {
	t.Helper()
	c := progtest.Command(t, nil, "deliver", "--lmtp", "--etc", dir+"/etc", "--mail", dir+"/mail")
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
	stop := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	t.Cleanup(func() { stop.Stop(); c.Process.Kill() })
	return &talk{t: t, in: in, out: out}, c.Wait, func(s os.Signal) { c.Process.Signal(s) }
}

func (k *talk) say(s string) {
	k.t.Helper()
	if _, err := io.WriteString(k.in, s); err != nil {
		k.t.Fatal(err)
	}
}

// hear reads until a line begins so.
func (k *talk) hear(want string) {
	k.t.Helper()
	for {
		line, rest, ok := bytes.Cut(k.buf, []byte("\r\n"))
		if ok {
			k.buf = rest
			if bytes.HasPrefix(line, []byte(want)) {
				return
			}
			continue
		}
		p := make([]byte, 4096)
		n, err := k.out.Read(p)
		k.buf = append(k.buf, p[:n]...)
		if err != nil {
			k.t.Fatalf("no %q: %v", want, err)
		}
	}
}

// A Maildir that is moved away, made unsafe or mended between two messages is
// seen to be so.
func TestLMTPMaildirChanges(t *testing.T) {
	t.Parallel()
	dir := site(t, 1)
	box := dir + "/mail/user0/Maildir"
	k, wait, _ := startLMTP(t, dir)
	k.say("LHLO x\r\n")
	send := func(want string) {
		t.Helper()
		k.say("MAIL FROM:<>\r\nRCPT TO:<user0@mx.example>\r\n")
		k.hear("250 2.1.0")
		if want != "250" {
			k.hear(want)
			k.say("RSET\r\n")
			return
		}
		k.say("DATA\r\n\r\n.\r\n")
		k.hear("250 2.0.0 delivered")
	}
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	count := func(path string, want int) {
		t.Helper()
		if n := len(messages(t, path)); n != want {
			t.Errorf("%s holds %d messages, want %d", path, n, want)
		}
	}
	send("250")
	rename(box, box+".1")
	send("250")
	count(box, 1)
	count(box+".1", 1)
	rename(box+"/new", box+"/new.2")
	mkdir(t, box+"/new")
	send("250")
	count(box, 1)
	for _, path := range []string{box, filepath.Dir(box)} {
		os.Chmod(path, 0o777)
		send("451 4.3.5")
		os.Chmod(path, 0o700)
		send("250")
	}
	count(box, 3)
	decoy := mailHome(t) + "/Maildir"
	rename(box, box+".3")
	if err := os.Symlink(decoy, box); err != nil {
		t.Fatal(err)
	}
	send("451 4.3.5")
	count(decoy, 0)
	k.in.Close()
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// SIGTERM ends the session between two commands; a message half there is gone.
func TestLMTPStops(t *testing.T) {
	t.Parallel()
	dir := site(t, 1)
	k, wait, signal := startLMTP(t, dir)
	k.say("LHLO x\r\n" + transactionText(0, "Subject: x\r\n"))
	k.hear("250 2.0.0 delivered")
	signal(syscall.SIGTERM)
	k.hear("421 ")
	if err := wait(); err != nil {
		t.Error(err)
	}
	holds(t, dir+"/mail/user0/Maildir", "Return-Path: <>\nDelivered-To: user0@mx.example\nSubject: x\n\n")
}

// A message of 100 MB for two, in little memory.
func TestLMTPLargeMessageStreams(t *testing.T) {
	t.Parallel()
	dir := site(t, 2)
	line := strings.Repeat("x", 1022) + "\r\n"
	in := io.MultiReader(
		strings.NewReader("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<user0@mx.example>\r\nRCPT TO:<user1@mx.example>\r\nDATA\r\n\r\n"),
		&repeat{text: []byte(strings.Repeat(line, 32)), left: 50 << 20},
		strings.NewReader(".\r\nQUIT\r\n"))
	c := progtest.Command(t, nil, "deliver", "--lmtp", "--etc", dir+"/etc", "--mail", dir+"/mail")
	r := progtest.RunCmd(t, in, c)
	if r.Code != 0 || strings.Count(r.Stdout, "250 2.0.0 delivered") != 2 {
		t.Fatalf("exit %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	checkMemory(t, c)
	for _, user := range []string{"user0", "user1"} {
		got := names(t, dir+"/mail/"+user+"/Maildir/new")
		if len(got) != 1 || !strings.Contains(got[0], fmt.Sprintf(",S=%d,", 1023*50<<10+len("Return-Path: <>\nDelivered-To: user0@mx.example\n\n"))) {
			t.Errorf("%s: %q", user, got)
		}
	}
}

// A bad configuration ends the program before it greets.
func TestLMTPBadConfiguration(t *testing.T) {
	t.Parallel()
	dir := site(t, 1)
	write(t, dir+"/etc/virtualdomains", "a b c:\n")
	r := lmtpSession(t, dir, strings.NewReader("QUIT\r\n"))
	if r.Code != 75 || r.Stdout != "" || !strings.Contains(r.Stderr, dir+"/etc/virtualdomains:1: ") {
		t.Errorf("exit %d, %q, %q", r.Code, r.Stdout, r.Stderr)
	}
}

// panicky is a file system with a bug in it.
type panicky struct{ disk.FS }

func (panicky) Link(*disk.Dir, string, *disk.Dir, string) error { panic("bug") }

// A panic while a message is stored is that message's trouble, and temporary.
func TestO06_PanicInWorker(t *testing.T) {
	t.Parallel()
	dir := site(t, 1)
	table, err := route.Load(control.Dir{Path: dir + "/etc"}, dir+"/mail")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	b := &lmtp{table: table, boxes: newBoxes(panicky{disk.OS}, dir+"/mail"), work: startPool(1),
		log: &maillog.Logger{Program: "deliver", Write: func(line []byte) { log.Write(line) }}, over: mailboxFull}
	tx, _ := b.Mail(&server.Mail{})
	to, err := address.Parse("user0@mx.example", false)
	if err != nil {
		t.Fatal(err)
	}
	if r := tx.Rcpt(&server.Rcpt{To: to}); r.Code != 0 {
		t.Fatal(r)
	}
	tx.Begin()
	io.WriteString(tx, hello)
	verdict := make(chan smtp.Reply, 1)
	tx.End(func(r ...smtp.Reply) { verdict <- r[0] })
	if r := <-verdict; r.String() != "451 4.3.0 cannot store the message now" {
		t.Errorf("reply %q", r)
	}
	if !strings.Contains(log.String(), "deliver: panic ") {
		t.Errorf("log %q", log.String())
	}
}
