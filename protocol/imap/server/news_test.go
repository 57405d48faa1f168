package server

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestRecent holds that RECENT is right when messages come and go. RFC 3501 section
// 7.3.2: "the number of messages with the \Recent flag set".
func TestRecent(t *testing.T) {
	s := sessionOf(t, "\n", "\n")
	deliver := func(i int) {
		t.Helper()
		if err := os.WriteFile(fmt.Sprintf("%s/new/%d.M1P1.mx", s.box.dir.Path(), 1800000000+i), []byte("\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(want string) {
		t.Helper()
		if got := s.answerTo(t, "NOOP"); !strings.HasPrefix(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	deliver(1)
	hear("* 3 EXISTS\r\n* 1 RECENT\r\n")
	deliver(2)
	deliver(3)
	hear("* 5 EXISTS\r\n* 3 RECENT\r\n")
	if err := s.box.Expunge([]int{0, 3}); err != nil { // the latter is recent
		t.Fatal(err)
	}
	hear("* 4 EXPUNGE\r\n* 1 EXPUNGE\r\n")
	deliver(4)
	hear("* 4 EXISTS\r\n* 3 RECENT\r\n")
}
