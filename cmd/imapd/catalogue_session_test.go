package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rohrpost/maildir"
)

// fill puts n messages into cur of a mailbox.
func fill(t *testing.T, m *maildir.Maildir, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		putFile(t, fmt.Sprintf("%s/cur/17000%05d.M1P1.mx:2,", m.Path(), i), fmt.Sprintf("Subject: %d\n\nbody %d\n", i, i))
	}
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantLines compares what was said, word by word where a line of want has "*".
func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		prefix, open := strings.CutSuffix(want[i], "*")
		same = got[i] == want[i] || open && strings.HasPrefix(got[i], prefix)
	}
	if !same {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// I26: what another session has expunged keeps its number until this one is told, and
// its number gives no other message's body (RFC 2180 section 4.1.2, RFC 9051 section
// 7.5.1).
func TestI26ExpungedByAnotherSession(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 3)
	a, b := startPeer(t, m), startPeer(t, m)
	a.ask("a SELECT INBOX")
	b.ask("b SELECT INBOX")
	b.ask(`c STORE 2 +FLAGS (\Deleted)`)
	b.ask("d EXPUNGE")
	got := a.ask("e FETCH 1:3 BODY.PEEK[HEADER.FIELDS (Subject)]")
	for _, line := range got {
		if strings.Contains(line, "EXPUNGE") && !strings.HasPrefix(line, "e ") || strings.HasPrefix(line, "* 2 FETCH (BODY") {
			t.Errorf("got %q", got)
		}
	}
	wantLines(t, got[:3], "* 1 FETCH (BODY[HEADER.FIELDS (Subject)] {14}", "Subject: 1", "")
	if !slices.Contains(got, "Subject: 3") || !slices.Contains(got, "* 3 FETCH (BODY[HEADER.FIELDS (Subject)] {14}") {
		t.Errorf("got %q", got)
	}
	got = a.ask(`f STORE 3 +FLAGS.SILENT (\Seen)`)
	wantLines(t, got, "f OK *")
	got = a.ask("g NOOP")
	wantLines(t, got, "* 2 EXPUNGE", "g OK done")
	got = a.ask("h FETCH 2 FLAGS")
	wantLines(t, got, `* 2 FETCH (FLAGS (\Seen))`, "h OK *")
	a.end()
	b.end()
}

// I35: what has gone and has a number still is not told as VANISHED (EARLIER), which
// takes no number away. RFC 7162 section 3.2.10.2: "A VANISHED response without the
// (EARLIER) tag" does.
func TestI35VanishedEarlierTakesNoNumber(t *testing.T) {
	t.Parallel()
	for _, since := range []string{"", "1"} { // what the index remembers, and what it does not
		m := boxTree(t)
		fill(t, m, 3)
		a, b := startPeer(t, m), startPeer(t, m)
		a.ask("a ENABLE QRESYNC")
		for _, l := range a.ask("a SELECT INBOX") {
			if _, n, ok := strings.Cut(l, "[HIGHESTMODSEQ "); ok && since == "" {
				since, _, _ = strings.Cut(n, "]")
			}
		}
		b.ask("b SELECT INBOX")
		b.ask(`c STORE 2 +FLAGS (\Deleted)`)
		b.ask("d EXPUNGE")
		for _, l := range a.ask(`e STORE 1 +FLAGS.SILENT (\Seen)`) { // now it knows, and may not tell
			if strings.HasPrefix(l, "* VANISHED") {
				t.Errorf("STORE said %q", l)
			}
		}
		got := a.ask("f UID FETCH 1:* (UID) (CHANGEDSINCE " + since + " VANISHED)")
		vanished := slices.DeleteFunc(got, func(l string) bool { return !strings.HasPrefix(l, "* VANISHED") })
		wantLines(t, vanished, "* VANISHED 2")
		a.end()
		b.end()
	}
}

// RFC 7162 section 3.2.10.2: VANISHED "MUST NOT be sent during a UID SEARCH command that
// contains message numbers". Section 3.2: while it waits, a client that is told higher
// MODSEQs "MUST" be sent a lower HIGHESTMODSEQ, so that it loses nothing if it is cut off.
func TestI35VanishedWaits(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 3)
	a, b := startPeer(t, m), startPeer(t, m)
	a.ask("a ENABLE QRESYNC")
	known := number(a.ask("a SELECT INBOX"), "HIGHESTMODSEQ")
	b.ask("b SELECT INBOX")
	b.ask(`c STORE 2 +FLAGS.SILENT (\Deleted)`)
	b.ask("d EXPUNGE")
	if got := number(a.ask(`e STORE 1 +FLAGS.SILENT (\Seen)`), "HIGHESTMODSEQ"); got != known {
		t.Errorf("HIGHESTMODSEQ %d, all is known up to %d", got, known)
	}
	waits := fmt.Sprintf("* OK [HIGHESTMODSEQ %d] *", known)
	wantLines(t, a.ask("f UID SEARCH 3"), "* SEARCH 3", waits, "f OK *")
	wantLines(t, a.ask("g UID SEARCH NOT (OR 3 SEEN)"), "* SEARCH", waits, "g OK *")
	wantLines(t, a.ask("h UID SEARCH ALL"), "* SEARCH 1 3", "* VANISHED 2", "h OK *")
	wantLines(t, a.ask("i UID SEARCH 2"), "* SEARCH 3", "i OK *")
	a.end()
	b.end()
}
