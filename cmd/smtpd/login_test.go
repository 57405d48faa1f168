package main

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// authenticator puts a checkpassword program into the directory that knows bob
// and ann@mx.example with the password secret, and fails for broken.
func (h host) authenticator(t testing.TB) string {
	progtest.Bin(t, "login-ok")
	h.script(t, "auth", `case $(tr '\0' ' ' <&3) in
"bob secret  "|"ann@mx.example secret  "|"elsewhere@ldap.example secret  ") exec 3<&-; exec "$@" ;;
"broken "*) exit 111 ;;
"killed "*) kill -9 $$ ;;
"liar "*) exit 0 ;;
esac
exit 1`)
	return h.path("auth")
}

func TestLogin(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	auth := h.authenticator(t)
	plain := func(login, password string) string { return "AUTH PLAIN " + b64("\x00"+login+"\x00"+password) }
	for _, c := range []struct{ claim, input, codes string }{
		{"PLAIN with an initial response", crlf(plain("bob", "secret")), "235"},
		{"PLAIN with a challenge", crlf("AUTH PLAIN", b64("\x00bob\x00secret")), "334 235"},
		{"in small letters", crlf("auth plain " + b64("\x00bob\x00secret")), "235"},
		{"PLAIN for oneself by name", crlf("AUTH PLAIN " + b64("bob\x00bob\x00secret")), "235"},
		{"PLAIN for somebody else", crlf("AUTH PLAIN " + b64("ann\x00bob\x00secret")), "501"},
		{"LOGIN", crlf("AUTH LOGIN", b64("bob"), b64("secret")), "334 334 235"},
		{"LOGIN with an initial response", crlf("AUTH LOGIN "+b64("bob"), b64("secret")), "334 235"},
		{"a wrong password", crlf(plain("bob", "x")), "535"},
		{"nobody", crlf(plain("nobody", "x")), "535"},
		{"no password", crlf(plain("bob", "")), "535"},
		{"an empty initial response", crlf("AUTH PLAIN ="), "501"},
		{"cancelled", crlf("AUTH PLAIN", "*", "NOOP"), "334 501 250"},
		{"cancelled in LOGIN", crlf("AUTH LOGIN", b64("bob"), "*", "NOOP"), "334 334 501 250"},
		{"no base64", crlf("AUTH PLAIN", "!", "AUTH PLAIN !"), "334 501 501"},
		{"bad padding", crlf("AUTH PLAIN " + strings.TrimRight(b64("\x00bob\x00secre"), "=")), "501"},
		{"no NULs, five NULs", crlf("AUTH PLAIN "+b64("bob"), "AUTH PLAIN "+b64("\x00b\x00o\x00b\x00x\x00")), "501 501"},
		{"an unknown mechanism", crlf("AUTH CRAM-MD5", "AUTH", "AUTH ANONYMOUS"), "504 504 504"},
		{"twice", crlf(plain("bob", "secret"), plain("bob", "secret")), "235 503"},
		{"within a transaction", crlf("MAIL FROM:<>", plain("bob", "secret")), "250 503"},
		{"a broken authenticator", crlf(plain("broken", "x"), plain("killed", "x"), plain("liar", "x")), "454 454 454"},
		{"three tries", crlf(plain("bob", "1"), plain("bob", "2"), plain("bob", "3"), "NOOP"), "535 535 535 421"},
		{"12288 bytes are a line", crlf("AUTH PLAIN", b64("\x00bob\x00"+strings.Repeat("x", 9211))), "334 535"},
		{"more are not", crlf("AUTH PLAIN", b64("\x00bob\x00"+strings.Repeat("x", 9300)), "NOOP"), "334 500 250"},
		{"a bare LF within", crlf("AUTH PLAIN") + b64("\x00bob\x00secret") + "\n", "334 501"},
	} {
		r := h.run(t, []string{"TCPREMOTEIP=127.0.0.1"}, crlf("EHLO x")+c.input, "--", auth)
		if got := codes(r.Stdout); got != "220 250 "+c.codes {
			t.Errorf("%s: %s, want %s; %s", c.claim, got, c.codes, r.Stderr)
		}
		if strings.Contains(r.Stderr, "secret") || strings.Contains(r.Stdout, "secret") {
			t.Errorf("%s: the password was logged: %s", c.claim, r.Stderr)
		}
	}
}

