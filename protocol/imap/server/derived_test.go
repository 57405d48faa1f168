package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// TestSortAndThreadAgain holds that what was kept gives the answer that was given when
// it was found out: to this session, and to the next one.
func TestSortAndThreadAgain(t *testing.T) {
	var messages []string
	for i := range 20 {
		messages = append(messages, fmt.Sprintf("Subject: Re: gr\u00fcn %d\nFrom: a%d\nTo: g%d: x;\nMessage-ID: <%d>\nReferences: <%d> <%d>\nDate: %d Jan 2026 00:00:00 +0000\n\n",
			i*7%5, i*3%7, i*5%7, i, i/4, i/2, i*11%20+i%2*20))
	}
	s := sessionOf(t, messages...)
	criteria := []string{"SUBJECT", "FROM", "TO", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO"}
	var first [][]int
	for _, c := range criteria {
		first = append(first, s.sortedBy(t, c))
	}
	threads := s.threadsBy(t, "REFERENCES")
	for range 2 {
		for i, c := range criteria {
			if got := s.sortedBy(t, c); !slices.Equal(got, first[i]) {
				t.Errorf("SORT (%s) was %v, is %v", c, first[i], got)
			}
		}
		if got := s.threadsBy(t, "REFERENCES"); got != threads {
			t.Errorf("THREAD was %s, is %s", threads, got)
		}
		for pos := range messages {
			for _, kind := range []mailbox.Kind{kindSort, kindThread} {
				if _, ok := s.box.Cached(pos, kind); !ok {
					t.Fatalf("nothing of kind %d is kept of message %d", kind, pos+1)
				}
			}
		}
		s.box.Close()
		s.box.Mailbox = openBox(t, s.box.dir)
	}
}

// threadsBy is the parents and the order that THREAD finds.
func (s *Session) threadsBy(t testing.TB, algorithm string) string {
	t.Helper()
	q, err := s.newQuery(&imap.Search{})
	if err != nil {
		t.Fatal(err)
	}
	th := newThreader(q, threadings[algorithm])
	if th.gather(); q.failure != nil {
		t.Fatal(q.failure)
	}
	th.link(th)
	return fmt.Sprint(th.parents, th.byDate())
}

// TestI20LongBlobsAreNotKept has references that take more than they are worth.
func TestI20LongBlobsAreNotKept(t *testing.T) {
	refs := "Message-ID: <a>\nReferences:" + strings.Repeat("\n <"+strings.Repeat("x", 90)+">", 100) + "\n\n"
	s := sessionOf(t, refs, "Message-ID: <b>\n\n")
	s.threadsBy(t, "REFERENCES")
	if _, ok := s.box.Cached(0, kindThread); ok {
		t.Error("a long blob is kept")
	}
	if _, ok := s.box.Cached(1, kindThread); !ok {
		t.Error("a short one is not")
	}
}

// FuzzTexts holds that texts come back as they were, and that nothing cuts beyond the
// end of a blob.
func FuzzTexts(f *testing.F) {
	f.Add([]byte("one"), []byte{}, []byte("three\x80"))
	f.Add(bytes.Repeat([]byte("x"), 300), []byte{0xff, 0xff}, []byte{1})
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		b := appendText(appendText(appendText(nil, one), two), three)
		for _, want := range [][]byte{one, two, three} {
			var got []byte
			if got, b = cutText(b); !bytes.Equal(got, want) {
				t.Fatalf("%q came back as %q", want, got)
			}
		}
		if len(b) > 0 {
			t.Fatalf("%q is left", b)
		}
		for n := len(one); len(one) > 0; {
			if _, one = cutText(one); len(one) >= n {
				t.Fatal("nothing was cut off")
			}
			n = len(one)
		}
	})
}
