package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestS18_SizesOfAddresses(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	label := func(n int) string { return strings.Repeat("d", n) }
	domain := func(n int) string { // n bytes of labels of at most 50
		s := strings.Repeat(label(49)+".", n/50)
		return s + label(n-len(s))
	}
	for _, c := range []struct {
		claim, address, code string
	}{
		{"a local part of 64", strings.Repeat("l", 64) + "@b.example", "250"},
		{"a local part of 65", strings.Repeat("l", 65) + "@b.example", "501"},
		{"a quoted one of 64", `"` + strings.Repeat(" ", 64) + `"@b.example`, "250"},
		{"a quoted one of 65", `"` + strings.Repeat(" ", 65) + `"@b.example`, "501"},
		{"a label of 63", "a@" + label(63) + ".example", "250"},
		{"a label of 64", "a@" + label(64) + ".example", "501"},
		{"a domain of 255", "a@" + domain(255), "250"},
		{"a domain of 256", "a@" + domain(256), "501"},
		{"a trailing dot", "a@b.example.", "501"},
		{"no domain", "a", "501"},
		{"an empty label", "a@b..example", "501"},
	} {
		r := h.run(t, nil, crlf("EHLO x", "MAIL FROM:<"+c.address+">"))
		if got := codes(r.Stdout); got != "220 250 "+c.code {
			t.Errorf("%s: %s, want %s", c.claim, got, c.code)
		}
	}
	r := h.run(t, nil, crlf("EHLO x", "MAIL FROM:<"+strings.Repeat("a", 60<<10)+"@b.example>", "NOOP"))
	if got := codes(r.Stdout); got != "220 250 500 250" {
		t.Errorf("an address of 60 KB: %s", got)
	}
	r = h.run(t, nil, crlf("EHLO x", "MAIL FROM:<"+strings.Repeat("a", 1<<20)+"@b.example>", "NOOP"))
	if got := codes(r.Stdout); got != "220 250 500" {
		t.Errorf("an address of 1 MB: %s", got)
	}
}

// relayTests is the classic list of ways to make a server send to b.example what
// is not its own.
var relayTests = []string{
	"u@b.example", "<@mx.example:u@b.example>", "<@mx.example,@b.example:u@b.example>", "u%b.example@mx.example",
	"b.example!u@mx.example", `"u@b.example"@mx.example`, `"u%b.example"@mx.example`, `"b.example!u"@mx.example`,
	"u@b.example@mx.example", "u@[192.0.2.99]", "u@[IPv6:2001:db8::1]", "u@mx.example.", "u@b.example.", "u@mx.example@b.example",
	"u%b.example@[192.0.2.1]", `"u@b.example"`, "u%b.example", "u@xn--mx-yja.example", "u@mx%b.example", "u@.mx.example", "u@sub.mx.example",
}

func TestS21_NoOpenRelay(t *testing.T) {
	t.Parallel()
	open := crlf("EHLO x", "MAIL FROM:<spam@b.example> SMTPUTF8")
	for _, files := range []map[string]string{
		{}, // no rcpthosts at all
		{"etc/rcpthosts": "partner.example\n"},
	} {
		h := newHost(t, t.TempDir())
		for name, text := range files {
			h.write(t, name, text)
		}
		for _, to := range append(relayTests, "u@mх.example", "u@ｍｘ.example", "u@mx。example") { // the first has a Cyrillic letter
			if to[0] != '<' {
				to = "<" + to + ">"
			}
			got := codes(h.run(t, nil, open+"RCPT TO:"+to+"\r\n").Stdout)
			if got != "220 250 250 550" && got != "220 250 250 501" {
				t.Errorf("RCPT TO:%s: %s", to, got)
			}
		}
	}
	h := newHost(t, t.TempDir())
	h.write(t, "etc/rcpthosts", "partner.example\n")
	for _, c := range []struct {
		claim, to, want string
		env             []string
	}{
		{"a partner's domain", "u@partner.example", "250", nil},
		{"in other letters", "u@Partner.EXAMPLE", "250", nil},
		{"its subdomain is another", "u@sub.partner.example", "550", nil},
		{"ours by a source route", "@b.example:bob@mx.example", "250", nil},
		{"ours in other letters", "BOB@MX.Example", "250", nil},
		{"RELAYCLIENT opens the way", "u@b.example", "250", []string{"RELAYCLIENT="}},
		{"but makes no user", "nobody@mx.example", "550", []string{"RELAYCLIENT="}},
		{"its value goes behind the address", "u@b", "250", []string{"RELAYCLIENT=.example"}},
		{"and what that makes must be an address", "u@b.example", "451", []string{"RELAYCLIENT=/x"}},
	} {
		if got := codes(h.run(t, c.env, open+"RCPT TO:<"+c.to+">\r\n").Stdout); got != "220 250 250 "+c.want {
			t.Errorf("%s: %s, want %s", c.claim, got, c.want)
		}
	}
}

