package server

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
)

// arrived is when the first message of a test arrived; each other came a day later.
var arrived = time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC)

// sessionOf is a session that has selected a mailbox of these messages. What stands
// before a tab in front of a message are its flags.
func sessionOf(t testing.TB, messages ...string) *Session {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range messages {
		flags, rest, ok := strings.Cut(text, "\t")
		if !ok || strings.Contains(flags, "\n") {
			flags, rest = "", text
		}
		name := fmt.Sprintf("%s/cur/%d.M%dP1.mx:2,%s", m.Path(), 1700000000+i, i, flags)
		if err := os.WriteFile(name, []byte(rest), 0o600); err != nil {
			t.Fatal(err)
		}
		if at := arrived.AddDate(0, 0, i); os.Chtimes(name, at, at) != nil {
			t.Fatal(err)
		}
	}
	b := openBox(t, m)
	t.Cleanup(func() { m.Close() })
	s := &Session{Log: func(string, ...any) {}, Now: func() time.Time { return arrived.AddDate(0, 0, len(messages)) }}
	s.w = &imap.Encoder{Writer: line.NewWriter(io.Discard)}
	s.box = &selected{Mailbox: b, dir: m, exists: b.Len(), keywords: keyword.Parse([]byte("0 work\n"))}
	return s
}

