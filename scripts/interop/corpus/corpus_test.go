package corpus

import (
	"strings"
	"testing"
)

const ourLines = "Return-Path: <a@b>\nDelivered-To: c@d\nReceived: from x\n\tby y; today\n"

func TestCompare(t *testing.T) {
	sent := []Message{{"one", []byte("Subject: one\n\nbody\n")}, {"two", []byte("Subject: two\n\nno end")}}
	one, two := ourLines+"Subject: one\n\nbody\n", ourLines+"Subject: two\n\nno end\n"
	for _, c := range []struct {
		name         string
		read         []string
		wrong, extra int
	}{
		{"all came, in any order", []string{two, one}, 0, 0},
		{"one is missing", []string{one}, 1, 0},
		{"one is changed by a byte", []string{one, strings.Replace(two, "no end", "no End", 1)}, 1, 0},
		{"one has a header line that we do not add", []string{one, "X-Seen: 1\n" + two}, 1, 0},
		{"one came twice", []string{one, two, two}, 0, 1},
		{"one has lost a blank line", []string{strings.Replace(one, "\n\n", "\n", 1), two}, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var read [][]byte
			for _, r := range c.read {
				read = append(read, []byte(r))
			}
			wrong, extra := Compare(sent, read)
			n := 0
			for _, w := range wrong {
				if w != "" {
					n++
				}
			}
			if n != c.wrong || extra != c.extra {
				t.Errorf("%d wrong and %d extra, want %d and %d: %q", n, extra, c.wrong, c.extra, wrong)
			}
		})
	}
}

func TestOnWire(t *testing.T) {
	got := string(Message{Text: []byte(".a\nb\n..")}.OnWire())
	if want := "..a\r\nb\r\n...\r\n.\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
