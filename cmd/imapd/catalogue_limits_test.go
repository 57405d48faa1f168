package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/protocol/imap/imaptest"
)

// most is what a session may take of memory, in bytes, on any input.
const most = 64 << 20

// memory is the most memory the program has had so far, in bytes.
func (p *peer) memory() (n int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Error(err)
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(after, &n); err != nil {
		p.t.Error(err)
	}
	return n << 10
}

// small wants a session that has stayed small, and then ends it.
func (p *peer) small() {
	p.t.Helper()
	if n := p.memory(); n == 0 || n > most {
		p.t.Errorf("took %d MB", n>>20)
	}
	p.end()
}

// message puts one message into a fresh Maildir, and selects it.
func selectMessage(t *testing.T, text string) *peer {
	t.Helper()
	m := boxTree(t)
	putFile(t, m.Path()+"/cur/1700000001.M1P1.mx:2,S", text)
	p := startPeer(t, m)
	p.ask("s SELECT INBOX")
	return p
}

// parsed asks, and has all answers parsed strictly.
func (p *peer) parsed(command string) []imaptest.Response {
	p.t.Helper()
	io.WriteString(p.in, command+"\r\n")
	tag, _, _ := strings.Cut(command, " ")
	r := imaptest.NewReader(p.out)
	var all []imaptest.Response
	for {
		resp, err := r.Next()
		if err != nil {
			p.t.Fatalf("%.100s: %v; log:\n%s", command, err, &p.log)
		}
		all = append(all, resp)
		if resp.Tag == tag {
			return all
		}
	}
}

// hostile are messages as the rows of the catalogue describe them; each is read in
// every way, and all that is said must parse, from a session that stays small.
var hostile = map[string]func() string{
	"I15, X02: MIME within MIME 10,000 deep": func() string {
		var b strings.Builder
		for i := range 10_000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return b.String() + "\ntext\n"
	},
	"I15: 100,000 parts": func() string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100_000) + "--b--\n"
	},
	"I15: boundary of 2 KB, empty boundary, prefix of another": func() string {
		long := strings.Repeat("b", 2048)
		return "Content-Type: multipart/mixed; boundary=" + long + "\n\n--" + long + "\nContent-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n--" +
			long + "\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nx\n--bbb\n\ny\n"
	},
	"I16: message/rfc822 within itself": func() string {
		return strings.Repeat("Content-Type: message/rfc822\n\n", 50_000) + "x"
	},
	"I17: 100,000 addresses": func() string {
		return "From: " + strings.Repeat("a b <a@b>,\n ", 100_000) + "x <x@y>\n\n"
	},
	"I17: groups, comments, open quotes": func() string {
		return "To: " + strings.Repeat("g:a@b,c@d;,", 5000) + "\nCc: " + strings.Repeat("(", 50_000) + "a@b\nFrom: \"" + strings.Repeat("x\\\"", 50_000) + "\nBcc: a@[" + strings.Repeat("1", 256<<10) + "]\n\n"
	},
	"I18: parameters in 100,000 pieces": func() string {
		var b strings.Builder
		b.WriteString("Content-Type: text/plain")
		for i := range 100_000 {
			fmt.Fprintf(&b, ";\n x*%d*=a%%20", i)
		}
		return b.String() + "\n\n"
	},
	"I20: 20,000 references": func() string {
		return "Message-ID: <a@b>\nReferences: " + strings.Repeat("<a@b>\n <c@d>\n ", 10_000) + "\n\nx\n"
	},
	"X03: boundary with spaces, at the end without a line end": func() string {
		return "Content-Type: multipart/mixed; boundary=\"b b \"\n\n--b b  \n\nx\n--b b --"
	},
	"X04: base64 and quoted-printable that are not": func() string {
		return "Content-Transfer-Encoding: base64\n\n=" + strings.Repeat("QUJD*=\r", 20_000) + "\n=XY=\n"
	},
	"X05: encoded words that are cut, nested, unknown": func() string {
		return "Subject: " + strings.Repeat("=?utf-8?q?=c3?= =?x-no?b?AAAA?= =?utf-8?q?=?=?=", 3000) + "\n\n"
	},
	"X06: all of Unicode's tricks": func() string {
		return "Subject: \u202e\u2028\u0000e\u0301\u00e9\xff\xfe\xed\xa0\x80\n\n\u202e"
	},
	"X07: header lines that are none": func() string {
		return "Subject : a\n: b\nno colon\n\xff\xfe: c\nX-" + strings.Repeat("y", 1<<20) + ": d\n\nbody\n"
	},
	"X08: dates": func() string {
		return "Date: Mon, 99 Zzz 1000000000 99:99:99 +9999 " + strings.Repeat("(", 100_000) + "\n\n"
	},
	"X09: ids": func() string {
		return "Message-ID: <" + strings.Repeat("a b", 300_000) + ">\nIn-Reply-To: <>\n\n"
	},
	"X10: HTML": func() string {
		return "Content-Type: text/html\n\n" + strings.Repeat("<a <!-- <![CDATA[ &#x", 20_000)
	},
	"X11: a line of 64 MB": func() string { return "Subject: x\n\n" + strings.Repeat("x", 64<<20) },
	"no header, bare LF and CR, NUL": func() string {
		return "\n\x00\r\r\n\n\r"
	},
	"empty": func() string { return "" },
}

