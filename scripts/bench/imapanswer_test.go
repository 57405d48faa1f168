package main

import (
	"bufio"
	"strings"
	"testing"
)

// A count that is wrong makes a contender look right, or wrong.
func TestAnswersAreCounted(t *testing.T) {
	for _, test := range []struct {
		name, said string
		want       answer
	}{
		{"numbers of SEARCH over the ends of the buffer", "* SEARCH 10 200 3000 40000 500000 6000000 70000000 8 99 1000000 5 66666666\r\n", answer{found: 12}},
		{"no numbers in an empty SEARCH", "* SEARCH\r\n", answer{}},
		{"numbers of nested THREAD", "* THREAD (1 (2)(3 4))((5)(6))\r\n", answer{found: 6}},
		{"FETCH with a literal that looks like responses", "* 1 FETCH (UID 7 BODY[] {18}\r\n* 2 FETCH (UID 8)\r\n)\r\n* 3 FETCH (UID 9)\r\n", answer{found: 2, literals: 18}},
		{"a literal that ends with a size", "* 1 FETCH (BODY[1] {6}\r\nx {3}\n BODY[2] {2}\r\n\r\n)\r\n", answer{found: 1, literals: 8}},
		{"messages of several STATUS", "* STATUS a (MESSAGES 12 UNSEEN 3)\r\n* STATUS \"b c\" (UNSEEN 1 MESSAGES 30)\r\n", answer{found: 2, exists: 42}},
		{"EXISTS, told twice, is the last", "* 5 EXISTS\r\n* 7 EXISTS\r\n* 0 RECENT\r\n", answer{exists: 7}},
		{"EXPUNGE beside what is not asked for", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* OK [HIGHESTMODSEQ 9] 12\r\n", answer{found: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := test.said + "a1 OK done\r\n"
			c := &imapConn{in: bufio.NewReaderSize(strings.NewReader(said), 48), sent: []string{"X"}}
			got := c.hear()
			test.want.octets = int64(len(said))
			if c.err != nil || got != test.want {
				t.Errorf("%+v, %v; right is %+v", got, c.err, test.want)
			}
		})
	}
}

func TestRefusalIsToldApart(t *testing.T) {
	c := &imapConn{in: bufio.NewReader(strings.NewReader("a1 BAD unknown command\r\n")), sent: []string{"MOVE 1 x"}}
	c.hear()
	if no, ok := c.err.(refusal); !ok || no.command != "MOVE 1 x" {
		t.Errorf("%v is no refusal of MOVE", c.err)
	}
}

// The generator counts what it writes; the files say whether that is right.
func TestCorpusIsAsTallied(t *testing.T) {
	const n = 300
	c := &corpus{}
	w := newMailWriter()
	var size int64
	for i := range n {
		m := w.message(i)
		text := w.text.String()
		size += int64(len(text))
		c.messages = append(c.messages, m)
		if strings.Contains(text, absentWord) {
			t.Errorf("message %d has the absent word", i)
		}
		head, _, _ := strings.Cut(text, "\n\n")
		if got := strings.Contains(field(head, "From"), fromWord); got != m.from {
			t.Errorf("message %d: From %q, tallied %v", i, field(head, "From"), m.from)
		}
		for line := range strings.Lines(head) {
			if len(line) > 200 {
				t.Errorf("message %d has a header line of %d bytes", i, len(line))
			}
		}
	}
	if mean := size / n; mean < 8000 || mean > 10000 {
		t.Errorf("%d bytes on average, promised are 9000", mean)
	}
	right := c.tally(n)
	if right.from == 0 || right.subject == 0 || right.since == 0 || right.since >= n {
		t.Errorf("searches find %+v of %d: too little to tell", right, n)
	}
}

// field is a header field on one line.
func field(head, name string) string {
	_, rest, _ := strings.Cut("\n"+head, "\n"+name+": ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}
