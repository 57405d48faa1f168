package server

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// box is a backend that keeps what it is given.
type box struct {
	mails  []*parcel
	refuse map[string]smtp.Reply // by recipient
	lmtp   bool
}

type parcel struct {
	box   *box
	mail  *Mail
	rcpts []string
	text  bytes.Buffer
	state string // "", "begun", "ended", "aborted"
}

func (b *box) Mail(m *Mail) (Transaction, smtp.Reply) {
	e := &parcel{box: b, mail: m}
	b.mails = append(b.mails, e)
	return e, smtp.Reply{}
}

func (e *parcel) Rcpt(r *Rcpt) smtp.Reply {
	if no, ok := e.box.refuse[r.To.String()]; ok {
		return no
	}
	e.rcpts = append(e.rcpts, r.To.String())
	return smtp.Reply{}
}

func (e *parcel) Begin() smtp.Reply           { e.become("begun", ""); return smtp.Reply{} }
func (e *parcel) Write(p []byte) (int, error) { return e.text.Write(p) }
func (e *parcel) Abort()                      { e.become("aborted", "", "begun") }

func (e *parcel) End(verdict func(...smtp.Reply)) {
	e.become("ended", "begun")
	if !e.box.lmtp {
		verdict(smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "kept"})
		return
	}
	var all []smtp.Reply
	for _, r := range e.rcpts {
		all = append(all, smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "kept for " + r})
	}
	verdict(all...)
}

// become holds the engine to the order of calls that Transaction promises.
func (e *parcel) become(state string, from ...string) {
	for _, f := range from {
		if e.state == f {
			e.state = state
			return
		}
	}
	panic("transaction goes from " + e.state + " to " + state)
}

func (b *box) kept() (texts []string) {
	for _, e := range b.mails {
		if e.state == "ended" {
			texts = append(texts, e.text.String())
		}
	}
	return texts
}

// memory is a file in memory that holds text.
func memory(t testing.TB, text string) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("session", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "session")
	t.Cleanup(func() { f.Close() })
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f
}

// converse runs a session over an input and returns all that was said.
func converse(t testing.TB, b Backend, c Config, input string) (string, error) {
	t.Helper()
	in, out := memory(t, input), memory(t, "")
	if c.Host == "" {
		c.Host = "mx.example"
	}
	err := New(ucspi.New(int(in.Fd()), int(out.Fd())), b, c).Serve()
	if _, e := out.Seek(0, io.SeekStart); e != nil {
		t.Fatal(e)
	}
	said, e := io.ReadAll(out)
	if e != nil {
		t.Fatal(e)
	}
	return string(said), err
}

// codes are the codes of the replies, one word each.
func codes(said string) string {
	var list []string
	for _, l := range strings.Split(said, "\r\n") {
		if len(l) > 3 && l[3] == ' ' {
			list = append(list, l[:3])
		}
	}
	return strings.Join(list, " ")
}

func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

func TestSession(t *testing.T) {
	open := lines("EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>")
	for _, c := range []struct {
		claim, input, codes string
		kept                []string
	}{
		{"a message is kept with LF line ends", open + lines("DATA", "Subject: x", "", "..dot", ".", "QUIT"),
			"220 250 250 250 354 250 221", []string{"Subject: x\n\n.dot\n"}},
		{"chunks are one message", open + "BDAT 3\r\na\r\nBDAT 4 LAST\r\nb\r\n.QUIT\r\n",
			"220 250 250 250 250 250 221", []string{"a\nb\n."}},
		{"a CRLF may be cut by a chunk", open + "BDAT 2\r\na\rBDAT 2 LAST\r\n\nbQUIT\r\n",
			"220 250 250 250 250 250 221", []string{"a\nb"}},
		{"RSET between chunks drops the first", open + "BDAT 3\r\na\r\nRSET\r\nBDAT 1 LAST\r\nxQUIT\r\n",
			"220 250 250 250 250 250 503 221", nil},
		{"DATA after BDAT is refused", open + "BDAT 3\r\na\r\nDATA\r\nQUIT\r\n",
			"220 250 250 250 250 503 221", nil},
		{"a chunk cut short is not accepted", open + "BDAT 10 LAST\r\nabc", "220 250 250 250", nil},
		{"a message cut short is not accepted", open + "DATA\r\nabc\r\n", "220 250 250 250 354", nil},
		{"a bare LF spoils the message, not the session", open + "DATA\r\na\nb\r\n.\r\nNOOP\r\n",
			"220 250 250 250 354 554 250", nil},
		{"MAIL needs a greeting", lines("MAIL FROM:<>"), "220 503", nil},
		{"postmaster needs no domain", lines("EHLO x", "MAIL FROM:<>", "RCPT TO:<PostMaster>"), "220 250 250 250", nil},
	} {
		b := &box{}
		said, err := converse(t, b, Config{}, c.input)
		if err != nil && err != io.ErrUnexpectedEOF {
			t.Errorf("%s: %v", c.claim, err)
		}
		if got := codes(said); got != c.codes {
			t.Errorf("%s: codes %s, want %s\n%s", c.claim, got, c.codes, said)
		}
		if got := b.kept(); strings.Join(got, "|") != strings.Join(c.kept, "|") {
			t.Errorf("%s: kept %q, want %q", c.claim, got, c.kept)
		}
	}
}
