package main

import (
	"strings"
	"testing"
)

// Nothing but CRLF.CRLF ends a message, and what comes near it spoils it.
func TestS02_EndsThatAreNone(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for _, end := range []string{"\r\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\r", "\r.\r", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\r\r\n", "\n.\n"} {
		r := h.run(t, nil, opening+"DATA\r\nSubject: x\r\n\r\none"+end+"two\r\n.\r\nQUIT\r\n")
		if got := codes(r.Stdout); got != "220 250 250 250 354 554 221" {
			t.Errorf("after %q: codes %s", end, got)
		}
	}
	if q := h.queued(t); len(q) != 0 {
		t.Errorf("queued: %q", q)
	}
}

// The whole attack: a second message behind something that another server might
// take for the end of the first, near and out of sight of one read.
func TestS03_SmuggledMessage(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("a line of text\r\n", 10_000)
	for _, end := range []string{"\n.\r\n", "\n.\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\n.\r\n" + far} {
		h := newHost(t, t.TempDir())
		r := h.run(t, nil, opening+"DATA\r\nSubject: one\r\n\r\nfirst"+end+
			crlf("MAIL FROM:<boss@mx.example>", "RCPT TO:<bob@mx.example>", "DATA", "Subject: two", "", "second", ".", "QUIT"))
		if got := codes(r.Stdout); got != "220 250 250 250 354 554 221" {
			t.Errorf("after %.20q: codes %s", end, got)
		}
		if q := h.queued(t); len(q) != 0 {
			t.Errorf("after %.20q: queued %q", end, q)
		}
	}
}

func TestS04_BareCRIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for _, message := range []string{"Subject: a\rb\r\n\r\nx\r\n", "Subject: a\r\n\r\nx\ry\r\n", "\r\r\n", "a\r\r\n"} {
		if r := h.run(t, nil, opening+"DATA\r\n"+message+".\r\nQUIT\r\n"); codes(r.Stdout) != "220 250 250 250 354 554 221" {
			t.Errorf("%q by DATA: %s", message, codes(r.Stdout))
		}
	}
	r := h.run(t, nil, opening+"BDAT 3\r\nab\rBDAT 2 LAST\r\ncdQUIT\r\n")
	if codes(r.Stdout) != "220 250 250 250 250 554 221" {
		t.Errorf("a CR at the end of a chunk: %s", codes(r.Stdout))
	}
	if q := h.queued(t); len(q) != 0 {
		t.Errorf("queued: %q", q)
	}
}

func TestS05_ChunkSizes(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for _, c := range []struct{ claim, bdat, codes string }{
		{"zero is a size", "BDAT 0 LAST\r\nQUIT\r\n", "220 250 250 250 250 221"},
		{"leading zeros are digits", "BDAT 0003 LAST\r\na\r\nQUIT\r\n", "220 250 250 250 250 221"},
		{"2^31 is a size, and the input is short", "BDAT 2147483648 LAST\r\nQUIT\r\n", "220 250 250 250"},
		{"2^63-1 is a size", "BDAT 9223372036854775807\r\nQUIT\r\n", "220 250 250 250"},
		{"2^63 is none", "BDAT 9223372036854775808 LAST\r\nQUIT\r\n", "220 250 250 250 501"},
		{"2^64 is none", "BDAT 18446744073709551616 LAST\r\nQUIT\r\n", "220 250 250 250 501"},
		{"a negative one is none", "BDAT -1 LAST\r\nQUIT\r\n", "220 250 250 250 501"},
		{"nor is one with plus", "BDAT +1 LAST\r\nQUIT\r\n", "220 250 250 250 501"},
		{"hexadecimal is none", "BDAT 0x10 LAST\r\nQUIT\r\n", "220 250 250 250 501"},
		{"nothing is none", "BDAT\r\nQUIT\r\n", "220 250 250 250 501"},
		{"LAST is the only word", "BDAT 3 FIRST\r\nQUIT\r\n", "220 250 250 250 501"},
	} {
		if r := h.run(t, nil, opening+c.bdat); codes(r.Stdout) != c.codes || r.Code != 0 {
			t.Errorf("%s: codes %s, want %s; exit %d, log %s", c.claim, codes(r.Stdout), c.codes, r.Code, r.Stderr)
		}
	}
	if q := h.queued(t); len(q) != 2 {
		t.Errorf("queued %d messages, want the two that came whole: %q", len(q), q)
	}
}

