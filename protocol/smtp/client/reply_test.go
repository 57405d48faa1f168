package client

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
)

func readReply(s string) (smtp.Reply, error) {
	return ReadReply(line.NewReader(strings.NewReader(s), replyBuffer))
}

func TestReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim, in string
		want      smtp.Reply
	}{
		{"one line", "250 2.1.0 ok\r\n", smtp.Reply{Code: 250, Enhanced: "2.1.0", Text: "ok"}},
		{"no text", "250\r\n", smtp.Reply{Code: 250}},
		{"no enhanced code", "250 ok 2.1.0\r\n", smtp.Reply{Code: 250, Text: "ok 2.1.0"}},
		{"several lines", "250-2.0.0 a\r\n250 2.0.0 b\r\n", smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "a\nb"}},
		{"an enhanced code of another class is text", "550 2.0.0 no\r\n", smtp.Reply{Code: 550, Text: "2.0.0 no"}},
		{"a version is no enhanced code", "220 2.10 Postfix\r\n", smtp.Reply{Code: 220, Text: "2.10 Postfix"}},
		{"four digits are no detail", "250 2.1.1234 x\r\n", smtp.Reply{Code: 250, Text: "2.1.1234 x"}},
	} {
		if got, err := readReply(c.in); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.claim, got, err)
		}
	}
}

func TestQ01_EndlessReplies(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"a line of a megabyte": "250 " + strings.Repeat("x", 1<<20) + "\r\n",
		"a million lines":      strings.Repeat("250-x\r\n", 1e6),
		"a line without end":   "250 " + strings.Repeat("x", 1<<20),
	} {
		if got, err := readReply(in); !errors.Is(err, ErrReply) {
			t.Errorf("%s: %d bytes of text, %v", name, len(got.Text), err)
		}
	}
	got, err := readReply("250 " + strings.Repeat("x", maxReplyLine-10) + "\r\n")
	if err != nil || len(got.Text) > maxReplyKept {
		t.Errorf("a long line: %d bytes kept, %v", len(got.Text), err)
	}
}

func TestQ02_MalformedReplies(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"another code in the middle": "250-a\r\n550 b\r\n",
		"no digits":                  "ok\r\n",
		"too few digits":             "25\r\n",
		"code 000":                   "000 a\r\n",
		"code 999":                   "999 a\r\n",
		"code 199":                   "199 a\r\n",
		"code 600":                   "600 a\r\n",
		"something between":          "250_a\r\n",
		"empty":                      "\r\n",
	} {
		if got, err := readReply(in); !errors.Is(err, ErrReply) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := readReply("250-a\r\n"); !errors.Is(err, io.EOF) {
		t.Errorf("a reply cut short: %v", err)
	}
}

func TestQ03_HostileReplyText(t *testing.T) {
	t.Parallel()
	got, err := readReply("550-\x1b[2J\x00a\rb\r\n550 Recipient: <x@y>\x7f\x85\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.ReplaceAll(got.Text, "\n", "") {
		if c < ' ' || c == 0x7f {
			t.Errorf("%q has %q in it", got.Text, c)
		}
	}
	if strings.Count(got.Text, "\n") != 1 {
		t.Errorf("%q", got.Text)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("250-2.1.0 a\r\n250 2.1.0 b\r\n")
	f.Add("550 x\x00\r\n")
	f.Add("220\n")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := readReply(s)
		if err != nil {
			return
		}
		if got.Code < 200 || got.Code > 599 || len(got.Text) > maxReplyLines*(3*maxReplyKept+1) {
			t.Fatalf("%q is %+v", s, got)
		}
		again, err := readReply(string(got.Append(nil)))
		if err != nil || again.Code != got.Code || strings.ContainsAny(fmt.Sprint(again), "\r\x00\x1b") {
			t.Fatalf("%q is %+v, then %+v, %v", s, got, again, err)
		}
	})
}
