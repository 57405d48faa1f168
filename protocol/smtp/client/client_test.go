package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rohrpost/protocol/smtp"
)

// peer is an LMTP server of a few lines: handle gets each command, for BDAT with
// its chunk, and returns the reply lines, or "" for none now.
type peer struct {
	in     *bufio.Reader
	out    *os.File
	handle func(command string, chunk []byte) string
	seen   []string
	mu     sync.Mutex
}

const hello = "250-mx.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n"

// dial starts a session with a peer. The peer ends when the test does.
func dial(t *testing.T, handle func(command string, chunk []byte) string) (*Conn, *peer) {
	t.Helper()
	serverIn, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, serverOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{in: bufio.NewReader(serverIn), out: serverOut, handle: handle}
	ended := make(chan struct{})
	go func() { p.serve(); serverOut.Close(); serverIn.Close(); close(ended) }()
	t.Cleanup(func() { to.Close(); <-ended; from.Close() })
	c := New(from, to)
	c.Timeout = time.Minute
	if err := c.Hello("client.test"); err != nil {
		t.Fatal(err)
	}
	return c, p
}

func (p *peer) serve() {
	io.WriteString(p.out, "220 mx.test LMTP\r\n")
	for {
		l, err := p.in.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimSuffix(l, "\r\n")
		var chunk []byte
		if size, ok := strings.CutPrefix(l, "BDAT "); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(size, " LAST"))
			if err != nil {
				return
			}
			chunk = make([]byte, n)
			if _, err := io.ReadFull(p.in, chunk); err != nil {
				return
			}
		}
		p.mu.Lock()
		p.seen = append(p.seen, l)
		p.mu.Unlock()
		reply := hello
		if !strings.HasPrefix(l, "LHLO ") {
			reply = p.handle(l, chunk)
		}
		if reply == "close" {
			return
		}
		io.WriteString(p.out, reply)
		if l == "QUIT" {
			return
		}
	}
}

func (p *peer) commands() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, "\n")
}

// accept takes everything: one verdict for each RCPT.
func accept() func(string, []byte) string {
	rcpts := 0
	return func(l string, _ []byte) string {
		switch {
		case strings.HasPrefix(l, "RCPT"):
			rcpts++
		case strings.HasSuffix(l, " LAST"):
			n := rcpts
			rcpts = 0
			return strings.Repeat("250 2.0.0 stored\r\n", n)
		}
		return "250 ok\r\n"
	}
}

func message(rcpts int, text string) Transaction {
	t := Transaction{Sender: "ann@example.org", Message: strings.NewReader(text)}
	for i := range rcpts {
		t.Recipients = append(t.Recipients, Recipient{Address: fmt.Sprintf("r%d@mx.test", i+1)})
	}
	return t
}

func codes(replies []smtp.Reply) string {
	s := make([]string, len(replies))
	for i, r := range replies {
		s[i] = strconv.Itoa(r.Code)
	}
	return strings.Join(s, " ")
}

func TestSendOneTransaction(t *testing.T) {
	t.Parallel()
	var got []byte
	a := accept()
	c, p := dial(t, func(l string, chunk []byte) string { got = append(got, chunk...); return a(l, chunk) })
	tr := message(2, "Subject: hi\n\nho\r\n.\n")
	tr.Params, tr.Recipients[1].Params = "BODY=8BITMIME", "XDELIVERYID=x.R2 XAGAIN=1"
	replies, err := c.Send(tr)
	if err != nil || codes(replies) != "250 250" {
		t.Fatalf("%v, %v", replies, err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if c.Err() != nil {
		t.Errorf("after QUIT: %v", c.Err())
	}
	want := "LHLO client.test\nMAIL FROM:<ann@example.org> BODY=8BITMIME\nRCPT TO:<r1@mx.test>\n" +
		"RCPT TO:<r2@mx.test> XDELIVERYID=x.R2 XAGAIN=1\nBDAT 22 LAST\nQUIT"
	if p.commands() != want {
		t.Errorf("sent\n%s", p.commands())
	}
	if string(got) != "Subject: hi\r\n\r\nho\r\n.\r\n" {
		t.Errorf("message %q", got)
	}
}

func TestQ09_VerdictsGoToTheirRecipients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, mail, rcpts, last, want string }{
		{"each its own", "250 ok", "250 250 250", "250 450 550", "250 450 550"},
		{"none for those refused at RCPT", "250 ok", "550 250 450", "452", "550 452 450"},
		{"the first refused", "250 ok", "550 250 250", "250 451", "550 250 451"},
		{"all refused at RCPT", "250 ok", "550 450 551", "503", "550 450 551"},
		{"MAIL refused", "552 no", "503 503 503", "503", "552 552 552"},
	} {
		n := 0
		rcpts := strings.Fields(c.rcpts)
		conn, _ := dial(t, func(l string, _ []byte) string {
			switch {
			case strings.HasPrefix(l, "MAIL"):
				n = 0
				return c.mail + "\r\n"
			case strings.HasPrefix(l, "RCPT"):
				n++
				return rcpts[n-1] + " x\r\n"
			case strings.HasSuffix(l, "LAST"):
				return strings.ReplaceAll(c.last, " ", " x\r\n") + " x\r\n"
			}
			return "250 ok\r\n"
		})
		for range 2 { // the second finds the session in order
			replies, err := conn.Send(message(3, "m\n"))
			if err != nil || codes(replies) != c.want {
				t.Errorf("%s: %s, %v", c.claim, codes(replies), err)
			}
		}
	}
}