func TestHostileMessagesAreServed(t *testing.T) {
	t.Parallel()
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := selectMessage(t, text())
			for i, command := range []string{
				"FETCH 1 (ENVELOPE BODYSTRUCTURE RFC822.SIZE)", "FETCH 1 FULL", "FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.1.MIME] BODY.PEEK[2.HEADER])",
				"FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject To References X-None)] BODY.PEEK[HEADER.FIELDS.NOT (From)])",
				"FETCH 1 (BODY.PEEK[]<0.1000> BODY.PEEK[TEXT]<5.10>)",
				"SEARCH TEXT nowhere", "SEARCH OR SUBJECT x SENTBEFORE 1-Jan-2020", "SORT (SUBJECT FROM DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL",
			} {
				all := p.parsed(fmt.Sprintf("a%d %s", i, command))
				if end := all[len(all)-1]; end.Name != "OK" {
					t.Errorf("%s: %s", command, end.Raw)
				}
			}
			p.small()
		})
	}
}

// I20: threads of messages that refer to each other in a ring, and of a long chain
// (RFC 5256 section 3: "If creating the link would create a loop, do not").
func TestI20ThreadsOfRingsAndChains(t *testing.T) {
	t.Parallel()
	const n = 3000
	m := boxTree(t)
	for i := range n {
		text := fmt.Sprintf("Subject: x\nMessage-ID: <%d@x>\nReferences: <%d@x> <%d@x>\n\n", i, (i+n-2)%n, (i+n-1)%n)
		putFile(t, fmt.Sprintf("%s/cur/17000%05d.M1P1.mx:2,", m.Path(), i), text)
	}
	p := startPeer(t, m)
	p.ask("a SELECT INBOX")
	for _, command := range []string{"THREAD REFERENCES UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL", "SORT (SUBJECT REVERSE DATE) UTF-8 ALL"} {
		io.WriteString(p.in, "b "+command+"\r\n")
		var members int
		for {
			l := p.line()
			members += len(strings.FieldsFunc(l, func(r rune) bool { return r < '0' || r > '9' }))
			if strings.HasPrefix(l, "b ") {
				break
			}
		}
		if members != n {
			t.Errorf("%s: %d of %d messages", command, members, n)
		}
	}
	p.small()
}