func TestS22_RecipientFlood(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	h.write(t, "etc/maxrecipients", "100\n")
	input := opening + strings.Repeat("RCPT TO:<ann@mx.example>\r\n", 105) + "BDAT 0 LAST\r\nQUIT\r\n"
	r := h.run(t, nil, input)
	if n := strings.Count(r.Stdout, "250 2.1.5"); n != 100 {
		t.Errorf("%d recipients accepted, want 100", n)
	}
	if n := strings.Count(r.Stdout, "452 4.5.3 too many recipients"); n != 6 {
		t.Errorf("%d recipients refused with 452, want 6:\n%s", n, r.Stdout)
	}
	if q := h.queued(t); len(q) != 1 || strings.Count(q[0], "Recipient: ") != 100 {
		t.Errorf("queued %q", q)
	}
}

// A list server with more recipients than we take in one go is no attacker: its
// message must get through, and a million recipients must not.
func TestS22_ManyRecipientsTooMany(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	h.write(t, "etc/maxrecipients", "30\n")
	for _, c := range []struct{ rcpts, queued int }{{60, 1}, {1000, 0}} {
		before := len(h.queued(t))
		r := h.run(t, nil, opening+strings.Repeat("RCPT TO:<ann@mx.example>\r\n", c.rcpts)+"BDAT 0 LAST\r\nQUIT\r\n")
		if got := len(h.queued(t)) - before; got != c.queued {
			t.Errorf("%d recipients: %d messages queued, want %d", c.rcpts, got, c.queued)
		}
		if told := strings.Count(r.Stdout, "452 4.5.3"); told > 60 {
			t.Errorf("%d recipients: %d times too many", c.rcpts, told)
		}
	}
}

func TestRCPTCHECK(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	h.script(t, "check", `case $RECIPIENT in
known*) exit 0 ;; no@*) exit 100 ;; later@*) exit 111 ;; broken@*) exit 120 ;; killed@*) kill -9 $$ ;; odd@*) exit 7 ;;
env@*) [ "$SENDER,$TCPREMOTEIP,$SMTPHELO" = "ann@b.example,192.0.2.7,client.example" ] || exit 100 ;;
esac`)
	for name, want := range map[string]string{"known": "250", "no": "553", "later": "421", "broken": "421", "killed": "421", "odd": "250", "env": "250"} {
		r := h.run(t, []string{"RCPTCHECK=" + h.path("check")},
			crlf("EHLO client.example", "MAIL FROM:<ann@b.example>", "RCPT TO:<"+name+"@mx.example>", "QUIT"))
		want = "220 250 250 " + want
		if !strings.HasSuffix(want, "421") { // which ends the session
			want += " 221"
		}
		if got := codes(r.Stdout); got != want {
			t.Errorf("%s: %s, want %s; %s", name, got, want, r.Stderr)
		}
	}
	r := h.run(t, []string{"RCPTCHECK=" + h.path("check")}, crlf("EHLO x", "MAIL FROM:<>", "RCPT TO:<known@b.example>"))
	if codes(r.Stdout) != "220 250 250 550" {
		t.Errorf("the program opened a relay: %s", codes(r.Stdout))
	}
	r = h.run(t, []string{"RCPTCHECK=" + h.path("missing")}, crlf("EHLO x", "MAIL FROM:<>", "RCPT TO:<known@mx.example>"))
	if codes(r.Stdout) != "220 250 250 421" {
		t.Errorf("the program is missing: %s", codes(r.Stdout))
	}
}

func TestRBLSMTPD(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for value, want := range map[string]string{
		"":                  "250 2.1.0 sender ok",
		"Blocked: see b":    "451 4.7.1 Blocked: see b",
		"-Blocked\r\n250 x": "553 5.7.1 Blocked??250 x",
	} {
		r := h.run(t, []string{"RBLSMTPD=" + value}, crlf("EHLO x", "MAIL FROM:<>"))
		if !strings.HasSuffix(r.Stdout, "\r\n"+want+"\r\n") {
			t.Errorf("RBLSMTPD=%q: %q, want %q", value, r.Stdout, want)
		}
	}
}

func TestBadMailFrom(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	h.write(t, "etc/badmailfrom", "# spammers\nSpam@b.example\n@evil.example\n")
	for from, want := range map[string]string{"spam@b.example": "553", "ham@b.example": "250", "x@Evil.example": "553", "x@sub.evil.example": "250", "": "250"} {
		if got := codes(h.run(t, nil, crlf("EHLO x", "MAIL FROM:<"+from+">")).Stdout); got != "220 250 "+want {
			t.Errorf("%q: %s, want %s", from, got, want)
		}
	}
}
