package server

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// peer is the client's end of a session over a pair of sockets.
type peer struct {
	*os.File
	t    *testing.T
	done chan error
	said []byte
}

// connect starts a session and returns the client's end. change may set up the
// connection.
func connect(t *testing.T, b Backend, c Config, change func(*ucspi.Conn)) *peer {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours := os.NewFile(uintptr(fds[1]), "server")
	p := &peer{File: os.NewFile(uintptr(fds[0]), "client"), t: t, done: make(chan error, 1)}
	conn := ucspi.New(fds[1], fds[1])
	if change != nil {
		change(conn)
	}
	c.Host = "mx.example"
	s := New(conn, b, c)
	go func() {
		p.done <- s.Serve()
		ours.Close()
	}()
	t.Cleanup(func() { p.Close() })
	return p
}

func (p *peer) say(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Fatal(err)
	}
}

// expect reads until the server has said text, and drops it with all before it.
func (p *peer) expect(text string) {
	p.t.Helper()
	buf := make([]byte, 4096)
	for {
		if _, after, ok := strings.Cut(string(p.said), text); ok {
			p.said = []byte(after)
			return
		}
		n, err := p.Read(buf)
		p.said = append(p.said, buf[:n]...)
		if err != nil {
			p.t.Fatalf("waiting for %q: %v; said %q", text, err, p.said)
		}
	}
}

// trickle is an input that comes one byte a minute by the session's own clock.
type trickle struct {
	input
	now *time.Time
}

func (tr trickle) Read(p []byte) (int, error) {
	*tr.now = tr.now.Add(time.Minute)
	return tr.input.Read(p[:1])
}

// serveTrickle runs a session whose input trickles.
func serveTrickle(t *testing.T, limits Limits, text string) (said string, err error) {
	t.Helper()
	in, out := memory(t, text), memory(t, "")
	now := time.Unix(1e9, 0)
	conn := ucspi.New(int(in.Fd()), int(out.Fd()))
	conn.Now = func() time.Time { return now }
	s := New(conn, &box{}, Config{Host: "mx.example", Limits: limits})
	s.in = line.NewReader(trickle{input{conn, s.out}, &now}, readBuffer)
	err = s.Serve()
	if _, e := out.Seek(0, io.SeekStart); e != nil {
		t.Fatal(e)
	}
	b, e := io.ReadAll(out)
	if e != nil {
		t.Fatal(e)
	}
	return string(b), err
}

// A command line has a deadline, however many bytes of it come.
func TestS29_TrickleInACommand(t *testing.T) {
	t.Parallel()
	said, err := serveTrickle(t, Limits{Timeout: 5 * time.Minute}, "NOOP that takes its time\r\n")
	if !errors.Is(err, ucspi.ErrTimeout) || codes(said) != "220 421" {
		t.Errorf("%v, said %q", err, said)
	}
}

// A message has a rate.
func TestS29_TrickleInAMessage(t *testing.T) {
	t.Parallel()
	said, err := serveTrickle(t, Limits{Timeout: time.Hour, MinRate: 1024}, opening+strings.Repeat("x", 100)+"\r\n.\r\n")
	if !errors.Is(err, ucspi.ErrTooSlow) || codes(said) != "220 250 250 250 354 421" {
		t.Errorf("%v, said %q", err, said)
	}
}

const opening = "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"

// A client that does not read its replies is not waited for for ever, and they
// do not pile up.
func TestS30_ClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	p := connect(t, &box{}, Config{Limits: Limits{Junk: -1}}, func(c *ucspi.Conn) { c.WriteTimeout = 50 * time.Millisecond })
	go func() {
		block := strings.Repeat("NOOP\r\n", 1000)
		for {
			if _, err := io.WriteString(p, block); err != nil {
				return
			}
		}
	}()
	if err := <-p.done; !errors.Is(err, ucspi.ErrTimeout) {
		t.Errorf("session ended with %v, want a timeout", err)
	}
}

// slow is a backend whose verdicts come when the test says so.
type slow struct {
	box
	verdicts chan func(...smtp.Reply)
}

func (b *slow) Mail(m *Mail) (Transaction, smtp.Reply) {
	tx, r := b.box.Mail(m)
	return slowTransaction{tx, b}, r
}

type slowTransaction struct {
	Transaction
	b *slow
}