// I21: a storm of NOOPs costs no memory, and is answered to the end.
func TestI21StormOfCommands(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 1)
	p := startPeer(t, m)
	p.ask("a SELECT INBOX")
	go io.WriteString(p.in, strings.Repeat("n NOOP\r\n", 100_000)+"z NOOP\r\n")
	answers := 0
	for p.line() != "z OK done" {
		answers++
	}
	if answers != 100_000 {
		t.Errorf("%d answers", answers)
	}
	p.small()
}

// X11: a message beyond 2^32 bytes, and so beyond 2^31, has its size and any part of
// it.
func TestX11MessageBeyond32Bits(t *testing.T) {
	t.Parallel()
	const size = int64(1<<32 + 1)
	m := boxTree(t)
	path := m.Path() + "/cur/1700000001.M1P1.mx:2,S"
	putFile(t, path, "Subject: x\n\n")
	mustDo(t, os.Truncate(path, size))
	p := startPeer(t, m)
	p.ask("a SELECT INBOX")
	want := fmt.Sprintf("* 1 FETCH (RFC822.SIZE %d BODY[HEADER]<0> {7}", size+2)
	if got := p.ask("b FETCH 1 (RFC822.SIZE BODY.PEEK[HEADER]<0.7>)"); got[0] != want {
		t.Errorf("got %q, want %q", got[0], want)
	}
	got := p.parsed(fmt.Sprintf("c FETCH 1 BODY.PEEK[]<%d.1000>", size-3))
	if items := got[0].Args[0].List; len(items) != 2 || len(items[1].Text) != 5 {
		t.Errorf("%d octets from %d: %.200q", size, size-3, got[0].Raw)
	}
	p.small()
}

// L01: many sessions idle at once, and a new login is served (a hundredth of the row).
func TestL01IdleSessions(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 10)
	var all []*peer
	for range 20 {
		p := startPeer(t, m)
		p.ask("a SELECT INBOX")
		io.WriteString(p.in, "b IDLE\r\n")
		p.line()
		all = append(all, p)
	}
	putFile(t, m.Path()+"/new/1700000099.M1P1.mx", "Subject: new\n\n")
	for _, p := range all {
		for l := p.line(); l != "* 11 EXISTS"; l = p.line() {
		}
		if n := p.memory(); n > most/4 {
			t.Errorf("idle session takes %d MB", n>>20)
		}
	}
	if got := say(t, m, "a STATUS INBOX (MESSAGES)"); got[0] != "* STATUS INBOX (MESSAGES 11)" {
		t.Errorf("got %q", got)
	}
	for _, p := range all {
		io.WriteString(p.in, "DONE\r\n")
		p.end()
	}
}

