package message

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// rfc is the example of RFC 9051 section 6.4.5.1.
const rfc = "Subject: outer\nContent-Type: multipart/mixed; boundary=a\n\n" +
	"--a\nContent-Type: text/plain\n\none\n" +
	"--a\nContent-Type: application/octet-stream\n\ntwo\n" +
	"--a\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=b\n\n" +
	"--b\n\nthree one\n--b\n\nthree two\n--b--\n" +
	"--a\nContent-Type: multipart/mixed; boundary=c\n\n" +
	"--c\nContent-Type: image/gif\n\nfour one\n" +
	"--c\nContent-Type: message/rfc822\n\nSubject: deep\nContent-Type: multipart/mixed; boundary=d\n\n" +
	"--d\n\nfour two one\n" +
	"--d\nContent-Type: multipart/alternative; boundary=e\n\n--e\n\nfour two two one\n--e--\n--d--\n--c--\n--a--\n"

func TestSection(t *testing.T) {
	t.Parallel()
	const single = "Subject: s\n\nbody\n"
	const within = "Content-Type: message/rfc822\n\nSubject: in\n\nhi\n"
	const absent = "\x00"
	for _, tt := range []struct {
		name, msg string
		path      []uint32
		what      Specifier
		want      string
	}{
		{"BODY[]", single, nil, Whole, single},
		{"BODY[HEADER]", single, nil, HEADER, "Subject: s\n\n"},
		{"BODY[TEXT]", single, nil, TEXT, "body\n"},
		{"BODY[MIME] cannot be", single, nil, MIME, absent},
		{"RFC 9051 section 6.4.5.1: every message has a part 1", single, []uint32{1}, Whole, "body\n"},
		{"its header is the message's", single, []uint32{1}, MIME, "Subject: s\n\n"},
		{"it is no message", single, []uint32{1}, HEADER, absent},
		{"it has no parts", single, []uint32{1, 1}, Whole, absent},
		{"there is no second", single, []uint32{2}, Whole, absent},
		{"part 0 is none", single, []uint32{0}, Whole, absent},
		{"1", rfc, []uint32{1}, Whole, "one"},
		{"2", rfc, []uint32{2}, Whole, "two"},
		{"3", rfc, []uint32{3}, Whole, "Subject: inner\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nthree one\n--b\n\nthree two\n--b--"},
		{"3.HEADER", rfc, []uint32{3}, HEADER, "Subject: inner\nContent-Type: multipart/mixed; boundary=b\n\n"},
		{"3.TEXT", rfc, []uint32{3}, TEXT, "--b\n\nthree one\n--b\n\nthree two\n--b--"},
		{"3.MIME", rfc, []uint32{3}, MIME, "Content-Type: message/rfc822\n\n"},
		{"3.1", rfc, []uint32{3, 1}, Whole, "three one"},
		{"3.2", rfc, []uint32{3, 2}, Whole, "three two"},
		{"3.3", rfc, []uint32{3, 3}, Whole, absent},
		{"4", rfc, []uint32{4}, MIME, "Content-Type: multipart/mixed; boundary=c\n\n"},
		{"4.HEADER", rfc, []uint32{4}, HEADER, absent},
		{"4.1", rfc, []uint32{4, 1}, Whole, "four one"},
		{"4.1.MIME", rfc, []uint32{4, 1}, MIME, "Content-Type: image/gif\n\n"},
		{"4.2.HEADER", rfc, []uint32{4, 2}, HEADER, "Subject: deep\nContent-Type: multipart/mixed; boundary=d\n\n"},
		{"4.2.1", rfc, []uint32{4, 2, 1}, Whole, "four two one"},
		{"4.2.2", rfc, []uint32{4, 2, 2}, Whole, "--e\n\nfour two two one\n--e--"},
		{"4.2.2.1", rfc, []uint32{4, 2, 2, 1}, Whole, "four two two one"},
		{"5", rfc, []uint32{5}, Whole, absent},
		{"a number without bound", rfc, []uint32{1<<32 - 1}, Whole, absent},
		{"a message that is a message: 1", within, []uint32{1}, Whole, "Subject: in\n\nhi\n"},
		{"1.HEADER", within, []uint32{1}, HEADER, "Subject: in\n\n"},
		{"1.MIME", within, []uint32{1}, MIME, "Content-Type: message/rfc822\n\n"},
		{"1.1", within, []uint32{1, 1}, Whole, "hi\n"},
		{"1.1.MIME", within, []uint32{1, 1}, MIME, "Subject: in\n\n"},
		{"1.2", within, []uint32{1, 2}, Whole, absent},
		{"1.1.1", within, []uint32{1, 1, 1}, Whole, absent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := scanned(t, tt.msg).Section(tt.path, tt.what)
			if !ok {
				if tt.want != absent {
					t.Errorf("absent, want %q", tt.want)
				}
				return
			}
			if got := cut(tt.msg, r); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if want := int64(len(onWire(cut(tt.msg, r)))); r.Wire != want {
				t.Errorf("%d octets on the wire, want %d", r.Wire, want)
			}
		})
	}
}

