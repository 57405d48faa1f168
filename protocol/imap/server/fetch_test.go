package server

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
	"rohrpost/protocol/message"
)

// answerTo is what one command is answered with.
func (s *Session) answerTo(t testing.TB, command string) string {
	t.Helper()
	var out bytes.Buffer
	s.w = &imap.Encoder{Writer: line.NewWriter(&out), UTF8: s.enabled.utf8}
	s.state = selectedState
	s.d = imap.NewDecoder(line.NewReader(strings.NewReader("a "+command+"\r\n"), imap.AfterLogin.Line+2), imap.AfterLogin, nil)
	c, err := s.d.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.obey(c); err != nil {
		t.Fatal(err)
	}
	s.w.Flush()
	return out.String()
}

// TestEnvelopeAgain holds that an ENVELOPE that was kept is the one that was found out,
// and that clients with and without UTF-8 (RFC 6855 section 3) get their own.
func TestEnvelopeAgain(t *testing.T) {
	const command = "FETCH 1:3 (ENVELOPE)"
	s := sessionOf(t, benchMessage(1), "Subject: gr\u00fcn\n\n", "\n")
	plain := s.answerTo(t, command)
	if again := s.answerTo(t, command); again != plain {
		t.Errorf("was %s, is %s", plain, again)
	}
	for pos := range 3 {
		if _, ok := s.box.Cached(pos, kindEnvelope); !ok {
			t.Errorf("ENVELOPE of %d is not kept", pos+1)
		}
	}
	s.enabled.utf8 = true
	if got := s.answerTo(t, command); !strings.Contains(got, "\"gr\u00fcn\"") {
		t.Errorf("with UTF-8 it is %s", got)
	}
	s.enabled.utf8 = false
	if again := s.answerTo(t, command); again != plain || strings.Contains(plain, "\"gr\u00fcn\"") {
		t.Errorf("without UTF-8 it is %s", again)
	}
}

// FuzzFields compares with what package message hands on: HEADER.FIELDS is the same
// from a header and from those of its fields that are kept.
func FuzzFields(f *testing.F) {
	f.Add([]byte("From: a\nto : b\r\n c\nSubject:\nX-A: b\n\n"), "to", "SUBJECT")
	f.Add([]byte("From: a\n\r\nTo: b"), "From", "to")
	f.Add([]byte("From: a\r\n\r\n"), "from", "from")
	f.Add([]byte(" continues\nFrom: a"), "from", "Date")
	f.Fuzz(func(t *testing.T, header []byte, one, two string) {
		x := imap.FetchSection{Section: imap.Section{Text: imap.SectionFields, Fields: []string{one, two}}}
		if !isKept(&x) {
			return
		}
		var scanner message.Scanner
		tree, err := scanner.ScanHeader(bytes.NewReader(header))
		if err != nil {
			t.Fatal(err)
		}
		header = header[:tree.Parts[0].Header.Size]
		read := func(from []byte, set message.FieldSet, wire bool) []byte {
			var r message.FieldReader
			r.Reset(bytes.NewReader(from), set, false)
			var src io.Reader = &r
			if wire {
				var w message.Wire
				w.Reset(&r)
				src = &w
			}
			b, err := io.ReadAll(src)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		want := read(header, message.NewFieldSet(one, two), true)
		if got := appendFields(nil, read(header, keptFields, false), x.Section.Fields); !bytes.Equal(got, want) {
			t.Fatalf("%q in %q: got %q, want %q", x.Section.Fields, header, got, want)
		}
	})
}

// FuzzWire compares with package message: text in memory goes over the wire as text
// from a file does.
func FuzzWire(f *testing.F) {
	f.Add([]byte("a\nb\r\n\r\n\n\r\r\nc\r"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var w message.Wire
		w.Reset(bytes.NewReader(text))
		want, err := io.ReadAll(&w)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendWire(nil, text); !bytes.Equal(got, want) || wireSize(text) != len(want) {
			t.Fatalf("%q became %q with %d announced, want %q", text, got, wireSize(text), want)
		}
	})
}

// TestSectionsOfSmallMessages has what is not written in one piece: NUL, which no
// literal holds (RFC 9051 section 4.3), and parts of a section.
func TestSectionsOfSmallMessages(t *testing.T) {
	s := sessionOf(t, "A: b\n\none\x00two\n")
	for command, want := range map[string]string{
		"FETCH 1 BODY.PEEK[TEXT]":        "BODY[TEXT] {9}\r\none\x80two\r\n",
		"FETCH 1 BODY.PEEK[TEXT]<4.2>":   "BODY[TEXT]<4> {2}\r\ntw",
		"FETCH 1 BODY.PEEK[HEADER]":      "BODY[HEADER] {8}\r\nA: b\r\n\r\n",
		"FETCH 1 BODY.PEEK[HEADER]<2.9>": "BODY[HEADER]<2> {6}\r\n b\r\n\r\n",
		"FETCH 1 BODY.PEEK[]":            "BODY[] {17}\r\nA: b\r\n\r\none\x80two\r\n",
	} {
		if got := s.answerTo(t, command); !strings.Contains(got, "("+want+")\r\n") {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}

// TestHeadersLongerThanTheBeginning has headers that end before, at and behind the end
// of what is read of a message at first.
func TestHeadersLongerThanTheBeginning(t *testing.T) {
	for _, size := range []int{beginning - 2, beginning - 1, beginning, beginning + 1, 3 * beginning} {
		for _, body := range []string{"", "body\n", strings.Repeat("body\n", 2*beginning)} {
			fill := strings.Repeat("x", size-len("X-A: \nSubject: found\n\n"))
			s := sessionOf(t, "X-A: "+fill+"\nSubject: found\n\n"+body)
			if got := s.searchFor(t, "SUBJECT found"); len(got) != 1 {
				t.Errorf("header of %d bytes, body of %d: Subject is not found", size, len(body))
			}
			want := "BODY[HEADER.FIELDS.NOT (X-A)] {18}\r\nSubject: found\r\n\r\n"
			if got := s.answerTo(t, "FETCH 1 (BODY.PEEK[HEADER.FIELDS.NOT (X-A)] BODY.PEEK[TEXT])"); !strings.Contains(got, want) ||
				!strings.Contains(got, fmt.Sprintf("BODY[TEXT] {%d}\r\n%s", wireSize([]byte(body)), strings.ReplaceAll(body, "\n", "\r\n"))) {
				t.Errorf("header of %d bytes, body of %d: got %.200q", size, len(body), got)
			}
		}
	}
}
