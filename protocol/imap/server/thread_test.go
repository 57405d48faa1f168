package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
)

// mail is what THREAD looks at.
type mail struct {
	subject               string
	id, references, reply string
	date                  int64
}

// threads is the THREAD response without its beginning.
func threads(algorithm string, mails ...mail) string {
	var out bytes.Buffer
	s := &Session{}
	s.w = &imap.Encoder{Writer: line.NewWriter(&out)}
	t := newThreader(&query{s: s}, threadings[algorithm])
	for i, m := range mails {
		t.positions, t.dates = append(t.positions, i), append(t.dates, m.date)
		t.q.derived.values = [...][]byte{1: []byte(m.subject), 2: []byte(m.id), 3: []byte(m.references), 4: []byte(m.reply)}
		t.addTexts(t.q.appendThreadTexts(nil))
	}
	t.answer(false)
	s.w.Flush()
	return strings.TrimPrefix(strings.TrimSuffix(out.String(), "\r\n"), "* THREAD")
}

// TestThreadReferences has the steps of RFC 5256 section 3, one by one.
func TestThreadReferences(t *testing.T) {
	for _, c := range []struct {
		name  string
		mails []mail
		want  string
	}{
		{"no messages", nil, ""},
		{"1A: references are parents in their order", []mail{{id: "<a>"}, {id: "<b>", references: "<a>"}, {id: "<c>", references: "<a> <b>"}}, " (1 2 3)"},
		{"1A: an absent message joins others", []mail{{id: "<a>", references: "<x>"}, {id: "<b>", references: "<x>"}}, " ((1)(2))"},
		{"1A: without a Message-ID there are no children", []mail{{}, {id: "<b>", references: "<>"}}, " (1)(2)"},
		{"1A: of two with one Message-ID the first has it", []mail{{id: "<a>"}, {id: "<a>"}, {id: "<b>", references: "<a>"}}, " (1 3)(2)"},
		{"1A: a parent is not changed by others' references", []mail{{id: "<a>"}, {id: "<b>"}, {id: "<c>", references: "<a>"}, {id: "<d>", references: "<b> <c>"}}, " (1 3 4)(2)"},
		{"1A: identifiers are compared in one spelling", []mail{{id: `<"a"@x>`}, {id: "<b>", references: "<a@x>"}}, " (1 2)"},
		{"1A: and with their case", []mail{{id: "<a>"}, {id: "<b>", references: "<A>"}}, " (1)(2)"},
		{"1A: loops are not made", []mail{{id: "<a>", references: "<b>"}, {id: "<b>", references: "<a>"}}, " (2 1)"},
		{"1A: nor is a message its own parent", []mail{{id: "<a>", references: "<a>"}, {id: "<b>", references: "<a> <b>"}}, " (1)(2)"},
		{"1B: a message's own references count most", []mail{{id: "<a>"}, {id: "<b>"}, {id: "<d>", references: "<a> <c>"}, {id: "<c>", references: "<b>"}}, " (1)(2 4 3)"},
		{"1B: a message without references has no parent then", []mail{{id: "<b>", references: "<x> <c>"}, {id: "<c>"}}, " (2 1)"},
		{"In-Reply-To counts if there are no references", []mail{{id: "<a>"}, {id: "<b>", references: "none", reply: "your <a> of <z>"}}, " (1 2)"},
		{"In-Reply-To does not count beside them", []mail{{id: "<a>"}, {id: "<b>"}, {id: "<c>", references: "<a>", reply: "<b>"}}, " (1 3)(2)"},
		{"3: absent messages within a thread go", []mail{{id: "<a>"}, {id: "<b>", references: "<a> <x> <y>"}, {id: "<c>", references: "<a> <x>"}}, " (1 (2)(3))"},
		{"3: one at the top goes if it has one child", []mail{{id: "<a>", references: "<x> <y>"}, {id: "<b>", references: "<a>"}}, " (1 2)"},
		{"3: children of absent ones are promoted to the top one", []mail{{id: "<a>", references: "<x> <y>"}, {id: "<b>", references: "<x> <z>"}}, " ((1)(2))"},
		{"4 and 6: siblings are sorted by date", []mail{{id: "<a>", date: 9}, {id: "<b>", references: "<a>", date: 8}, {id: "<c>", references: "<a>", date: 7}, {id: "<d>", date: 1}}, " (4)(1 (3)(2))"},
		{"4: an absent one by its first child", []mail{{id: "<a>", references: "<x>", date: 9}, {id: "<b>", references: "<x>", date: 3}, {date: 2}, {date: 4}}, " (3)((2)(1))(4)"},
		{"equal dates leave the order of the mailbox", []mail{{date: 1}, {date: 1}, {date: 1}}, " (1)(2)(3)"},
		{"5: a reply goes below the message", []mail{{subject: "a"}, {subject: "Re: A"}, {subject: "Re: a"}}, " (1 (2)(3))"},
		{"5: also one that came before", []mail{{subject: "Re: a"}, {subject: "a"}}, " (2 1)"},
		{"5: two messages become siblings", []mail{{subject: "a"}, {subject: "a"}, {subject: "a"}}, " ((1)(2)(3))"},
		{"5: and so do two replies", []mail{{subject: "Re: a"}, {subject: "Fwd: a"}}, " ((1)(2))"},
		{"5: a message joins the children of an absent one", []mail{{subject: "a"}, {subject: "Re: a", id: "<b>", references: "<x>"}, {subject: "Re: a", id: "<c>", references: "<x>"}}, " ((1)(2)(3))"},
		{"5: children of two absent ones become siblings", []mail{
			{subject: "a", id: "<a>", references: "<x>"}, {subject: "b", id: "<b>", references: "<x>"},
			{subject: "a", id: "<c>", references: "<y>"}, {subject: "c", id: "<d>", references: "<y>"}}, " ((1)(2)(3)(4))"},
		{"5: an empty subject joins nothing", []mail{{subject: ""}, {subject: "Re:"}, {subject: "re: [x] re:"}}, " (1)(2)(3)"},
		{"5: only threads are joined, not what is in them", []mail{{subject: "a", id: "<a>"}, {subject: "b", id: "<b>", references: "<a>"}, {subject: "b"}}, " (1 2)(3)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := threads("REFERENCES", c.mails...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := judge(c.mails); got != c.want {
				t.Errorf("the judge says %s, want %s", got, c.want)
			}
		})
	}
}