func (s slowTransaction) End(verdict func(...smtp.Reply)) { s.b.verdicts <- verdict }

func kept(n string) smtp.Reply { return smtp.Reply{Code: 250, Text: "kept " + n} }

func chunk(text string) string {
	return "MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT " + string(rune('0'+len(text))) + " LAST\r\n" + text
}

// Verdicts may come in any order and at any time; replies keep the order of the
// commands, and leave although the client says nothing more.
func TestVerdictsInFlight(t *testing.T) {
	t.Parallel()
	b := &slow{verdicts: make(chan func(...smtp.Reply), 3)}
	p := connect(t, b, Config{LMTP: true, InFlight: 4}, nil)
	p.expect("220 ")
	p.say("LHLO x\r\n" + chunk("1") + chunk("2") + chunk("3") + "NOOP\r\n")
	one, two, three := <-b.verdicts, <-b.verdicts, <-b.verdicts
	two(kept("2"))
	p.expect("250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n")
	one(kept("1"))
	p.expect("250 kept 1\r\n250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n250 kept 2\r\n250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n")
	three(kept("3"))
	p.expect("250 kept 3\r\n250 2.0.0 ok\r\n")
	p.say(chunk("4") + "QUIT\r\n")
	four := <-b.verdicts
	p.expect("recipient ok\r\n")
	four(kept("4"))
	p.expect("250 kept 4\r\n221 2.0.0 bye\r\n")
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

// Without InFlight nothing is read before the verdict.
func TestOneVerdictAtATime(t *testing.T) {
	t.Parallel()
	b := &slow{verdicts: make(chan func(...smtp.Reply), 3)}
	p := connect(t, b, Config{}, nil)
	p.say("EHLO x\r\n" + chunk("1") + chunk("2") + "QUIT\r\n")
	one := <-b.verdicts
	select {
	case <-b.verdicts:
		t.Fatal("the second message was judged before the first")
	default:
	}
	if len(b.mails) != 1 {
		t.Fatalf("%d transactions were opened before the first verdict", len(b.mails))
	}
	one(kept("1"))
	(<-b.verdicts)(kept("2"))
	p.expect("kept 1\r\n250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n250 kept 2\r\n221 2.0.0 bye\r\n")
}

// A client that is gone does not keep the session from waiting for what is the
// backend's already.
func TestVerdictAfterTheClientHasGone(t *testing.T) {
	t.Parallel()
	b := &slow{verdicts: make(chan func(...smtp.Reply), 3)}
	p := connect(t, b, Config{LMTP: true, InFlight: 4}, nil)
	p.say("LHLO x\r\n" + chunk("1"))
	one := <-b.verdicts
	p.expect("recipient ok\r\n")
	p.Close()
	select {
	case err := <-p.done:
		t.Fatalf("session ended before the verdict: %v", err)
	default:
	}
	one(kept("1"))
	<-p.done
}

func TestDeliveryID(t *testing.T) {
	t.Parallel()
	for param, code := range map[string]string{
		"XDELIVERYID=17.M1P2.mx=3 XAGAIN=1": "250", "XDELIVERYID=a": "250",
		"XDELIVERYID=a/b": "501", "XDELIVERYID=": "501", "XDELIVERYID=a,b": "501", "XDELIVERYID=a:b": "501",
		"XDELIVERYID=.a": "501", "XAGAIN=2": "501", "XDELIVERYID=" + strings.Repeat("a", 181): "501",
	} {
		input := "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example> " + param + "\r\n"
		if said, _ := converse(t, &box{}, Config{LMTP: true, DeliveryID: true}, input); codes(said) != "220 250 250 "+code {
			t.Errorf("%s: %s", param, codes(said))
		}
		if said, _ := converse(t, &box{}, Config{LMTP: true}, input); codes(said) != "220 250 250 555" {
			t.Errorf("%s without leave: %s", param, codes(said))
		}
	}
}

func TestS19_ManyParameters(t *testing.T) {
	t.Parallel()
	var words string
	for i := range maxParams + 1 {
		words += " X" + string(rune('A'+i)) + "=1"
	}
	said, _ := converse(t, &box{}, Config{}, "EHLO x\r\nMAIL FROM:<>"+words+"\r\n")
	if codes(said) != "220 250 501" {
		t.Errorf("%d unknown parameters: %s, want a refusal by their number", maxParams+1, codes(said))
	}
}