// openBox opens a mailbox until the end of the test.
func openBox(t testing.TB, m *maildir.Maildir) *mailbox.Mailbox {
	t.Helper()
	b, err := mailbox.Open(m, mailbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// parseSearch is the search that a client asks for.
func parseSearch(t testing.TB, keys string) imap.Search {
	t.Helper()
	d := imap.NewDecoder(line.NewReader(strings.NewReader("a SEARCH "+keys+"\r\n"), imap.AfterLogin.Line+2), imap.AfterLogin, func(string) error { return nil })
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	args, err := imap.ParseSearch(d)
	if err != nil {
		t.Fatalf("%s: %v", keys, err)
	}
	return args
}

// searchFor is the numbers of the messages found.
func (s *Session) searchFor(t testing.TB, keys string) (found []int) {
	t.Helper()
	args := parseSearch(t, keys)
	q, err := s.newQuery(&args)
	if err != nil {
		t.Fatalf("%s: %v", keys, err)
	}
	for _, pos := range q.everything() {
		found = append(found, pos+1)
	}
	if q.failure != nil {
		t.Fatalf("%s: %v", keys, q.failure)
	}
	return found
}

func TestSearchKeys(t *testing.T) {
	s := sessionOf(t,
		"S\tFrom: Ann <ann@example.org>\nTo: bob@example.net, =?utf-8?Q?Cl=C3=A4re?= <claire@example.net>\nSubject: one\nDate: Thu, 1 Jan 2026 23:00:00 -0500\n\nbody one\n",
		"FSa\tFrom: \"Bob \\\"B\\\" Builder\" (at home) <bob@\n example.net>\nCc: list: ann@example.org, dan@example.org;\nSubject: =?iso-8859-1?Q?zw=F6lf?=\n and more\nX-Foo: bar\n\nbody two\n",
		"RT\tFrom: dan@example.org\nBcc: eve@example.org\nX-Foo:\nSubject: Three\nSubject: other\nDate: nonsense\n\n"+strings.Repeat("long ", 100)+"\n",
		"DP\t\n",
	)
	for _, c := range []struct {
		keys string
		want []int
	}{
		{"ALL", []int{1, 2, 3, 4}},
		{"2:3", []int{2, 3}},
		{"*", []int{4}},
		{"9", nil}, // a number that no message has matches nothing
		{"UID 3:*", []int{3, 4}},
		{"UID 99:*", []int{4}}, // RFC 9051 section 9: * is the last, and ranges have no order
		{"SEEN", []int{1, 2}},
		{"UNSEEN", []int{3, 4}},
		{"FLAGGED", []int{2}},
		{"ANSWERED", []int{3}},
		{"DELETED", []int{3}},
		{"DRAFT", []int{4}},
		{"UNDRAFT UNDELETED", []int{1, 2}},
		{"KEYWORD WORK", []int{2}},
		{"KEYWORD $Forwarded", []int{4}},
		{"KEYWORD none", nil},
		{"UNKEYWORD none", []int{1, 2, 3, 4}},
		{"NEW", nil},
		{"OLD", []int{1, 2, 3, 4}},
		{"NOT SEEN NOT DELETED", []int{4}},
		{"OR SEEN DRAFT", []int{1, 2, 4}},
		{"OR (SEEN FLAGGED) (DRAFT)", []int{2, 4}},
		{"NOT (OR SEEN DRAFT)", []int{3}},
		{"LARGER 400", []int{3}},
		{"SMALLER 3", []int{4}},
		{"LARGER 2 SMALLER 2", nil},
		{"LARGER 9223372036854775807", nil},
		{"SMALLER 0", nil},
		{"BEFORE 2-Jan-2026", []int{1}}, // 23:30 UTC
		{"ON 2-Jan-2026", []int{2}},
		{"SINCE 3-Jan-2026", []int{3, 4}},
		{"SAVEDSINCE 1-Jan-2000 SAVEDATESUPPORTED", []int{1, 2, 3, 4}},
		{"OLDER 172800", []int{1, 2, 3}},
		{"YOUNGER 172800", []int{3, 4}}, // RFC 5032 section 2: the target itself is in both
		{"SENTON 1-Jan-2026", []int{1}}, // by the sender's clock
		{"SENTBEFORE 2-Jan-2026", []int{1}},
		{"SENTSINCE 1-Jan-1990", []int{1}}, // none without a date
		{"NOT SENTBEFORE 1-Jan-2030", []int{2, 3, 4}},
		{"MODSEQ 1", []int{1, 2, 3, 4}},
		{"MODSEQ 9223372036854775807", nil},
		{"FROM ann", []int{1}},
		{"FROM \"Bob \\\"B\\\" Builder <bob@example.net>\"", []int{2}},
		{"FROM home", nil}, // a comment is not of the envelope
		{"TO claire@example.net", []int{1}},
		{"TO \"cl\xc3\xa4re <\"", []int{1}},
		{"CC \"list: <ann@example.org>\"", []int{2}},
		{"BCC EVE", []int{3}},
		{"SUBJECT ONE", []int{1}},
		{"SUBJECT \"ZW\xc3\x96LF and\"", []int{2}},
		{"SUBJECT zwolf", nil},
		{"SUBJECT other", []int{3}},
		{"HEADER Subject \"\"", []int{1, 2, 3}},
		{"HEADER X-Foo \"\"", []int{2, 3}},
		{"HEADER x-foo BAR", []int{2}},
		{"HEADER X-Fo \"\"", nil},
		{"NOT HEADER X-Foo bar", []int{1, 3, 4}},
		{"BODY one", []int{1}},
		{"TEXT one", []int{1}},
		{"TEXT \"x-foo: bar\"", []int{2}},
		{"BODY foo", nil},
		{"BODY \"\"", []int{1, 2, 3, 4}},
		{"OR BODY two SUBJECT three", []int{2, 3}},
		{"NOT BODY body", []int{3, 4}},
		{"SEEN OR (BODY two) (FROM ann)", []int{1, 2}},
		{"CHARSET ISO-8859-1 SUBJECT {5+}\r\nzw\xf6lf", []int{2}},
		{"CHARSET UTF-8 SUBJECT \"zw\xc3\xb6lf\"", []int{2}},
	} {
		if got := s.searchFor(t, c.keys); !slices.Equal(got, c.want) {
			t.Errorf("%q finds %v, not %v", c.keys, got, c.want)
		}
	}
}

// TestSearchesOnceMore is a search after others, from what they have cached.
func TestSearchesOnceMore(t *testing.T) {
	s := sessionOf(t, "From: ann@example.org\nX-Foo: bar\n\ntext\n", "From: bob@example.org\n\ntext\n")
	for range 2 {
		for keys, want := range map[string][]int{"FROM ann": {1}, "HEADER X-Foo bar": {1}, "BODY text": {1, 2}, "TEXT ann": {1}} {
			if got := s.searchFor(t, keys); !slices.Equal(got, want) {
				t.Errorf("%s finds %v, not %v", keys, got, want)
			}
		}
	}
}

// TestSearchAllocatesNothing for a message, once its fields are cached.
func TestSearchAllocatesNothing(t *testing.T) {
	s := sessionOf(t, "From: \"Ann A.\" <ann@example.org>\nSubject: gr\xc3\xbcn\n and\nDate: Thu, 1 Jan 2026 10:00:00 +0100\n\ntext\n")
	s.searchFor(t, "LARGER 0 SINCE 1-Jan-2000 FROM ann")
	s.box.Flush()
	for _, keys := range []string{"SEEN", "SINCE 1-Jan-2027", "FROM bob", "SUBJECT blau", "SUBJECT \"gr\xc3\xbcn an\"", "SENTSINCE 1-Jan-2027", "LARGER 1000", "OR FROM bob NOT SUBJECT and"} {
		args := parseSearch(t, keys)
		q, err := s.newQuery(&args)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { q.finds(0) }); n != 0 {
			t.Errorf("%s: %v allocations", keys, n)
		}
	}
}

func TestSavedResult(t *testing.T) {
	s := sessionOf(t, "\n", "S\t\n", "S\t\n")
	s.box.saved = s.box.uidSet([]int{1, 2})
	for keys, want := range map[string][]int{"$": {2, 3}, "UID $": {2, 3}, "NOT $": {1}, "OR $ 1": {1, 2, 3}, "$ UID 3": {3}} {
		if got := s.searchFor(t, keys); !slices.Equal(got, want) {
			t.Errorf("%s finds %v, not %v", keys, got, want)
		}
	}
	s.box.saved = imap.NumSet{}
	if got := s.searchFor(t, "$"); got != nil {
		t.Errorf("an empty result is %v", got)
	}
}

func TestWhatIsNotOfferedIsRefused(t *testing.T) {
	s := sessionOf(t, "\n")
	for _, keys := range []string{"EMAILID x", "OR ALL THREADID x", "CHARSET no-such BODY x", "CHARSET UTF-16 BODY x", "CHARSET GBK BODY {1+}\r\n\xff"} {
		args := parseSearch(t, keys)
		if _, err := s.newQuery(&args); err == nil {
			t.Errorf("%q was accepted", keys)
		}
	}
}

// TestGoneIsNotFound is a message whose file another program took away.
func TestGoneIsNotFound(t *testing.T) {
	s := sessionOf(t, "Subject: a\n\ntext\n", "Subject: a\n\ntext\n")
	names, err := filepath.Glob(s.box.dir.Path() + "/cur/*M0P1*")
	if err != nil || len(names) != 1 || os.Remove(names[0]) != nil {
		t.Fatal(names, err)
	}
	for _, keys := range []string{"BODY text", "SUBJECT a", "HEADER X-Foo \"\"", "NOT SUBJECT b"} {
		got := s.searchFor(t, keys)
		if slices.Contains(got, 1) {
			t.Errorf("%s finds what is gone", keys)
		}
	}
}