// TestThreadOrderedSubject: RFC 5256 section 3, "the second message of a thread is the
// child of the first message, and subsequent messages of the thread are siblings of
// the second".
func TestThreadOrderedSubject(t *testing.T) {
	for _, c := range []struct {
		name  string
		mails []mail
		want  string
	}{
		{"no messages", nil, ""},
		{"one base subject is one thread", []mail{{subject: "a", date: 1}, {subject: "b", date: 2}, {subject: "Re: A", date: 3}, {subject: "a (fwd)", date: 4}}, " (1 (3)(4))(2)"},
		{"the earliest is the first", []mail{{subject: "Re: a", date: 9}, {subject: "b", date: 5}, {subject: "a", date: 3}}, " (3 1)(2)"},
		{"references do not count", []mail{{subject: "a", id: "<a>"}, {subject: "b", references: "<a>"}}, " (1)(2)"},
		{"no subject is a subject too", []mail{{}, {subject: "Re:"}}, " (1 2)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := threads("ORDEREDSUBJECT", c.mails...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestThreadResponse has the examples of RFC 5256 section 4.
func TestThreadResponse(t *testing.T) {
	for _, c := range []struct {
		numbers []int // of the messages, as they are told
		parents []int32
		want    string
	}{
		{[]int{2, 3, 6, 4, 23, 44, 7, 96}, []int32{none, none, 1, 2, 3, 2, 5, 6}, " (2)(3 6 (4 23)(44 7 96))"},
		{[]int{3, 5}, []int32{2, 2, none}, " ((3)(5))"},
		{nil, nil, ""},
	} {
		var out bytes.Buffer
		s := &Session{}
		s.w = &imap.Encoder{Writer: line.NewWriter(&out)}
		order := make([]int32, len(c.numbers))
		positions := make([]int, len(c.numbers))
		for i, n := range c.numbers {
			order[i], positions[i] = int32(i), n-1
		}
		newForest(c.parents, order).write(s, positions, false)
		s.w.Flush()
		if got := out.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestI20Threads has chains and loops of 100,000 messages. A program that recursed, or
// that went up a chain for each message, would not be done within the test's time.
func TestI20Threads(t *testing.T) {
	const n = 100_000
	id := func(i int) string { return fmt.Sprintf("<%d>", i) }
	chain := make([]mail, n)
	back := make([]mail, n)
	ring := make([]mail, n)
	comb := make([]mail, n)
	for i := range n {
		chain[i] = mail{id: id(i), references: id(i - 1)}
		back[n-1-i] = mail{id: id(i), references: id(i - 1), date: int64(i)}
		ring[i] = mail{id: id(i), references: id((i+1)%n) + id((i+n-1)%n)}
		switch {
		case i < n/2:
			comb[i] = chain[i]
		case i%2 == 0: // a message that has a child comes below the deepest one
			comb[i] = mail{id: id(i), references: id(i + 1)}
		default:
			comb[i] = mail{id: id(i), references: id(n/2 - 1)}
		}
	}
	for name, mails := range map[string][]mail{"chain": chain, "back": back, "ring": ring, "comb": comb} {
		got := threads("REFERENCES", mails...)
		if all := numbersIn(got); len(all) != n || all[0] != 1 || all[n-1] != n {
			t.Errorf("%s: %d messages", name, len(all))
		}
		if name == "chain" || name == "back" {
			if strings.Count(got, "(") != 1 {
				t.Errorf("%s is not one chain", name)
			}
		}
	}
}

// TestI20ReferencesAreBounded has messages with more references than are held.
func TestI20ReferencesAreBounded(t *testing.T) {
	th := newThreader(&query{}, threadings["REFERENCES"])
	var refs strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&refs, "<%d>", i)
	}
	th.addReferences(th.q.appendReferences(nil, []byte("<a>"), []byte(refs.String()), nil))
	if len(th.refs) != maxReferences || th.refs[0] != th.hash([]byte("0")) || th.refs[maxReferences-1] != th.hash([]byte("999")) {
		t.Errorf("of 1,000 references %d are held, or not the first and the last", len(th.refs))
	}
	th.refs = make([]uint64, maxHeld+1)
	th.addReferences(th.q.appendReferences(nil, []byte("<b>"), []byte(refs.String()), nil))
	if len(th.refs) != maxHeld+2 || th.refs[maxHeld+1] != th.hash([]byte("999")) {
		t.Error("beyond the bound not just the last reference is held")
	}
	l := newLinks(0)
	for i := range maxAbsent + 10 {
		th.nodeOf(l, uint64(i)<<1)
	}
	if len(l.parents) != maxAbsent {
		t.Errorf("%d absent messages have dummies", len(l.parents))
	}
}

// numbersIn is the numbers of a text, sorted.
func numbersIn(s string) (all []int) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n := 0
		fmt.Sscan(f, &n)
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// FuzzThread compares with the judge, and holds that each message comes exactly once.
func FuzzThread(f *testing.F) {
	f.Add([]byte("\x01\x00\x11\x05\x02\x01\x12\x04\x03\x02\x13\x06"))
	f.Add([]byte("ababababcdcdcdcdefefefefghghghghijijijij"))
	f.Fuzz(func(t *testing.T, b []byte) {
		mails := mailsOf(b)
		got := threads("REFERENCES", mails...)
		if want := judge(mails); got != want {
			t.Fatalf("%+v\ngot  %s\nwant %s", mails, got, want)
		}
		for _, algorithm := range []string{"REFERENCES", "ORDEREDSUBJECT"} {
			text := threads(algorithm, mails...)
			for i, n := range numbersIn(text) {
				if n != i+1 {
					t.Fatalf("%s: not each message once: %s", algorithm, text)
				}
			}
			if strings.Count(text, "(") != strings.Count(text, ")") || strings.Contains(text, "()") {
				t.Fatalf("%s: %s", algorithm, text)
			}
		}
	})
}

// mailsOf makes messages that have much to do with one another: four bytes each.
func mailsOf(b []byte) (mails []mail) {
	for len(b) >= 4 && len(mails) < 40 {
		m := mail{id: fmt.Sprintf("<%d>", b[0]%16), date: int64(b[3] % 8)}
		for i := range b[1] % 4 {
			m.references += fmt.Sprintf("<%d>", (b[1]>>2+i*b[2])%20)
		}
		m.subject = []string{"", "a", "b", "c", "Re: a", "Fwd: b", "re: c", "Re:"}[b[2]%8]
		mails, b = append(mails, m), b[4:]
	}
	return mails
}
