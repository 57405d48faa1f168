package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"testing"

	"rohrpost/protocol/imap"
)

// lookFor looks for one text in a message, as BODY or TEXT does.
func lookFor(t testing.TB, op imap.SearchOp, text, raw string) bool {
	t.Helper()
	args := imap.Search{Key: imap.SearchKey{Op: op, Text: text}}
	q, err := (&Session{}).newQuery(&args)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.steps) == 0 {
		return q.root.of(q) == match
	}
	q.content.raw = []byte(raw)
	q.content.memory.Reset(q.content.raw)
	q.content.src, q.content.size = &q.content.memory, int64(len(raw))
	if err := q.learnTexts(); err != nil {
		t.Fatal(err)
	}
	q.stage = stageWhole
	return q.root.of(q) == match
}

const twoParts = `Subject: outer
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: text/plain; name="part.txt"

plain text
--b
Content-Type: %s
Content-Transfer-Encoding: %s

%s
--b--
epilogue
`

func TestSearchText(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		name, message, text string
		body, all           bool
	}{
		{"a body is in both", "Subject: a\n\nhello\n", "HELLO", true, true},
		{"a header only in TEXT", "Subject: hello\n\nx\n", "hello", false, true},
		{"a header line whole", "X-A: b\n\nx\n", "x-a: b", false, true},
		{"a folded field is one line", "X-A: b\n c\n\nx\n", "b c", false, true},
		{"fields do not run together", "A: b\nC: d\n\nx\n", "bC", false, false},
		{"header and body do not", "A: b\n\nx\n", "bx", false, false},
		{"encoded words are decoded", "Subject: =?utf-8?B?" + b64("grün") + "?=\n\nx\n", "GRÜN", false, true},
		{"a message without a header", "\nhello\n", "hello", true, true},
		{"a message without a body", "A: hello\n", "hello", false, true},
		{"quoted-printable is decoded", "Content-Transfer-Encoding: quoted-printable\n\nhel=\nlo w=6Frld\n", "hello world", true, true},
		{"base64 is decoded, across its lines", "Content-Transfer-Encoding: base64\n\n" + b64("hello ") + "\n" + b64("world") + "\n", "hello world", true, true},
		{"lines end in one way", "Content-Transfer-Encoding: base64\n\n" + b64("one\r\ntwo"), "one\r\ntwo", true, true},
		{"ISO-8859-1", "Content-Type: text/plain; charset=iso-8859-1\n\ngr\xfcn\n", "grün", true, true},
		{"windows-1251, where ASCII comes first", "Content-Type: text/plain; charset=windows-1251\n\n" + strings.Repeat("ascii ", 3000) + "\xef\xe8\xf1\xfc\xec\xee\n", "письмо", true, true},
		{"Shift_JIS", "Content-Type: text/plain; charset=Shift_JIS\n\n\x83\x65\x83\x58\x83\x67\n", "テスト", true, true},
		{"ISO-2022-JP, which is ASCII by its bytes", "Content-Type: text/plain; charset=ISO-2022-JP\n\n\x1b$B%F%9%H\x1b(B\n", "テスト", true, true},
		{"ISO-2022-JP has no ASCII where it has none", "Content-Type: text/plain; charset=ISO-2022-JP\n\n\x1b$B%F%9%H\x1b(B\n", "%F%9", false, false},
		{"UTF-16 in base64", "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\n" + b64("h\x00i\x00 \x00x\x00"), "hi x", true, true},
		{"a charset nobody knows is searched for ASCII", "Content-Type: text/plain; charset=x-none\n\nhello \xff\n", "hello", true, true},
		{"UTF-8 that is called ASCII", "\ngrün\n", "GRÜN", true, true},
		{"UTF-8 cut by a piece's end", "Content-Type: text/plain; charset=utf-8\n\n" + strings.Repeat("x", maxPiece-1) + "ü!\n", "ü!", true, true},
		{"a needle cut by a piece's end", "Content-Type: text/plain; charset=utf-8\n\n" + strings.Repeat("x", maxPiece-2) + "needle\n", "needle", true, true},
		{"each part", fmt.Sprintf(twoParts, "text/html", "7bit", "<p>markup</p>"), "<P>", true, true},
		{"the first part too", fmt.Sprintf(twoParts, "text/html", "7bit", ""), "plain text", true, true},
		{"parts do not run together", fmt.Sprintf(twoParts, "text/plain", "7bit", "more"), "textmore", false, false},
		{"MIME headers only in TEXT", fmt.Sprintf(twoParts, "text/html", "7bit", ""), "part.txt", false, true},
		{"no preamble", fmt.Sprintf(twoParts, "text/html", "7bit", ""), "preamble", false, false},
		{"no epilogue", fmt.Sprintf(twoParts, "text/html", "7bit", ""), "epilogue", false, false},
		{"no images", fmt.Sprintf(twoParts, "image/png", "7bit", "needle"), "needle", false, false},
		{"a delivery status", fmt.Sprintf(twoParts, "message/delivery-status", "7bit", "Action: failed"), "action: failed", true, true},
		{"the header of a message within is in the body", fmt.Sprintf(twoParts, "message/rfc822", "7bit", "Subject: inner\n\nx"), "subject: INNER", true, true},
		{"and so is its body", fmt.Sprintf(twoParts, "message/rfc822", "7bit", "Subject: inner\n\nneedle"), "needle", true, true},
		{"the outer header is not", fmt.Sprintf(twoParts, "message/rfc822", "7bit", "Subject: inner\n\nx"), "outer", false, true},
		{"an unknown encoding is searched as it is", "Content-Transfer-Encoding: x-uue\n\nbegin 644\n", "begin 644", true, true},
		{"what is not there", "A: b\n\nc\n", "needle", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lookFor(t, imap.SearchBody, c.text, c.message); got != c.body {
				t.Errorf("BODY %q: %v", c.text, got)
			}
			if got := lookFor(t, imap.SearchText, c.text, c.message); got != c.all {
				t.Errorf("TEXT %q: %v", c.text, got)
			}
		})
	}
}

