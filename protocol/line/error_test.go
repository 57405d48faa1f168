package line

import (
	"errors"
	"testing"
)

// withBytes is a source that says what is wrong together with bytes, as
// io.Reader allows and ucspi.Conn does of a peer that is too slow.
type withBytes struct{ err error }

func (w *withBytes) Read(p []byte) (int, error) { return copy(p, "x"), w.err }

func TestErrorThatCameWithBytes(t *testing.T) {
	want := errors.New("too slow")
	r := NewReader(&withBytes{want}, 64)
	if p, err := r.Peek(); string(p) != "x" || err != nil {
		t.Fatalf("got %q, %v; want the bytes first", p, err)
	}
	r.Skip(1)
	if _, err := r.Peek(); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}
