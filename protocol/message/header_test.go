package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// scan feeds msg in pieces of at most n bytes and writes down what comes out.
func scan(msg string, n int) (fields []string, done bool) {
	h := Header{Field: func(f Field) {
		s := fmt.Sprintf("%s:%s", f.Name, f.Value)
		if f.Cut {
			s += "…"
		}
		fields = append(fields, s)
	}}
	for len(msg) > 0 {
		k := min(n, len(msg))
		io.WriteString(&h, msg[:k])
		msg = msg[k:]
	}
	done = h.Done()
	h.Close()
	return fields, done
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, msg string
		want      []string
		done      bool
	}{
		{"an empty message has no fields", "", nil, false},
		{"an empty line ends the header", "A: 1\n\nB: 2\n", []string{"A:1"}, true},
		{"so does one with CRLF", "A: 1\r\n\r\nB: 2\r\n", []string{"A:1"}, true},
		{"a message may be body only", "\nA: 1\n", nil, true},
		{"a message may be header only", "A: 1\nB: 2", []string{"A:1", "B:2"}, false},
		{"folded lines are unfolded, the blank stays", "A: 1\r\n\t2\r\n 3\r\nB:4\r\n\r\n", []string{"A:1\t2 3", "B:4"}, true},
		{"a line of blanks continues, it ends nothing", "A: 1\n \n 2\n\n", []string{"A:1  2"}, true},
		{"line ends may be mixed", "A: 1\nB: 2\r\nC: 3\n\r\n", []string{"A:1", "B:2", "C:3"}, true},
		{"a value may be empty", "A:\nB: \n\n", []string{"A:", "B:"}, true},
		{"a value may hold colons and bare CRs", "A: b:c\rd\n\n", []string{"A:b:c\rd"}, true},
		{"X07 blanks before the colon are no part of the name", "A \t: 1\n\n", []string{"A:1"}, true},
		{"X07 a line without a colon is no field and no end", "A: 1\nhello\nB: 2\n\n", []string{"A:1", "B:2"}, true},
		{"X07 its continuation goes with it", "hello\n B: 2\nC: 3\n\n", []string{"C:3"}, true},
		{"X07 an empty name is no name", ": 1\nB: 2\n\n", []string{"B:2"}, true},
		{"X07 an 8-bit name is no name", "\xc3\xa4: 1\nB: 2\n\n", []string{"B:2"}, true},
		{"X07 a name with a blank inside is no name", "From a@b 10:00\nB: 2\n\n", []string{"B:2"}, true},
		{"X07 a name of 256 bytes is one", strings.Repeat("n", 256) + ": 1\n\n", []string{strings.Repeat("n", 256) + ":1"}, true},
		{"X07 a name of 257 bytes is none", strings.Repeat("n", 257) + ": 1\nB: 2\n\n", []string{"B:2"}, true},
		{"X07 a name of 1 MB is none", strings.Repeat("n", 1<<20) + ": 1\nB: 2\n\n", []string{"B:2"}, true},
		{"X07 a name that the message ends in is none", "A: 1\nSubject", []string{"A:1"}, false},
		{"a first line that is a continuation continues nothing", " A: 1\nB: 2\n\n", []string{"B:2"}, true},
		{"a CR alone on a line is no empty line", "A: 1\n\rB: 2\nC: 3\n\n", []string{"A:1", "C:3"}, true},
		{"a long value is cut", "A: " + strings.Repeat("v", 1<<20) + "\nB: 2\n\n",
			[]string{"A:" + strings.Repeat("v", MaxValue-1) + "…", "B:2"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{1, 2, 7, 1 << 21} {
				got, done := scan(tt.msg, n)
				if strings.Join(got, "|") != strings.Join(tt.want, "|") || done != tt.done {
					t.Errorf("in pieces of %d: %.200q done=%v, want %.200q done=%v", n, got, done, tt.want, tt.done)
				}
			}
		})
	}
}

func TestFirstIsField(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, msg string
		want      bool
	}{
		{"a field", "Subject: x\n", true},
		{"blanks before the colon", "Subject : x\n", true},
		{"a value longer than the name may be", "A: " + strings.Repeat("v", 300), true},
		{"nothing", "", false},
		{"an empty line", "\nA: 1\n", false},
		{"an mbox line", "From a@b Mon Nov 23 03:00:00 2026\n", false},
		{"a quoted mbox line", ">From a@b Mon Nov 23 03:00:00 2026\n", false},
		{"a continuation", " A: 1\n", false},
		{"no name", ": 1\n", false},
		{"a colon only in the second line", "hello\nA: 1\n", false},
		{"a name too long", strings.Repeat("n", 257) + ":", false},
	} {
		if got := FirstIsField([]byte(tt.msg)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What a header costs in memory does not grow with it.
func TestX01_HeaderMemoryIsFlat(t *testing.T) {
	for _, line := range []string{"A: 1\n", "n", "A: 1\n ", "\xff\n", " \n"} {
		piece := []byte(strings.Repeat(line, 8<<10))
		h := Header{Field: func(Field) {}}
		h.Write(piece) // the buffers grow to their bounds here
		if n := testing.AllocsPerRun(8, func() { h.Write(piece) }); n > 0 {
			t.Errorf("%q over and over: %v allocations for %d bytes more", line, n, len(piece))
		}
		if cap(h.name) > 2*MaxName || cap(h.value) > 2*MaxValue {
			t.Errorf("%q over and over: buffers of %d and %d bytes", line, cap(h.name), cap(h.value))
		}
	}
}

// FuzzHeader holds the scanner to rule and bounds: however a message is cut into
// pieces the fields are the same, and they are those that reading it line by
// line finds.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("Return-Path: <a@b>\r\nReceived: from x\r\n\tby y\r\n\r\nbody\r\n"), 3)
	f.Add([]byte("From a@b Mon\n>From c\nA : 1\n \n2\n: x\n\rq\n\n"), 1)
	f.Add([]byte("A:\r\r\n\r\n"), 2)
	f.Fuzz(func(t *testing.T, msg []byte, n int) {
		n = 1 + int(uint(n)%64)
		got, _ := scan(string(msg), n)
		whole, _ := scan(string(msg), 1<<30)
		want := byLines(msg)
		if strings.Join(got, "\x00") != strings.Join(whole, "\x00") {
			t.Fatalf("pieces of %d: %q\nat once: %q", n, got, whole)
		}
		if len(msg) < MaxValue && strings.Join(whole, "\x00") != strings.Join(want, "\x00") {
			t.Fatalf("scanned %q\nby lines %q", whole, want)
		}
	})
}

// byLines reads a header as the rule in the package comment says it, with the
// whole message at hand.
func byLines(msg []byte) (fields []string) {
	open := false
	for len(msg) > 0 {
		l, rest, _ := bytes.Cut(msg, []byte("\n"))
		msg = rest
		l = bytes.TrimSuffix(l, []byte("\r"))
		switch {
		case len(l) == 0:
			return trimmed(fields)
		case l[0] == ' ' || l[0] == '\t':
			if open {
				fields[len(fields)-1] += string(l)
			}
		default:
			name, value, ok := bytes.Cut(l, []byte(":"))
			open = ok && len(name) <= MaxName && validName(bytes.TrimRight(name, " \t"))
			if open {
				fields = append(fields, string(bytes.TrimRight(name, " \t"))+":"+string(value))
			}
		}
	}
	return trimmed(fields)
}

func trimmed(fields []string) []string {
	for i, f := range fields {
		name, value, _ := strings.Cut(f, ":")
		fields[i] = name + ":" + strings.Trim(value, " \t\r\n")
	}
	return fields
}
