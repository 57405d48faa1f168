package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
)

// sortedBy is the numbers of all messages in the order of these criteria.
func (s *Session) sortedBy(t testing.TB, criteria string) (numbers []int) {
	t.Helper()
	text := "a SORT (" + criteria + ") UTF-8 ALL\r\n"
	d := imap.NewDecoder(line.NewReader(strings.NewReader(text), imap.AfterLogin.Line+2), imap.AfterLogin, nil)
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	args, err := imap.ParseSort(d)
	if err != nil {
		t.Fatalf("%s: %v", criteria, err)
	}
	q, err := s.newQuery(&args.Search)
	if err != nil {
		t.Fatal(err)
	}
	positions := q.sort(args.Criteria)
	if q.failure != nil {
		t.Fatalf("%s: %v", criteria, q.failure)
	}
	for _, pos := range positions {
		numbers = append(numbers, pos+1)
	}
	return numbers
}

// TestSort has the criteria of RFC 5256 section 3 and RFC 5957 section 3. Messages
// arrive in the order of their numbers.
func TestSort(t *testing.T) {
	s := sessionOf(t,
		"From: zoe@example.org\nTo: \"a b\" <carl@example.org>\nSubject: Re: [list] beta\nDate: Thu, 1 Jan 2026 01:00:00 +0300\n\n",
		"From: Zed <adam@example.org>\nTo: staff: x@example.org;\nCc: bea@example.org\nSubject: alpha\nDate: Wed, 31 Dec 2025 23:00:00 +0000\n\n12345\n",
		"From: =?utf-8?Q?=C3=84nne?= <Adam@example.net>, zoe@example.org\nSubject: BETA\n\n",
		"From: eve\nTo: <>\nSubject: =?utf-8?Q?=C3=84lpha?=\nDate: Wed, 31 Dec 2025 22:00:00 -0500\n\n123\n",
	)
	for _, c := range []struct {
		criteria string
		want     []int
	}{
		{"ARRIVAL", []int{1, 2, 3, 4}},
		{"REVERSE ARRIVAL", []int{4, 3, 2, 1}},
		{"SIZE", []int{3, 4, 1, 2}},
		{"DATE", []int{1, 2, 4, 3}}, // in UTC; 3 has none, and came on January 3
		{"REVERSE DATE", []int{3, 4, 2, 1}},
		{"SUBJECT", []int{2, 4, 1, 3}}, // "ALPHA", "A\u0308LPHA", "[list] beta" goes with its "Re:", "BETA"
		{"REVERSE SUBJECT", []int{1, 3, 4, 2}},
		{"SUBJECT REVERSE ARRIVAL", []int{2, 4, 3, 1}},
		{"FROM", []int{2, 3, 4, 1}}, // the mailbox, whatever its case
		{"FROM REVERSE DATE", []int{3, 2, 4, 1}},
		{"TO", []int{3, 4, 1, 2}}, // a group has its name
		{"CC", []int{1, 3, 4, 2}}, // what is absent is empty, and comes first
		{"DISPLAYFROM", []int{3, 4, 2, 1}},
		{"DISPLAYTO", []int{3, 4, 1, 2}},
	} {
		if got := s.sortedBy(t, c.criteria); !slices.Equal(got, c.want) {
			t.Errorf("(%s) is %v, not %v", c.criteria, got, c.want)
		}
	}
}

// TestSortComparesBeyondTheBeginning has keys that differ only behind what a row holds
// of them.
func TestSortComparesBeyondTheBeginning(t *testing.T) {
	var messages []string
	for i := range 30 {
		messages = append(messages, fmt.Sprintf("Subject: the same beginning %02d\n\n", (i*7)%30))
	}
	s := sessionOf(t, messages...)
	got := s.sortedBy(t, "SUBJECT")
	for i, number := range got {
		if want := (number - 1) * 7 % 30; want != i {
			t.Fatalf("place %d has subject %d", i, want)
		}
	}
	back := s.sortedBy(t, "REVERSE SUBJECT")
	slices.Reverse(back)
	if !slices.Equal(got, back) {
		t.Error("REVERSE is not the reverse of subjects that all differ")
	}
}

// TestI20SortKeysAreBounded has subjects longer than keyRoom has room for.
func TestI20SortKeysAreBounded(t *testing.T) {
	long := "Subject: " + strings.Repeat("\ufdfa", 1000) + "\n\n"
	s := sessionOf(t, long, "Subject: a\n\n")
	q, err := s.newQuery(&imap.Search{})
	if err != nil {
		t.Fatal(err)
	}
	sorter := newSorter(q, []imap.SortCriterion{{Key: imap.SortSubject}}, keyRoom/100)
	for pos := range 2 {
		if ok, err := q.matches(pos); !ok || err != nil || sorter.add() != nil {
			t.Fatal(ok, err)
		}
	}
	if len(sorter.text) > 2*100 {
		t.Errorf("two keys take %d bytes", len(sorter.text))
	}
	if got := sorter.sorted(); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("sorted as %v", got)
	}
}