// L03: sessions leave nothing behind: no process, no temporary file, no lock, and no
// descriptor in a session that goes on.
func TestL03NothingIsLeft(t *testing.T) {
	t.Parallel()
	m := boxTree(t, "a")
	fill(t, m, 3)
	p := startPeer(t, m)
	descriptors := func() int {
		d, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		mustDo(t, err)
		return len(d)
	}
	round := func() {
		for _, c := range []string{"SELECT INBOX", "FETCH 1:3 (ENVELOPE BODY[])", "COPY 1 a", `STORE 1 -FLAGS (\Seen)`, "APPEND a {1+}\r\nx", "STATUS a (MESSAGES SIZE)", "SEARCH TEXT x",
			"SELECT a", `STORE 1:* +FLAGS (\Deleted)`, "EXPUNGE", "CREATE b", "RENAME b c", "DELETE c", `LIST "" * RETURN (STATUS (MESSAGES))`, "UNSELECT", "SELECT none", "APPEND none {1}"} {
			p.ask("x " + c)
		}
	}
	round()
	before := descriptors()
	const rounds = 50 // a leak would be one in each at least
	for range rounds {
		round()
	}
	if now := descriptors(); now >= before+rounds {
		t.Errorf("%d descriptors, then %d", before, now)
	}
	for range 50 {
		say(t, m, "a SELECT INBOX", "b FETCH 1 BODY[]", "c SELECT a")
	}
	p.small()
	for _, pattern := range []string{"/tmp/*", "/.a/tmp/*", "/*.lock", "/.a/*.lock", "/*.tmp", "/.b*", "/.c*"} {
		left, _ := filepath.Glob(m.Path() + pattern)
		left = slices.DeleteFunc(left, func(f string) bool { return strings.HasSuffix(f, "/rohrpost.lock") })
		if len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
}

// limited is imapd under a limit of the shell's ulimit.
func limited(t *testing.T, m *maildir.Maildir, limit string) *exec.Cmd {
	c := progtest.Command(t, []string{"HOME=" + filepath.Dir(m.Path())}, "imapd")
	c.Args = []string{"/bin/bash", "-c", "ulimit " + limit + "; exec " + c.Path}
	c.Path = "/bin/bash"
	return c
}

// L04: with too few of everything, commands are refused for now, or the program does
// not start; nothing is acknowledged that is not there.
func TestL04LowLimits(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdef\r\n", 20_000)
	for _, limit := range []string{"-n 4", "-n 6", "-n 8", "-n 10", "-n 12", "-f 0", "-f 100", "-d 65536", "-d 1000", "-u 1", "-t 1"} {
		m := boxTree(t)
		fill(t, m, 3)
		var in bytes.Buffer
		for _, c := range []string{"a SELECT INBOX", "b FETCH 1:3 (FLAGS BODY[])", fmt.Sprintf("c APPEND INBOX {%d+}\r\n%s", len(text), text), `d STORE 1 +FLAGS (\Flagged)`, "e SEARCH TEXT x", "f LOGOUT"} {
			in.WriteString(c + "\r\n")
		}
		r := progtest.RunCmd(t, &in, limited(t, m, limit))
		switch r.Code {
		case 0, 111, 2: // 2: Go's runtime could not even start
		default:
			t.Errorf("ulimit %s: exit code %d, %s", limit, r.Code, r.Stderr)
		}
		if r.Code == 2 && !strings.Contains(limit, "-d") && !strings.Contains(limit, "-u") && !strings.Contains(limit, "-n 4") {
			t.Errorf("ulimit %s: %.500s", limit, r.Stderr)
		}
		kept := 0
		for _, sub := range []string{"/new", "/cur"} {
			entries, err := os.ReadDir(m.Path() + sub)
			mustDo(t, err)
			for _, e := range entries {
				if st, err := e.Info(); err == nil && st.Size() == int64(len(strings.ReplaceAll(text, "\r\n", "\n"))) {
					kept++
				} else if err == nil && st.Size() > 30 {
					t.Errorf("ulimit %s: %s has %d bytes", limit, e.Name(), st.Size())
				}
			}
		}
		if strings.Contains(r.Stdout, "c OK") != (kept == 1) {
			t.Errorf("ulimit %s: %d messages kept, and the answer is in %.1000q", limit, kept, r.Stdout)
		}
	}
}

// L06: names that many keys share cost no more than others: maps of Go are seeded.
// What a client can make many of (keywords, header fields, folders, flags) stays fast
// and small.
func TestL06ManyKeys(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "X-%d: %d\n", i, i)
	}
	p := selectMessage(t, b.String()+"\nbody\n")
	fields := strings.Repeat("X-1 ", 5000) + "X-2"
	p.parsed("b FETCH 1 BODY.PEEK[HEADER.FIELDS (" + fields + ")]")
	p.parsed("c FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (" + fields + ")]")
	p.small()
}

