package dsn

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"rohrpost/protocol/smtp"
)

// The judge is Go's own mail and MIME parser, which shares no code with ours.

var when = time.Unix(1767323045, 0).UTC()

func sample() Report {
	return Report{ID: "1767323045.M5P77Q1.mx.B2", Host: "mx.example.org", To: "ann@example.org", Date: when,
		Arrived: when.Add(-time.Hour), EnvID: "QQ+2B314", Action: Failed, Full: true,
		Rcpts: []Rcpt{{Address: "bob@example.net", ORcpt: "rfc822;Bob+2Bx@example.net", LastTry: when,
			Reply: smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user"}}}}
}

const original = "Received: by mx\nFrom: ann@example.org\nSubject: hi\n\nho\n"

type piece struct {
	header textproto.MIMEHeader
	body   string
}

// parse reads a report as a mail program does.
func parse(t *testing.T, r Report, msg string) (mail.Header, []piece) {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, strings.NewReader(msg)); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s %v %v", kind, params, err)
	}
	var parts []piece
	for mr := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, piece{p.Header, string(body)})
	}
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	return m.Header, parts
}

// groups reads the fields of a message/delivery-status.
func groups(t *testing.T, text string) []textproto.MIMEHeader {
	t.Helper()
	var all []textproto.MIMEHeader
	r := textproto.NewReader(bufio.NewReader(strings.NewReader(text)))
	for {
		h, err := r.ReadMIMEHeader()
		if len(h) > 0 {
			all = append(all, h)
		}
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

func TestReportOfFailure(t *testing.T) {
	t.Parallel()
	header, parts := parse(t, sample(), original)
	for name, want := range map[string]string{"To": "<ann@example.org>", "Auto-Submitted": "auto-replied",
		"Message-Id": "<1767323045.M5P77Q1.mx.B2@mx.example.org>", "Date": "Fri, 02 Jan 2026 03:04:05 +0000", "Mime-Version": "1.0"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !strings.Contains(parts[0].body, "<bob@example.net>:\n    550 5.1.1 no such user") {
		t.Errorf("for people:\n%s", parts[0].body)
	}
	g := groups(t, parts[1].body)
	if len(g) != 2 || parts[1].header.Get("Content-Type") != "message/delivery-status" {
		t.Fatalf("%v %q", parts[1].header, g)
	}
	for i, fields := range []map[string]string{
		{"Reporting-Mta": "dns; mx.example.org", "Original-Envelope-Id": "QQ+314", "Arrival-Date": "Fri, 02 Jan 2026 02:04:05 +0000"},
		{"Original-Recipient": "rfc822; Bob+x@example.net", "Final-Recipient": "rfc822; bob@example.net", "Action": "failed",
			"Status": "5.1.1", "Diagnostic-Code": "smtp; 550 5.1.1 no such user", "Last-Attempt-Date": "Fri, 02 Jan 2026 03:04:05 +0000"},
	} {
		if len(g[i]) != len(fields) {
			t.Errorf("group %d: %q", i, g[i])
		}
		for name, want := range fields {
			if got := g[i].Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	if parts[2].header.Get("Content-Type") != "message/rfc822" || parts[2].body != original {
		t.Errorf("returned %v %q", parts[2].header, parts[2].body)
	}
}

func TestStatusFollowsTheAction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action   Action
		enhanced string
		want     string
	}{
		{Failed, "5.7.1", "5.7.1"}, {Failed, "", "5.0.0"}, {Failed, "4.3.0", "5.0.0"}, {Delayed, "4.3.0", "4.3.0"},
		{Delayed, "5.1.1", "4.0.0"}, {Delivered, "2.0.0", "2.0.0"}, {Expanded, "", "2.0.0"},
	} {
		r := sample()
		r.Action, r.Rcpts[0].Reply.Enhanced = c.action, c.enhanced
		_, parts := parse(t, r, original)
		if got := groups(t, parts[1].body)[1].Get("Status"); got != c.want {
			t.Errorf("%s with %q: %s", c.action, c.enhanced, got)
		}
	}
}

func TestQ20_OnlyTheHeaderAbove50KB(t *testing.T) {
	t.Parallel()
	header := "Subject: hi\nX-Long: " + strings.Repeat("x", 2000) + "\n"
	for _, c := range []struct {
		claim, msg string
		change     func(*Report)
		kind, body string
	}{
		{"exactly the bound goes whole", header + "\n" + strings.Repeat("x", MaxReturned-len(header)-2) + "\n", nil, "message/rfc822", ""},
		{"one more is its header", header + "\n" + strings.Repeat("x", MaxReturned-len(header)-1) + "\n", nil, "text/rfc822-headers", header},
		{"RET=HDRS is its header", header + "\nbody\n", func(r *Report) { r.Full = false }, "text/rfc822-headers", header},
		{"a delay returns the header", header + "\nbody\n", func(r *Report) { r.Action = Delayed }, "text/rfc822-headers", header},
		{"a message without body", header, func(r *Report) { r.Full = false }, "text/rfc822-headers", header},
		{"a header beyond all bounds is cut at a line", strings.Repeat("X: y\n", 1<<20), nil, "text/rfc822-headers", strings.Repeat("X: y\n", MaxReturned/5)},
		{"nothing at all", "", nil, "message/rfc822", "\n"},
	} {
		r := sample()
		if c.change != nil {
			c.change(&r)
		}
		_, parts := parse(t, r, c.msg)
		want := c.body
		if want == "" {
			want = c.msg
		}
		if got := parts[2]; got.header.Get("Content-Type") != c.kind || got.body != want {
			t.Errorf("%s: %s, %d bytes, want %d", c.claim, got.header.Get("Content-Type"), len(got.body), len(want))
		}
	}
}

func TestQ21_HostileTextAddsNothing(t *testing.T) {
	t.Parallel()
	evil := "x\r\nAction: delivered\r\n\r\n--=_1767323045.M5P77Q1.mx.B2.0\r\nContent-Type: text/html\x00\x1b[2J\xff\u0085 ü"
	r := sample()
	r.To = "ann@example.org>\r\nBcc: <eve@example.org"
	r.Host = "mx\r\nX: y"
	r.ID = "id\r\nX: y"
	r.EnvID = "a+0D+0AX: y"
	r.Rcpts[0] = Rcpt{Address: "bob@x\r\nAction: delivered", ORcpt: "rfc822;x+0D+0AAction: delivered",
		Reply: smtp.Reply{Code: 550, Enhanced: "5.1.1\r\nX: y", Text: evil}}
	header, parts := parse(t, r, "Subject: "+evil+"\n\n"+evil+"\n")
	if len(header) != 9 { // From To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type Content-Transfer-Encoding
		t.Errorf("header %q", header)
	}
	g := groups(t, parts[1].body)
	if len(g) != 2 || g[1].Get("Action") != "failed" || len(g[1]["Action"]) != 1 || len(g[0]) != 2 || len(g[1]) != 4 {
		t.Errorf("%q", g)
	}
	if !ascii(parts[1].body) {
		t.Errorf("not 7-bit:\n%s", parts[1].body)
	}
	if strings.ContainsAny(parts[0].body+parts[1].body+parts[2].body, "\r\x00") {
		t.Error("CR or NUL in the report")
	}
}

func TestBoundaryIsInNoPart(t *testing.T) {
	t.Parallel()
	r := sample()
	base := "--=_1767323045.M5P77Q1.mx.B2."
	msg := "Subject: hi\n\n" + base + "0\n" + base + "1--\n" + base + "2\n"
	_, parts := parse(t, r, msg)
	if parts[2].body != msg {
		t.Errorf("returned %q", parts[2].body)
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Rcpts[0].Address, r.Rcpts[0].ORcpt = "jörg+x@example.net", `utf-8;j\x{F6}rg\x{2B}x@example.net`
	header, parts := parse(t, r, original)
	g := groups(t, parts[1].body)[1]
	if got := g.Get("Final-Recipient"); got != `utf-8; j\x{F6}rg\x{2B}x@example.net` {
		t.Errorf("Final-Recipient %q", got)
	}
	if got := g.Get("Original-Recipient"); got != `utf-8; j\x{F6}rg\x{2B}x@example.net` {
		t.Errorf("Original-Recipient %q", got)
	}
	if !strings.Contains(parts[0].body, "<jörg+x@example.net>") || parts[0].header.Get("Content-Transfer-Encoding") != "8bit" ||
		parts[0].header.Get("Content-Type") != "text/plain; charset=utf-8" || header.Get("Content-Transfer-Encoding") != "8bit" {
		t.Errorf("%v %v\n%s", header, parts[0].header, parts[0].body)
	}
}

func TestDelayTellsHowLong(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Action, r.Rcpts[0].GivenUpAt = Delayed, when.Add(24*time.Hour)
	_, parts := parse(t, r, original)
	if got := groups(t, parts[1].body)[1].Get("Will-Retry-Until"); got != "Sat, 03 Jan 2026 03:04:05 +0000" {
		t.Errorf("Will-Retry-Until %q", got)
	}
	if !strings.Contains(parts[0].body, "until Sat, 03 Jan 2026") {
		t.Errorf("for people:\n%s", parts[0].body)
	}
}

func TestLinesStayShort(t *testing.T) {
	t.Parallel()
	r := sample()
	for _, text := range []string{strings.Repeat("word ", 1000), strings.Repeat("x", 5000), strings.Repeat(" ", 5000)} {
		r.Rcpts[0].Reply.Text = text
		_, parts := parse(t, r, original)
		for _, l := range strings.Split(parts[0].body+parts[1].body, "\n") {
			if len(l) > 998 {
				t.Errorf("a line of %d bytes", len(l))
			}
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add("ann@example.org", "bob@example.net", "550 no", "rfc822;x", "Subject: hi\n\nho\n")
	f.Add("a\nb", "ü@x", "x\r\n\r\ny", "utf-8;\\x{F6}", "--=_id.0\n\x00\r")
	f.Fuzz(func(t *testing.T, to, rcpt, reply, orcpt, msg string) {
		r := sample()
		r.To, r.Rcpts[0] = to, Rcpt{Address: rcpt, ORcpt: orcpt, Reply: smtp.Reply{Code: 550, Text: reply}}
		header, parts := parse(t, r, msg)
		if n := len(header); n != 8 && n != 9 {
			t.Fatalf("%d header fields: %q", n, header)
		}
		g := groups(t, parts[1].body)
		if len(g) != 2 || len(g[1]["Action"]) != 1 || len(g[1]["Final-Recipient"]) != 1 {
			t.Fatalf("%q", g)
		}
	})
}