// The limit counts what is stored: LF line ends, without our trace.
func TestS26_ExactlyTheLimit(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"DATA", "BDAT"} {
		h := newHost(t, t.TempDir())
		send := func(stored int, param string) string {
			text := "S: x\r\n\r\n" + strings.Repeat("y", stored-7) + "\r\n" // 5 + 1 + y… + 1
			s := crlf("EHLO x", "MAIL FROM:<a@b.example>"+param, "RCPT TO:<bob@mx.example>")
			if by == "DATA" {
				s += "DATA\r\n" + text + ".\r\n"
			} else {
				s += "BDAT 4\r\n" + text[:4] + "BDAT " + itoa(len(text)-4) + " LAST\r\n" + text[4:]
			}
			return codes(h.run(t, []string{"DATABYTES=1000"}, s+"QUIT\r\n").Stdout)
		}
		ok := map[string]string{"DATA": "220 250 250 250 354 250 221", "BDAT": "220 250 250 250 250 250 221"}
		if got := send(1000, ""); got != ok[by] {
			t.Errorf("%s, the limit: %s", by, got)
		}
		for claim, param := range map[string]string{"one more": "", "one more behind a lie": " SIZE=10"} {
			if got := send(1001, param); got != strings.Replace(ok[by], "250 221", "552 221", 1) {
				t.Errorf("%s, %s: %s", by, claim, got)
			}
		}
		if q := h.queued(t); len(q) != 1 {
			t.Errorf("%s: %d messages queued, want 1", by, len(q))
		}
		if left := glob(t, h.path("queue", "tmp", "*")); len(left) != 0 {
			t.Errorf("%s: %q left in tmp", by, left)
		}
	}
	h := newHost(t, t.TempDir())
	r := h.run(t, []string{"DATABYTES=1000"}, crlf("EHLO x", "MAIL FROM:<a@b.example> SIZE=1001"))
	if codes(r.Stdout) != "220 250 552" {
		t.Errorf("declared too large: %s", codes(r.Stdout))
	}
}

func TestS31_Loops(t *testing.T) {
	t.Parallel()
	received := strings.Repeat("Received: from a by b;\r\n\tsome day\r\n", 50)
	for _, c := range []struct{ claim, header, codes string }{
		{"50 hops are fine", received, "220 250 250 250 354 250 221"},
		{"51 are a loop", received + "RECEIVED : x\r\n", "220 250 250 250 354 554 221"},
		{"the recipient has had it", "Subject: x\r\nDelivered-To:  BOB@mx.example \r\n", "220 250 250 250 354 554 221"},
		{"somebody else has had it", "Delivered-To: bob@b.example\r\n", "220 250 250 250 354 250 221"},
		{"Received lines in the body count for nothing", "\r\n" + received + received, "220 250 250 250 354 250 221"},
	} {
		h := newHost(t, t.TempDir())
		r := h.run(t, nil, opening+"DATA\r\n"+c.header+"\r\nbody\r\n.\r\nQUIT\r\n")
		if codes(r.Stdout) != c.codes {
			t.Errorf("%s: codes %s, want %s", c.claim, codes(r.Stdout), c.codes)
		}
		if left := glob(t, h.path("queue", "tmp", "*")); len(left) != 0 {
			t.Errorf("%s: %q left in tmp", c.claim, left)
		}
	}
	h := newHost(t, t.TempDir())
	r := h.run(t, nil, opening+"RCPT TO:<ann@mx.example>\r\nDATA\r\nDelivered-To: bob@mx.example\r\n\r\n.\r\nQUIT\r\n")
	if codes(r.Stdout) != "220 250 250 250 250 354 250 221" {
		t.Errorf("one of two recipients has had it, which deliver will see: %s", codes(r.Stdout))
	}
}

// What DNS says of a client is a stranger's text.
func TestS34_NameFromDNS(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mail.b.example":                      "from client.example (mail.b.example [192.0.2.7])\n",
		"x) by evil (y":                       "from client.example ([192.0.2.7])\n",
		"a\nReceived: from c":                 "from client.example ([192.0.2.7])\n",
		"a\x1b[2J.example":                    "from client.example ([192.0.2.7])\n",
		"[198.51.100.1]":                      "from client.example ([192.0.2.7])\n",
		strings.Repeat("a.", 200) + "example": "from client.example ([192.0.2.7])\n",
	} {
		h := newHost(t, t.TempDir())
		h.run(t, []string{"TCPREMOTEHOST=" + name}, opening+"BDAT 0 LAST\r\nQUIT\r\n")
		files := h.files(t)
		if len(files) != 1 {
			t.Fatalf("%q: %d messages", name, len(files))
		}
		received, _ := cutReceived(t, string(files[0]))
		if first, _, _ := strings.Cut(received, "\tby "); first != "Received: "+want {
			t.Errorf("%q: %q, want %q", name, first, want)
		}
		if n := strings.Count(received, "\n"); n != 4 {
			t.Errorf("%q: Received has %d lines: %q", name, n, received)
		}
	}
}
