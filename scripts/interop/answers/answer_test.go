package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestSame(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"a section that is not there", `* 1 FETCH (UID 7 BODY[2] NIL)`, `* 2 FETCH (UID 7 BODY[2] "")`, true},
		{"a default charset", `("text" "plain" ("charset" "us-ascii") NIL`, `("text" "plain" NIL NIL`, true},
		{"flags in another order", `FLAGS (\Seen $Work)`, `FLAGS ($Work \Seen)`, true},
		{"other flags", `FLAGS (\Seen)`, `FLAGS (\Answered)`, false},
		{"another charset", `("text" "plain" ("charset" "utf-8") NIL`, `("text" "plain" NIL NIL`, false},
		{"an envelope without and with an empty subject", `ENVELOPE (NIL NIL`, `ENVELOPE (NIL ""`, false},
	} {
		if got := same(c.a) == same(c.b); got != c.same {
			t.Errorf("%s: the same: %v, should be %v:\n%s\n%s", c.name, got, c.same, same(c.a), same(c.b))
		}
	}
}

func TestResponseTakesLiteralsForStrings(t *testing.T) {
	const quoted = "* 1 FETCH (BODY[] \"a\\\\b\\\"c\" UID 1)\r\n"
	const asLiteral = "* 1 FETCH (BODY[] ~{5}\r\na\\b\"c UID 1)\r\n"
	var got [2]string
	for i, text := range []string{quoted, asLiteral} {
		s := session{out: bufio.NewReader(strings.NewReader(text))}
		line, err := s.response()
		if err != nil {
			t.Fatal(err)
		}
		got[i] = line
	}
	if got[0] != got[1] {
		t.Errorf("%s\n%s", got[0], got[1])
	}
}
