package smtp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// decode runs a message through a decoder in pieces of n bytes, and returns what
// lies behind its end.
func decode(d *Decoder, wire []byte, n int) (text, rest []byte, done bool) {
	for len(wire) > 0 && !done {
		piece := bytes.Clone(wire[:min(n, len(wire))])
		var t []byte
		var used int
		t, used, done = d.Decode(piece)
		text = append(text, t...)
		wire = wire[used:]
	}
	if !d.Dots {
		text = append(text, d.End()...)
	}
	return text, wire, done
}

func TestDecodeData(t *testing.T) {
	for _, c := range []struct {
		claim, wire, text string
		err               error
		done              bool
	}{
		{"an empty message", ".\r\n", "", nil, true},
		{"lines", "a\r\n\r\nb\r\n.\r\n", "a\n\nb\n", nil, true},
		{"dots come off", "..\r\n...\r\n.a\r\n.\r\n", ".\n..\na\n", nil, true},
		{"no end yet", "a\r\n.", "a\n", nil, false},
		{"LF.LF is no end", "a\n.\n", "", ErrBareLF, false},
		{"CRLF.LF is no end", "a\r\n.\n", "", ErrBareLF, false},
		{"LF.CRLF is no end", "a\n.\r\n", "", ErrBareLF, false},
		{"CR.CR is no end", "a\r.\r", "", ErrBareCR, false},
		{"CRLF.CR and text is no end", "a\r\n.\rb\r\n", "", ErrBareCR, false},
		{"CRLF NUL.CRLF is no end", "a\r\n\x00.\r\n", "", ErrNUL, false},
		{"a bad message ends all the same", "a\nb\r\n.\r\n", "", ErrBareLF, true},
		{"CRCRLF has a bare CR", "a\r\r\n.\r\n", "", ErrBareCR, true},
	} {
		for n := 1; n <= len(c.wire); n++ {
			d := Decoder{Dots: true}
			text, rest, done := decode(&d, []byte(c.wire+""), n)
			if done != c.done || !errors.Is(d.Err(), c.err) || c.err == nil && string(text) != c.text {
				t.Errorf("%s, by %d: %q, done %v, %v; want %q, %v, %v", c.claim, n, text, done, d.Err(), c.text, c.done, c.err)
			}
			if len(rest) > 0 {
				t.Errorf("%s, by %d: left %q", c.claim, n, rest)
			}
		}
	}
}

func TestDecoderStopsAtTheEnd(t *testing.T) {
	for n := 1; n < 20; n++ {
		d := Decoder{Dots: true}
		if text, rest, _ := decode(&d, []byte("a\r\n.\r\nQUIT\r\n"), n); string(text) != "a\n" || string(rest) != "QUIT\r\n" {
			t.Errorf("by %d: %q, left %q", n, text, rest)
		}
	}
}

func TestDecodeKeepsBinary(t *testing.T) {
	wire := "a\rb\nc\x00d\r\r\ne\r"
	for n := 1; n <= len(wire); n++ {
		d := Decoder{Keep: true}
		if text, _, _ := decode(&d, []byte(wire), n); string(text) != "a\rb\nc\x00d\r\ne\r" || d.Err() != nil {
			t.Errorf("by %d: %q, %v", n, text, d.Err())
		}
	}
}

// FuzzData holds the decoder of DATA against one that is too simple to be wrong,
// and whatever it accepts, encoded again, is what was sent.
func FuzzData(f *testing.F) {
	for _, s := range []string{".\r\n", "a\r\n.\r\nb", "..\r\n.\r\n", "a\n.\n", "a\r\n.\n", "a\r.\r\n", "\r\n.\r\r\n.\r\n", "x\x00\r\n.\r\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, wire []byte, n int) {
		n = max(1, min(n, 1<<16))
		d := Decoder{Dots: true}
		text, rest, done := decode(&d, wire, n)
		end := 0
		if !bytes.HasPrefix(wire, []byte(".\r\n")) {
			if end = bytes.Index(wire, []byte("\r\n.\r\n")); end >= 0 {
				end += 2
			}
		}
		if done != (end >= 0) {
			t.Fatalf("%q by %d: done %v, the end is at %d", wire, n, done, end)
		}
		if !done {
			return
		}
		if string(rest) != string(wire[end+3:]) {
			t.Fatalf("%q by %d: left %q", wire, n, rest)
		}
		checkText(t, &d, wire[:end], text)
		if d.Err() == nil {
			e := Encoder{Dots: true}
			again := e.AppendEnd(e.Append(nil, text))
			// Dots that nobody had to double are the one thing that may differ.
			if string(unstuff(again)) != string(unstuff(wire[:end+3])) {
				t.Fatalf("%q → %q → %q", wire, text, again)
			}
		}
	})
}

