package maillog

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func lines(l *Logger) *[]string {
	var got []string
	l.Write = func(b []byte) { got = append(got, string(b)) }
	return &got
}

func TestEventIsOneLine(t *testing.T) {
	l := New("smtpd")
	got := lines(l)
	l.With("c", "1a2b").Event("queued", "from", "<bob@example.org>", "rcpts", 2, "size", int64(1843),
		"delay", 3210*time.Millisecond, "empty", "", "err", errors.New("no space left"))
	want := `smtpd: queued c=1a2b from=<bob@example.org> rcpts=2 size=1843 delay=3.21s err="no space left"` + "\n"
	if (*got)[0] != want {
		t.Errorf("got  %swant %s", (*got)[0], want)
	}
}

func TestO01PeerBytesStayInTheirValue(t *testing.T) {
	for _, evil := range []string{"a\r\nrelay: delivered", "esc\x1b[2J", "k=v", `q"q`, "tab\t", "\xff\xfe", "uml\u00e4ut \u202e", `back\slash`, "nul\x00"} {
		l := New("smtpd")
		got := lines(l)
		l.Event("refused", "helo", evil)
		s := (*got)[0]
		if strings.Count(s, "\n") != 1 || !strings.HasPrefix(s, `smtpd: refused helo="`) || !strings.HasSuffix(s, "\"\n") {
			t.Errorf("%q became %q", evil, s)
		}
		for _, r := range s[:len(s)-1] {
			if r < ' ' || r > '~' {
				t.Errorf("%q left %q in the line", evil, r)
			}
		}
	}
}

func TestO01LineIsBounded(t *testing.T) {
	l := New("x")
	got := lines(l)
	long := strings.Repeat("y", 1<<20)
	l.Event("e", "a", long, "b", long, "c", long, "d", long, "e", long, "f", long)
	if n := len((*got)[0]); n > 2048 {
		t.Errorf("line of %d bytes", n)
	}
}