func TestLargeMessageGoesInChunks(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789\n", 3*chunk/11)
	for name, text := range map[string]string{"some chunks": text, "exactly one": text[:chunk], "one and a bit": text[:chunk+1]} {
		var got bytes.Buffer
		a := accept()
		c, p := dial(t, func(l string, chunk []byte) string { got.Write(chunk); return a(l, chunk) })
		replies, err := c.Send(message(1, text))
		if err != nil || codes(replies) != "250" {
			t.Fatalf("%s: %v, %v", name, replies, err)
		}
		if got.String() != strings.ReplaceAll(text, "\n", "\r\n") {
			t.Errorf("%s: %d bytes came", name, got.Len())
		}
		if strings.Count(p.commands(), "LAST") != 1 || strings.Count(p.commands(), "BDAT") < 2 {
			t.Errorf("%s: sent\n%s", name, p.commands())
		}
	}
}

func TestRefusedChunkIsTheVerdict(t *testing.T) {
	t.Parallel()
	n := 0
	c, _ := dial(t, func(l string, _ []byte) string {
		if strings.HasPrefix(l, "BDAT") {
			if n++; n == 1 {
				return "452 4.3.1 full\r\n"
			}
			return "503 5.5.1 no transaction\r\n"
		}
		return "250 ok\r\n"
	})
	replies, err := c.Send(message(2, strings.Repeat("x\n", 2*chunk)))
	if err != nil || codes(replies) != "452 452" {
		t.Errorf("%v, %v", replies, err)
	}
}

// Many transactions are on their way before the first verdict.
func TestManyInFlight(t *testing.T) {
	t.Parallel()
	const n = 20
	var late strings.Builder
	lasts := 0
	c, _ := dial(t, func(l string, chunk []byte) string {
		switch {
		case !strings.HasSuffix(l, "LAST"):
			late.WriteString("250 ok\r\n")
		case strings.HasPrefix(string(chunk), "bad"):
			late.WriteString("550 5.7.1 bad\r\n")
			lasts++
		default:
			late.WriteString("250 2.0.0 good\r\n")
			lasts++
		}
		if lasts == n {
			return late.String()
		}
		return ""
	})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			text, want := "good\n", "250"
			if i%3 == 0 {
				text, want = "bad\n", "550"
			}
			if replies, err := c.Send(message(1, text)); err != nil || codes(replies) != want {
				t.Errorf("%s: %v, %v", text, replies, err)
			}
		})
	}
	wg.Wait()
}

// failing ends with an error of its own.
type failing struct {
	r   io.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

// Invariant 2: a message whose source fails is never ended.
func TestSourceThatFails(t *testing.T) {
	t.Parallel()
	for i, size := range []int{0, 10, chunk, 3 * chunk} {
		// A source cut short, as a connection is, must not look like the end.
		cause := []error{errors.New("disk on fire"), io.ErrUnexpectedEOF}[i%2]
		c, p := dial(t, accept())
		tr := message(1, "")
		tr.Message = failing{strings.NewReader(strings.Repeat("x", size)), cause}
		if _, err := c.Send(tr); !errors.Is(err, ErrSource) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if strings.Contains(p.commands(), "LAST") {
			t.Errorf("%d bytes: sent\n%s", size, p.commands())
		}
		if replies, err := c.Send(message(1, "m\n")); err != nil || codes(replies) != "250" {
			t.Errorf("%d bytes: the next message: %v, %v", size, replies, err)
		}
	}
}

func TestServerThatEnds(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"MAIL", "RCPT", "BDAT"} {
		c, _ := dial(t, func(l string, _ []byte) string {
			if strings.HasPrefix(l, at) {
				return "close"
			}
			return "250 ok\r\n"
		})
		if replies, err := c.Send(message(1, "m\n")); err == nil {
			t.Errorf("at %s: verdicts %v", at, replies)
		}
		<-c.Done()
		if c.Err() == nil {
			t.Errorf("at %s: no error", at)
		}
		if _, err := c.Send(message(1, "m\n")); err == nil {
			t.Errorf("at %s: a dead session took a message", at)
		}
	}
}

func TestQ02_MalformedReplyEndsTheSession(t *testing.T) {
	t.Parallel()
	c, _ := dial(t, func(l string, _ []byte) string {
		if strings.HasPrefix(l, "RCPT") {
			return "250-ok\r\n550 not\r\n"
		}
		return "250 ok\r\n"
	})
	if _, err := c.Send(message(1, "m\n")); !errors.Is(err, ErrReply) {
		t.Errorf("%v", err)
	}
}

func TestReplyToNothingEndsTheSession(t *testing.T) {
	t.Parallel()
	c, _ := dial(t, func(l string, chunk []byte) string {
		if strings.HasSuffix(l, "LAST") {
			return "250 ok\r\n250 and more\r\n"
		}
		return "250 ok\r\n"
	})
	c.Send(message(1, "m\n"))
	<-c.Done()
	if !errors.Is(c.Err(), ErrReply) {
		t.Errorf("%v", c.Err())
	}
}

func TestSilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	c, _ := dial(t, func(l string, _ []byte) string {
		if strings.HasPrefix(l, "BDAT") {
			return ""
		}
		return "250 ok\r\n"
	})
	c.Timeout = time.Millisecond
	if _, err := c.Send(message(1, "m\n")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestHelloRefusals(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"a greeting that refuses": "554 no\r\n",
		"LHLO refused":            "220 mx\r\n500 what\r\n",
		"no chunking":             "220 mx\r\n250-mx\r\n250 PIPELINING\r\n",
		"no server":               "",
	} {
		if err := New(strings.NewReader(in), io.Discard).Hello("me"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