// unstuff takes one dot off each line.
func unstuff(wire []byte) []byte {
	return bytes.TrimPrefix(bytes.ReplaceAll(wire, []byte("\r\n."), []byte("\r\n")), []byte("."))
}

// checkText compares a verdict on a message with what its bytes say.
func checkText(t *testing.T, d *Decoder, wire, text []byte) {
	t.Helper()
	bare := bytes.ReplaceAll(wire, []byte("\r\n"), nil)
	bad := bytes.ContainsAny(bare, "\r\n\x00") || strings.Contains(string(wire), "\r\r\n") // a CR before a CRLF hides in the replacing
	if bad != (d.Err() != nil) {
		t.Fatalf("%q: %v", wire, d.Err())
	}
	if !bad && d.Dots && string(text) != strings.ReplaceAll(string(unstuff(wire)), "\r\n", "\n") {
		t.Fatalf("%q → %q", wire, text)
	}
}

// FuzzChunks does the same for BDAT, where the pieces are the client's.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{"", "a\r\nb", "a\r", "\r\n.\r\n", "a\nb", "a\x00"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, wire []byte, n int) {
		n = max(1, min(n, 1<<16))
		d := Decoder{}
		text, rest, done := decode(&d, wire, n)
		if done || len(rest) != 0 {
			t.Fatalf("%q: done %v, left %q", wire, done, rest)
		}
		checkText(t, &d, wire, text)
		if d.Err() == nil {
			var e Encoder
			if again := e.Append(nil, text); string(again) != string(wire) {
				t.Fatalf("%q → %q → %q", wire, text, again)
			}
		}
		k := Decoder{Keep: true}
		kept, _, _ := decode(&k, wire, n)
		if k.Err() != nil || string(kept) != strings.ReplaceAll(string(wire), "\r\n", "\n") {
			t.Fatalf("kept %q → %q, %v", wire, kept, k.Err())
		}
	})
}

func TestEncode(t *testing.T) {
	for text, want := range map[string]string{
		"":          ".\r\n",
		"a":         "a\r\n.\r\n",
		".\n..\na.": "..\r\n...\r\na.\r\n.\r\n",
		"a\r\nb\n":  "a\r\nb\r\n.\r\n",
	} {
		for n := 1; n <= len(text)+1; n++ {
			e := Encoder{Dots: true}
			var wire []byte
			for rest := text; rest != ""; {
				k := min(n, len(rest))
				wire = e.Append(wire, []byte(rest[:k]))
				rest = rest[k:]
			}
			if wire = e.AppendEnd(wire); string(wire) != want {
				t.Errorf("%q by %d: %q, want %q", text, n, wire, want)
			}
		}
	}
}

func TestXtext(t *testing.T) {
	for text, want := range map[string]string{"a@b": "a@b", "a+b=c d": "a+2Bb+3Dc+20d", "ü": "+C3+BC"} {
		if got := EncodeXtext(text); got != want {
			t.Errorf("EncodeXtext(%q) = %q", text, got)
		}
		if back, err := DecodeXtext(want); back != text || err != nil {
			t.Errorf("DecodeXtext(%q) = %q, %v", want, back, err)
		}
	}
	for _, bad := range []string{"+", "+4", "+4g", "+ab", "a b", "a=b", "+0D+0A", "+00", "+7F", "\x01", "ü"} {
		if _, err := DecodeXtext(bad); err == nil {
			t.Errorf("DecodeXtext(%q) found nothing wrong", bad)
		}
	}
}

func FuzzXtext(f *testing.F) {
	f.Add("a+2Bb")
	f.Fuzz(func(t *testing.T, s string) {
		text, err := DecodeXtext(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(text, "\r\n\x00\t") {
			t.Fatalf("%q → %q", s, text)
		}
		if back, err := DecodeXtext(EncodeXtext(text)); back != text || err != nil {
			t.Fatalf("%q → %q → %q, %v", s, text, back, err)
		}
	})
}

func TestReply(t *testing.T) {
	r := Reply{Code: 250, Enhanced: "2.1.0", Text: "one\ntwo"}
	if got := string(r.Append(nil)); got != "250-2.1.0 one\r\n250 2.1.0 two\r\n" {
		t.Errorf("on the wire: %q", got)
	}
	if got := r.String(); got != "250 2.1.0 one two" {
		t.Errorf("in a log: %q", got)
	}
	if got := string(Reply{Code: 354}.Append(nil)); got != "354 \r\n" {
		t.Errorf("without text: %q", got)
	}
}

// BenchmarkDecodeData is the rate at which DATA can come in at most.
func BenchmarkDecodeData(b *testing.B) {
	wire := bytes.Repeat([]byte("A line of text of the length that lines of messages commonly have, seventy-six\r\n"), 800)
	buf := make([]byte, len(wire))
	b.SetBytes(int64(len(wire)))
	d := Decoder{Dots: true}
	for b.Loop() {
		copy(buf, wire)
		d.Decode(buf)
	}
}