// O01: what a client sends is one line of the log, quoted and bounded. O03: passwords,
// also wrong ones, and the text of messages are in no line at all.
func TestO01O03WhatIsLogged(t *testing.T) {
	t.Parallel()
	progtest.Bin(t, "login-ok")
	dir := t.TempDir()
	putFile(t, dir+"/auth", "exit 1\n")
	in := "a LOGIN {30+}\r\nx\r\nimapd: login user=root\x1b[2J%n\xff secretcanary1\r\n" +
		"b LOGIN \"" + strings.Repeat("u", 400) + "\" secretcanary2\r\nc AUTHENTICATE PLAIN " + "AGFubgBzZWNyZXRjYW5hcnkz" + "\r\n"
	c := progtest.Command(t, nil, "imapd", "--", "/bin/sh", dir+"/auth")
	r := progtest.RunCmd(t, strings.NewReader(in), c)
	for _, l := range strings.Split(strings.TrimSuffix(r.Stderr, "\n"), "\n") {
		if !strings.HasPrefix(l, "imapd: ") || len(l) > 2048 || strings.ContainsAny(l, "\x1b\r") || !utf8.ValidString(l) || strings.Contains(l, " user=root") {
			t.Errorf("logged %q", l)
		}
	}
	m := boxTree(t)
	p := startPeer(t, m)
	p.ask("a APPEND INBOX {18+}\r\nsecretcanary4 text")
	p.ask("b SELECT INBOX")
	p.ask("c FETCH 1 BODY[]")
	p.ask("d SEARCH TEXT secretcanary5")
	p.ask("e APPEND none {13+}\r\nsecretcanary6")
	p.end()
	if log := r.Stderr + p.log.String(); strings.Contains(log, "canary") || strings.Contains(log, "c2VjcmV0") {
		t.Errorf("log:\n%s", log)
	}
}

// O02: a log that nobody takes holds no mail up: closed, a full pipe, a broken one.
func TestO02LogThatNobodyTakes(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 1)
	for name, log := range map[string]func(t *testing.T) *os.File{
		"broken pipe": func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			mustDo(t, err)
			r.Close()
			return w
		},
		"full pipe": func(t *testing.T) *os.File {
			var fds [2]int
			mustDo(t, unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK))
			for {
				if _, err := unix.Write(fds[1], make([]byte, 4096)); err != nil {
					break
				}
			}
			mustDo(t, unix.SetNonblock(fds[1], false))
			t.Cleanup(func() { unix.Close(fds[0]) })
			w := os.NewFile(uintptr(fds[1]), "full")
			return w
		},
		"closed": func(t *testing.T) *os.File { return nil },
	} {
		c := progtest.Command(t, []string{"HOME=" + filepath.Dir(m.Path())}, "imapd")
		if f := log(t); f != nil {
			c.Stderr = f
			defer f.Close()
		} else {
			c.Args = []string{"/bin/sh", "-c", "exec " + c.Path + " 2>&-"}
			c.Path = "/bin/sh"
		}
		var out bytes.Buffer
		c.Stdin, c.Stdout = strings.NewReader("a SELECT none\r\nb SELECT none\r\nc APPEND INBOX {1+}\r\nx\r\nd LOGOUT\r\n"), &out
		if err := c.Run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(out.String(), "c OK [APPENDUID ") || !strings.Contains(out.String(), "d OK") {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

// O04: a configuration that is wrong stops the program before it greets, with one
// clear line; there is no permissive default.
func TestO04WrongConfiguration(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	for name, value := range map[string]string{"no number": "ten\n", "negative": "-1\n", "NUL": "1\x00\n", "two lines": "1\n2\n", "10 MB": strings.Repeat("1", 10<<20)} {
		etc := t.TempDir()
		putFile(t, etc+"/databytes", value)
		r := progtest.Run(t, strings.NewReader("a LOGOUT\r\n"), []string{"HOME=" + filepath.Dir(m.Path())}, "imapd", "--etc", etc)
		if r.Code == 0 || strings.Contains(r.Stdout, "PREAUTH") || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, "databytes") {
			t.Errorf("%s: %d, %q, %.300q", name, r.Code, r.Stdout, r.Stderr)
		}
	}
}
