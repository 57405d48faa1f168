package line

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadLineEndsAtLF(t *testing.T) {
	r := NewReader(strings.NewReader("one\r\ntwo\n\r\nlast"), 64)
	for _, want := range []struct {
		text string
		bare bool
	}{{"one", false}, {"two", true}, {"", false}} {
		l, err := r.ReadLine(32)
		if err != nil || string(l) != want.text || r.BareLF() != want.bare {
			t.Fatalf("got %q bare=%v err=%v, want %q bare=%v", l, r.BareLF(), err, want.text, want.bare)
		}
	}
	if _, err := r.ReadLine(32); err != io.ErrUnexpectedEOF {
		t.Fatalf("end of input within a line: %v", err)
	}
}

func TestLineAboveTheBoundIsDroppedWhole(t *testing.T) {
	long := strings.Repeat("x", 5000)
	r := NewReader(strings.NewReader(long+"\r\nnext\r\n"), 128)
	if _, err := r.ReadLine(100); err != ErrTooLong {
		t.Fatalf("long line: %v", err)
	}
	if l, err := r.ReadLine(100); err != nil || string(l) != "next" {
		t.Fatalf("line after it: %q %v", l, err)
	}
}

func TestBoundCountsBytesBeforeTheLineEnd(t *testing.T) {
	for n, want := range map[int]error{10: nil, 11: ErrTooLong} {
		r := NewReader(strings.NewReader(strings.Repeat("x", n)+"\r\nok\r\n"), 128)
		if _, err := r.ReadLine(10); err != want {
			t.Errorf("%d bytes at bound 10: %v", n, err)
		}
		if l, err := r.ReadLine(10); err != nil || string(l) != "ok" {
			t.Errorf("after %d bytes: %q %v", n, l, err)
		}
	}
}

// endless is a line without end that counts what is taken from it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestS24LineWithoutEndIsDrainedOnlySoFar(t *testing.T) {
	src := &endless{}
	if _, err := NewReader(src, 4096).ReadLine(512); err != ErrFlood {
		t.Fatalf("got %v", err)
	}
	if src.read > 128<<10 {
		t.Fatalf("read %d bytes of it", src.read)
	}
}

func TestLineALittleAboveALargeBoundIsNoFlood(t *testing.T) {
	const bound = 64 << 10
	r := NewReader(strings.NewReader(strings.Repeat("x", bound+100)+"\r\nnext\r\n"), bound+2)
	if _, err := r.ReadLine(bound); err != ErrTooLong {
		t.Fatal(err)
	}
	if l, err := r.ReadLine(bound); err != nil || string(l) != "next" {
		t.Fatalf("line after it: %q %v", l, err)
	}
}

func TestReadReturnsBufferedBytesThenCountedOnes(t *testing.T) {
	r := NewReader(strings.NewReader("cmd\r\n12345rest"), 64)
	r.ReadLine(10)
	p := make([]byte, 5)
	if _, err := io.ReadFull(r, p); err != nil || string(p) != "12345" {
		t.Fatalf("%q %v", p, err)
	}
	if got, _ := io.ReadAll(r); string(got) != "rest" {
		t.Fatalf("rest: %q", got)
	}
}

func TestFlushRunsBeforeTheReaderWaits(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	r := NewReader(strings.NewReader("a\r\nb\r\n"), 64)
	r.BeforeFill = w.Flush
	r.ReadLine(10)
	w.Line("250 a")
	r.ReadLine(10) // both came in one read: nothing to wait for
	if out.Len() != 0 {
		t.Fatalf("flushed early: %q", out.String())
	}
	w.Line("250 b")
	r.ReadLine(10)
	if out.String() != "250 a\r\n250 b\r\n" {
		t.Fatalf("got %q", out.String())
	}
}

func TestMoreSeesBehindTheBuffer(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("ab"), strings.NewReader("cd")), 4)
	if p, err := r.Peek(); err != nil || string(p) != "ab" {
		t.Fatalf("%q %v", p, err)
	}
	if p, err := r.More(); err != nil || string(p) != "abcd" {
		t.Fatalf("%q %v", p, err)
	}
	if _, err := r.More(); err != io.ErrShortBuffer {
		t.Fatalf("full buffer: %v", err)
	}
}

type brokenPipe struct{}

var errBroken = errors.New("broken")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestWriterKeepsItsFirstError(t *testing.T) {
	w := NewWriter(brokenPipe{})
	w.Line("x")
	if err := w.Flush(); err != errBroken {
		t.Fatal(err)
	}
	w.Line("y")
	if err := w.Flush(); err != errBroken || w.Buffered() != 0 {
		t.Fatal(err, w.Buffered())
	}
}

func TestEndsOfALineThatWasDropped(t *testing.T) {
	for _, size := range []int{60, 128, 8000} { // drained in many pieces, in few, not at all
		for _, end := range []string{"\r\n", "\n"} {
			long := "a1 LOGIN " + strings.Repeat("x", 5000) + "0123456789012345678901234567{5+}"
			r := NewReader(&chunks{[]byte(long + end), 7}, size)
			if _, err := r.ReadLine(50); err != ErrTooLong {
				t.Fatal(err)
			}
			head, tail := r.Dropped()
			if string(head) != long[:32] || !strings.HasSuffix(long, string(tail)) || len(tail) < 32 {
				t.Errorf("buffer of %d: %q ... %q", size, head, tail)
			}
			if r.BareLF() != (end == "\n") {
				t.Errorf("buffer of %d: end %q, bare %v", size, end, r.BareLF())
			}
		}
	}
}

// FuzzReadLine holds the reader to bytes.Split, whatever the chunks it gets.
func FuzzReadLine(f *testing.F) {
	f.Add([]byte("EHLO x\r\nDATA\n\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, in []byte, chunk uint8) {
		const bound = 20
		r := NewReader(&chunks{in, int(chunk%7) + 1}, 40)
		rest := in
		for {
			l, err := r.ReadLine(bound)
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				if err == nil {
					t.Fatalf("line %q out of nothing", l)
				}
				return
			}
			want := bytes.TrimSuffix(rest[:i], []byte("\r"))
			rest = rest[i+1:]
			if len(want) > bound {
				if err != ErrTooLong {
					t.Fatalf("long line: %q %v", l, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(l, want) {
				t.Fatalf("got %q %v, want %q", l, err, want)
			}
		}
	})
}

type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	return n, nil
}