// TestPlainCharsets holds that text is taken for ASCII only where that is true.
func TestPlainCharsets(t *testing.T) {
	var l plainCharsets
	for range 2 { // the second time from memory
		for name, want := range map[string]bool{
			"us-ascii": true, "UTF-8": true, "iso-8859-15": true, "windows-1252": true, "koi8-r": true,
			"Shift_JIS": true, "EUC-JP": true, "GBK": true, "gb18030": true, "Big5": true, "EUC-KR": true, "x-unknown": true,
			"ISO-2022-JP": false, "HZ-GB-2312": false, "UTF-16": false, "UTF-16LE": false, "UTF-32": false, "IBM037": false,
		} {
			if l.has([]byte(name)) != want {
				t.Errorf("%s: %v", name, !want)
			}
		}
	}
}

// TestI19FieldsOfAnyLength has fields longer than what is held of a header.
func TestI19FieldsOfAnyLength(t *testing.T) {
	long := strings.Repeat("x", 3*fieldRoom)
	lines := strings.Repeat("\n "+strings.Repeat("y", 70), 3*fieldRoom/70)
	for _, raw := range []string{"A: " + long + "needle\nB: c\n\n", "A: b" + lines + "needle\nB: c\n\n", "B: c\nA: needle" + long} {
		if !lookFor(t, imap.SearchText, "needle", raw) {
			t.Errorf("nothing in a header of %d bytes", len(raw))
		}
		if lookFor(t, imap.SearchText, "needleB", raw) {
			t.Error("two fields ran together")
		}
	}
	raw := "X-Foo: " + long + "needle\nB: needle2\n\n"
	s := sessionOf(t, raw)
	if len(s.searchFor(t, "HEADER X-Foo needle")) != 1 || len(s.searchFor(t, "HEADER X-Foo needle2")) != 0 {
		t.Error("a long field is not searched to its end, or beyond")
	}
}

// TestI19LargeMessages has messages that are not held in memory.
func TestI19LargeMessages(t *testing.T) {
	fill := strings.Repeat(strings.Repeat("z", 75)+"\n", 2*small/76)
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	w.Write([]byte(fill + "grün"))
	w.Close()
	s := sessionOf(t, "\n"+fill+"needle\n", fmt.Sprintf(twoParts, "text/plain; charset=utf-8", "quoted-printable", qp.String()))
	for keys, want := range map[string]int{"BODY needle": 1, "BODY \"gr\xc3\xbcn\"": 1, "BODY zzzz": 2, "BODY nothing": 0, "TEXT epilogue": 0} {
		if got := s.searchFor(t, keys); len(got) != want {
			t.Errorf("%s finds %v", keys, got)
		}
	}
}

// TestI19KeptFieldsAreBounded has a field as long as a message may be.
func TestI19KeptFieldsAreBounded(t *testing.T) {
	s := sessionOf(t, "Subject: first "+strings.Repeat("x", 8*maxKept)+" last\nFrom: ann\n\nbody\n")
	args := parseSearch(t, "SUBJECT first")
	q, err := s.newQuery(&args)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := q.matches(0); !ok || err != nil {
		t.Error("what a long field begins with is not found:", err)
	}
	if cap(q.content.room) > 4*maxKept {
		t.Errorf("%d bytes are held", cap(q.content.room))
	}
	q.content.close()
	if len(s.searchFor(t, "TEXT last")) != 1 || len(s.searchFor(t, "BODY body")) != 1 {
		t.Error("the message is not searched to its end")
	}
}

// FuzzSearchText compares BODY with a matcher that tries every place of the text, in
// each transfer encoding.
func FuzzSearchText(f *testing.F) {
	f.Add("hello World", "o w")
	f.Add("grün\r\nist", "N\nIST")
	f.Add(strings.Repeat("ab", 50), strings.Repeat("ba", 20))
	f.Fuzz(func(t *testing.T, text, needle string) {
		want := naive([]byte(text), []byte(needle))
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		if got := lookFor(t, imap.SearchBody, needle, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"+encoded); got != want {
			t.Fatalf("%q in %q: %v", needle, text, got)
		}
		if got := lookFor(t, imap.SearchBody, needle, "Content-Type: text/plain; charset=utf-8\n\n"+text); got != want {
			t.Fatalf("%q in %q as it is: %v", needle, text, got)
		}
		if lookFor(t, imap.SearchBody, needle, "A: b\n\n"+text) && !lookFor(t, imap.SearchText, needle, "A: b\n\n"+text) {
			t.Fatalf("%q is in the body and not in the text", needle)
		}
	})
}