// Where somebody could listen, passwords are not asked for and not taken.
func TestLoginNeedsTLS(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	auth := h.authenticator(t)
	input := crlf("EHLO x", "AUTH PLAIN "+b64("\x00bob\x00secret"))
	for _, c := range []struct {
		claim string
		env   []string
		flags []string
		offer bool
	}{
		{"a stranger without TLS", nil, nil, false},
		{"a stranger with TLS", []string{"SSL_PROTOCOL=TLSv1.3"}, nil, true},
		{"loopback", []string{"TCPREMOTEIP=::1"}, nil, true},
		{"by the administrator's word", nil, []string{"--plaintext-login"}, true},
	} {
		r := h.run(t, c.env, input, append(c.flags, "--", auth)...)
		want := "220 250 538"
		if c.offer {
			want = "220 250 235"
		}
		if codes(r.Stdout) != want || strings.Contains(r.Stdout, "250-AUTH PLAIN LOGIN\r\n") != c.offer {
			t.Errorf("%s: %q", c.claim, r.Stdout)
		}
	}
	if r := h.run(t, []string{"TCPREMOTEIP=::1"}, input); codes(r.Stdout) != "220 250 502" {
		t.Errorf("no authenticator: %q", r.Stdout)
	}
}

// The sender of who is logged in is bound to the login.
func TestSenderOfALogin(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	auth := h.authenticator(t)
	h.write(t, "etc/senders", "bob: sales@b.example, @list.example\nnobody: ann@mx.example\n")
	h.write(t, "etc/aliases", "office: bob\n")
	for _, c := range []struct{ login, from, code string }{
		{"bob", "bob@mx.example", "250"},
		{"bob", "Bob+ext@MX.example", "250"},
		{"bob", "bob-list@mx.example", "250"},
		{"bob", "", "250"},
		{"bob", "ann@mx.example", "553"},
		{"bob", "nobody@mx.example", "553"},
		{"bob", "office@mx.example", "553"},
		{"bob", "bob@b.example", "553"},
		{"bob", "Sales@b.example", "250"},
		{"bob", "any@list.example", "250"},
		{"bob", "any@sub.list.example", "553"},
		{"ann@mx.example", "ann@mx.example", "250"},
		{"ann@mx.example", "sales@b.example", "553"},
		{"elsewhere@ldap.example", "elsewhere@ldap.example", "250"},
		{"elsewhere@ldap.example", "other@ldap.example", "553"},
	} {
		r := h.run(t, []string{"TCPREMOTEIP=127.0.0.1"},
			crlf("EHLO x", "AUTH PLAIN "+b64("\x00"+c.login+"\x00secret"), "MAIL FROM:<"+c.from+">"), "--submission", "--", auth)
		if got := codes(r.Stdout); got != "220 250 235 "+c.code {
			t.Errorf("%s as %q: %s, want %s; %s", c.login, c.from, got, c.code, r.Stderr)
		}
	}
}

func TestSubmission(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	auth := h.authenticator(t)
	env := []string{"TCPREMOTEIP=127.0.0.1", "SSL_PROTOCOL=TLSv1.3"}
	r := h.run(t, env, crlf("EHLO x", "MAIL FROM:<bob@mx.example>", "RCPT TO:<u@b.example>", "DATA", "XYZ", "XYZ", "XYZ", "XYZ"), "--submission", "--", auth)
	if got := codes(r.Stdout); got != "220 250 530 503 503 500 500 500 421" {
		t.Errorf("without login: %s", got)
	}
	login := crlf("EHLO x", "AUTH PLAIN "+b64("\x00bob\x00secret"), "MAIL FROM:<bob@mx.example>", "RCPT TO:<u@b.example>", "DATA")
	r = h.run(t, env, login+crlf("From: bob@mx.example", "bcc: hidden@b.example,", " more@b.example", "\tand@b.example", "Subject: Bcc: stays",
		" Bcc: folded", "Resent-Bcc : x@y", "Bccc: stays", "", "Bcc: stays", "Date: stays", ".", "QUIT"), "--submission", "--", auth)
	if got := codes(r.Stdout); got != "220 250 235 250 250 354 250 221" {
		t.Fatalf("with login: %s %s", got, r.Stderr)
	}
	received, text := cutReceived(t, string(h.files(t)[0]))
	_, text, _ = strings.Cut(text, "\n\n")
	var kept []string
	for _, l := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(l, "Date: ") && strings.HasSuffix(l, "00"):
			l = "Date: NOW"
		case strings.HasPrefix(l, "Message-ID: <") && strings.HasSuffix(l, "@mx.example>"):
			l = "Message-ID: NEW"
		}
		kept = append(kept, l)
	}
	want := "From: bob@mx.example\nSubject: Bcc: stays\n Bcc: folded\nBccc: stays\nDate: NOW\nMessage-ID: NEW\n\nBcc: stays\nDate: stays\n"
	if got := strings.Join(kept, "\n"); got != want {
		t.Errorf("submitted:\n%s\nwant:\n%s", got, want)
	}
	if !strings.Contains(received, " with ESMTPSA id ") {
		t.Errorf("trace: %s", received)
	}
}

func TestSubmissionLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	auth := h.authenticator(t)
	login := crlf("EHLO x", "AUTH PLAIN "+b64("\x00bob\x00secret"), "MAIL FROM:<>", "RCPT TO:<ann@mx.example>")
	header := "date: yesterday\r\nMessage-Id: <1@b.example>\r\n"
	h.run(t, []string{"TCPREMOTEIP=127.0.0.1"}, login+"BDAT "+itoa(len(header))+" LAST\r\n"+header, "--submission", "--", auth)
	q := h.queued(t)
	if len(q) != 1 || !strings.HasSuffix(q[0], "\n\ndate: yesterday\nMessage-Id: <1@b.example>\n") {
		t.Errorf("queued %q", q)
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	h := newHost(t, t.TempDir())
	for _, c := range []struct {
		claim  string
		args   []string
		files  map[string]string
		stderr string
		code   int
	}{
		{"a word without --", []string{"maildir"}, nil, `smtpd: unexpected argument "maildir"`, 100},
		{"-- and nothing", []string{"--"}, nil, "smtpd: -- without a checkpassword program", 100},
		{"an unknown flag", []string{"--nonsense"}, nil, "smtpd: unknown flag: --nonsense", 100},
		{"submission without a program", []string{"--submission"}, nil, "smtpd: --submission needs a checkpassword program", 100},
		{"two modes", []string{"--submission", "--lmtp", "--", "true"}, nil, "exclude each other", 100},
		{"LMTP with login", []string{"--lmtp", "--", "true"}, nil, "knows no login", 100},
		{"a bad number", nil, map[string]string{"databytes": "10M\n"}, `databytes:1: "10M" is not a number`, 100},
		{"no hops", nil, map[string]string{"hoplimit": "0\n"}, "hoplimit: 0 is out of range", 100},
		{"no timeout", nil, map[string]string{"timeoutsmtpd": "0\n"}, "timeoutsmtpd: 0 is out of range", 100},
		{"no host", nil, map[string]string{"me": "mx example\n"}, `me: "mx example" is no domain name`, 100},
		{"a greeting of two lines", nil, map[string]string{"smtpgreeting": "a\nb\n"}, "smtpgreeting:2:", 100},
		{"a greeting with ESC", nil, map[string]string{"smtpgreeting": "a\x1b[2J\n"}, "not printable", 100},
		{"a bad domain", nil, map[string]string{"locals": "a b\n"}, "locals:1:", 100},
		{"a bad sender", nil, map[string]string{"badmailfrom": "ok@b.example\n\nspam\n"}, `badmailfrom:3: "spam"`, 100},
		{"a NUL", nil, map[string]string{"rcpthosts": "a\x00b\n"}, "NUL", 100},
		{"no queue", []string{"--queue", h.path("missing")}, nil, "open queue: open directory " + h.path("missing"), 111},
		{"a login program that is not there", []string{"--", "nosuchauth"}, nil, "checkpassword program nosuchauth: nosuchauth not found in PATH; give the path", 111},
		{"a filter that is not there", []string{"--filter", "/nonexistent -x"}, nil, "filter: ", 111},
	} {
		h := newHost(t, t.TempDir())
		for name, text := range c.files {
			h.write(t, "etc/"+name, text)
		}
		r := h.run(t, nil, "EHLO x\r\n", c.args...)
		// A client that nobody can serve hears so; what was typed is not its business.
		said := ""
		if c.files != nil || r.Code == 111 {
			said = "421 4.3.0 cannot serve you now, try again later\r\n"
		}
		if !strings.Contains(r.Stderr, c.stderr) || r.Code != c.code || r.Stdout != said {
			t.Errorf("%s: exit %d, stdout %q, stderr %q; want %d, %q", c.claim, r.Code, r.Stdout, r.Stderr, c.code, c.stderr)
		}
		if r.Stdout != "" && !strings.Contains(r.Stderr, h.path("etc")) {
			t.Errorf("%s: the log does not name the configuration: %q", c.claim, r.Stderr)
		}
		if strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: more than one line: %q", c.claim, r.Stderr)
		}
	}
	h.authenticator(t)
	h.write(t, "etc/senders", "bob sales@b.example\n")
	if r := h.run(t, nil, "", "--", h.path("auth")); !strings.Contains(r.Stderr, "senders:1:") || r.Code != 100 {
		t.Errorf("bad senders: exit %d, %q", r.Code, r.Stderr)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, script, codes, text string }{
		{"accepts and adds", `printf 'X-Spam: no\r\nX-Two: a\n b'`, "250", "X-Spam: no\nX-Two: a\n b\nSubject: x\n\nbody\n"},
		{"accepts and adds nothing", "", "250", "Subject: x\n\nbody\n"},
		{"sees the message with our trace, and the envelope", `cat > seen; grep -q '^Received: from client.example' seen && grep -q '^body$' seen &&
[ "$SENDER $RECIPIENT $RECIPIENTS $TCPREMOTEIP" = "ann@b.example bob@mx.example bob@mx.example 192.0.2.7" ] || exit 100`, "250", "Subject: x\n\nbody\n"},
		{"says later", "exit 75", "451", ""},
		{"refuses", "exit 100", "554", ""},
		{"fails", "exit 1", "451", ""},
		{"is killed", "kill -9 $$", "451", ""},
		{"writes what is no header", "echo hello world", "451", ""},
		{"writes the end of the header", "echo", "451", ""},
		{"begins with a folded line", "echo ' x: y'", "451", ""},
		{"writes without end", "yes 'X-Y: z'", "451", ""},
	} {
		h := newHost(t, t.TempDir())
		h.script(t, "judge", "cd "+h.dir+"\n"+c.script)
		r := h.run(t, nil, opening+"DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n", "--filter", h.path("judge")+" --with args")
		if got := codes(r.Stdout); got != "220 250 250 250 354 "+c.codes+" 221" {
			t.Errorf("%s: %s, want %s; %s", c.claim, got, c.codes, r.Stderr)
		}
		var got string
		for _, q := range h.queued(t) {
			_, text, _ := strings.Cut(q, "\n\n")
			got += text
		}
		if got != c.text {
			t.Errorf("%s: queued %q, want %q", c.claim, got, c.text)
		}
		if left := glob(t, h.path("queue", "tmp", "*")); len(left) != 0 {
			t.Errorf("%s: left in tmp: %q", c.claim, left)
		}
	}
}