// readers cut s in various ways.
func readers(s string) []io.Reader {
	return []io.Reader{
		strings.NewReader(s),
		iotest.OneByteReader(strings.NewReader(s)),
		iotest.DataErrReader(strings.NewReader(s)),
		io.NewSectionReader(strings.NewReader("x"+s+"y"), 1, int64(len(s))),
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "\n", "\r", "\r\n", "\n\n", "\r\r\n\n\r", "a\nb\r\nc\rd\n", "\r\n\n\r\n",
		strings.Repeat("x", wireWindow-1) + "\r\ny", strings.Repeat("x", wireWindow) + "\ny", strings.Repeat("\n", wireWindow+1),
		strings.Repeat("x", wireWindow-1) + "\n\ny",
	} {
		want := onWire(in)
		for i, r := range readers(in) {
			var w Wire
			w.Reset(r)
			if got, err := io.ReadAll(&w); err != nil || string(got) != want || w.Offset() != int64(len(want)) {
				t.Errorf("%.20q, reader %d: %.50q at %d, %v", in, i, got, w.Offset(), err)
			}
		}
		var w Wire
		w.Reset(strings.NewReader(in))
		if n, err := w.Size(); n != int64(len(want)) || err != nil {
			t.Errorf("%.20q: size %d, %v; want %d", in, n, err, len(want))
		}
	}
}

func TestWireGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const in = "a\nb\r\n\n\nc\rd\n"
	want := onWire(in)
	for from := range len(want) + 1 {
		for to := from; to <= len(want); to++ {
			var w Wire
			w.Reset(strings.NewReader(in))
			if n, err := w.Discard(int64(from)); n != int64(from) || err != nil {
				t.Fatalf("discarded %d of %d, %v", n, from, err)
			}
			p := make([]byte, to-from)
			if _, err := io.ReadFull(&w, p); err != nil || string(p) != want[from:to] {
				t.Fatalf("%d to %d: %q, %v; want %q", from, to, p, err, want[from:to])
			}
			if rest, _ := io.ReadAll(&w); string(rest) != want[to:] {
				t.Fatalf("behind %d: %q, want %q", to, rest, want[to:])
			}
			if n, err := w.Discard(1); n != 0 || err != io.EOF {
				t.Fatalf("behind the end: %d, %v", n, err)
			}
		}
	}
}

func TestWireReportsTheReadersError(t *testing.T) {
	t.Parallel()
	var w Wire
	w.Reset(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(io.ErrClosedPipe)))
	if got, err := io.ReadAll(&w); string(got) != "a\r\n" || err != io.ErrClosedPipe {
		t.Errorf("%q, %v", got, err)
	}
	w.Reset(iotest.ErrReader(io.ErrClosedPipe))
	if _, err := w.Size(); err != io.ErrClosedPipe {
		t.Errorf("size: %v", err)
	}
}