func TestLMTP(t *testing.T) {
	t.Parallel()
	progtest.Bin(t, "deliver")
	h := newHost(t, t.TempDir())
	for _, dir := range []string{"mail/bob/Maildir", "mail/ann/Maildir"} {
		for _, sub := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(h.path(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.RemoveAll(h.path("mail/ann")); err != nil {
		t.Fatal(err)
	}
	h.write(t, "mail/ann", "not a directory")
	r := h.run(t, nil, crlf("EHLO x", "LHLO client.example", "MAIL FROM:<ann@b.example>", "RCPT TO:<bob@mx.example>", "RCPT TO:<nobody@mx.example>",
		"RCPT TO:<u@b.example>", "RCPT TO:<ann@mx.example>", "DATA", "Subject: x", "", "..", ".", "MAIL FROM:<>", "RCPT TO:<bob@mx.example>",
		"BDAT 3 LAST")+"a\nb"+crlf("RSET", "MAIL FROM:<>", "RCPT TO:<nobody@mx.example>", "DATA", "QUIT"), "--lmtp")
	if got := codes(r.Stdout); got != "220 500 250 250 250 550 550 250 354 250 451 250 250 554 250 250 550 554 221" {
		t.Errorf("codes %s\n%s\n%s", got, r.Stdout, r.Stderr)
	}
	box := glob(t, h.path("mail/bob/Maildir/new/*"))
	if len(box) != 1 {
		t.Fatalf("bob has %q; %s", box, r.Stderr)
	}
	b, _ := os.ReadFile(box[0])
	if !strings.HasPrefix(string(b), "Return-Path: <ann@b.example>\n") || !strings.HasSuffix(string(b), "Subject: x\n\n.\n") || !strings.Contains(string(b), " with LMTP id ") {
		t.Errorf("bob got %q", b)
	}
	if q := h.queued(t); len(q) != 0 {
		t.Errorf("queued: %q", q)
	}
}