func TestFieldReader(t *testing.T) {
	t.Parallel()
	const header = "From x@y Mon\nReceived: a\n\tb\nFrom: c\r\n d\r\nSubject : e\nbroken\n f\nfrom: g\n\n"
	long := "X: " + strings.Repeat("x", 3*fieldWindow) + "\n"
	for _, tt := range []struct {
		name, header string
		names        []string
		not          bool
		want         string
	}{
		{"RFC 9051 section 6.4.5.1: in any case, in order, as stored, with the blank line", header, []string{"FROM"}, false, "From: c\r\n d\r\nfrom: g\n\n"},
		{"several", header, []string{"Subject", "received"}, false, "Received: a\n\tb\nSubject : e\n\n"},
		{"none of them", header, []string{"X"}, false, "\n"},
		{"no name", header, nil, false, "\n"},
		{"NOT", header, []string{"from", "received"}, true, "From x@y Mon\nSubject : e\nbroken\n f\n\n"},
		{"NOT nothing is all", header, nil, true, header},
		{"a header without a blank line gets none", "A: b\nC: d", []string{"c"}, false, "C: d"},
		{"the match is exact", "A: b\nAA: c\n\n", []string{"A"}, false, "A: b\n\n"},
		{"a first line that continues nothing is no field", " A: b\nC: d\n\r\n", []string{"a"}, false, "\r\n"},
		{"and with NOT is handed on", " A: b\nC: d\n\r\n", []string{"c"}, true, " A: b\n\r\n"},
		{"a field longer than the window", long + "Y: z\n\n", []string{"x"}, false, long + "\n"},
		{"one left out", long + "Y: z\n\n", []string{"y"}, false, "Y: z\n\n"},
		{"X07 a name too long is none", strings.Repeat("n", MaxName+1) + ": x\nA: b\n\n", []string{strings.Repeat("n", MaxName+1)}, false, "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, r := range readers(tt.header) {
				var f FieldReader
				f.Reset(r, NewFieldSet(tt.names...), tt.not)
				if got, err := io.ReadAll(&f); err != nil || string(got) != tt.want {
					t.Errorf("reader %d: %.100q, %v; want %.100q", i, got, err, tt.want)
				}
			}
		})
	}
}

// FuzzFieldReader holds that a set and its complement share out a header, and
// that what a Header calls a field of a name is what the set gets.
func FuzzFieldReader(f *testing.F) {
	f.Add("From x\nA: b\n c\nb\n d\nA : e\r\n\n")
	f.Fuzz(func(t *testing.T, msg string) {
		r := scanned(t, msg).Parts[0].Header
		header := cut(msg, r)
		set := NewFieldSet("a")
		var with, without FieldReader
		with.Reset(strings.NewReader(header), set, false)
		without.Reset(strings.NewReader(header), set, true)
		a, _ := io.ReadAll(&with)
		b, _ := io.ReadAll(&without)
		blank := len(header) - len(strings.TrimSuffix(strings.TrimSuffix(header, "\n"), "\r"))
		if !strings.HasSuffix(header, "\n\n") && !strings.HasSuffix(header, "\n\r\n") && header != "\n" && header != "\r\n" {
			blank = 0
		}
		if len(a)+len(b) != len(header)+blank {
			t.Fatalf("%q: %q and %q", header, a, b)
		}
		fields := func(s string) (n int) {
			h := Header{Field: func(f Field) {
				if f.Is("A") {
					n++
				}
			}}
			io.WriteString(&h, s)
			h.Close()
			return n
		}
		if want := fields(header); fields(string(a)) != want || fields(string(b)) != 0 {
			t.Fatalf("%q has %d: %q and %q", header, want, a, b)
		}
	})
}

func FuzzWire(f *testing.F) {
	f.Add("a\n\r\n\r", 3)
	f.Fuzz(func(t *testing.T, in string, n int) {
		want := onWire(in)
		var w Wire
		w.Reset(iotest.HalfReader(strings.NewReader(in)))
		skipped, _ := w.Discard(int64(uint(n) % uint(len(want)+1)))
		if got, _ := io.ReadAll(&w); string(got) != want[skipped:] {
			t.Fatalf("%q behind %d: %q", in, skipped, got)
		}
	})
}
