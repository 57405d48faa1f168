package main_test

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// waiting is a message with bytes that a terminal would obey.
const waiting = "Received: by mx.example\nSubject: \x1b]0;owned\x07 caf\xc3\xa9 \xff\n\nthe body\n"

// enqueue puts a message for these recipients into a host's queue.
func enqueue(t testing.TB, home, sender string, to ...string) string {
	t.Helper()
	q, err := queue.Open(home+"/queue", disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	env := queue.Envelope{Sender: sender, Arrived: time.Now().Add(-3 * time.Hour), Client: "far.example [192.0.2.7]"}
	for _, a := range to {
		env.Recipients = append(env.Recipients, queue.Recipient{Address: a})
	}
	p, err := q.Begin(env)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(p, waiting)
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	return p.ID()
}

// words is each line of a text as its words.
func words(text string) [][]string {
	var rows [][]string
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		rows = append(rows, strings.Fields(l))
	}
	return rows
}

func TestQueueList(t *testing.T) {
	t.Parallel()
	home := host(t)
	one := enqueue(t, home, "al@far.example", "bob@near.example")
	two := enqueue(t, home, "", "carl@other.example", "eve@other.example")
	r := in(t, home, "", "queue", "list", "--home", ".")
	rows := words(r.Stdout)
	if r.Code != 0 || len(rows) != 3 {
		t.Fatalf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	size := strconv.Itoa(len(waiting))
	if got := strings.Join(rows[1], " "); got != one+" due 0 now 3h "+size+" <al@far.example> bob@near.example" {
		t.Errorf("line %q", got)
	}
	if got := strings.Join(rows[2], " "); got != two+" due 0 now 3h "+size+" <> carl@other.example +1" {
		t.Errorf("line %q", got)
	}
	r = in(t, home, "", "queue", "list", "--home", ".", "@NEAR.example")
	if rows := words(r.Stdout); len(rows) != 2 || rows[1][0] != one {
		t.Errorf("of one domain:\n%s%s", r.Stdout, r.Stderr)
	}
}

func TestQueueShowIsFitForATerminal(t *testing.T) {
	t.Parallel()
	home := host(t)
	id := enqueue(t, home, "al@far.example", "bob@near.example")
	r := in(t, home, "", "queue", "show", "--home", ".", id[:len(id)-3])
	for _, want := range []string{"id: " + id + "\n", "from: <al@far.example>\n", "(3h ago)", "client: far.example [192.0.2.7]\n",
		"to: bob@near.example (due, tries 0, next now)\n", "\n\nReceived: by mx.example\n", `Subject: \x1b]0;owned\a café \xff` + "\n"} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("%q is missing in\n%s%s", want, r.Stdout, r.Stderr)
		}
	}
	if strings.ContainsAny(r.Stdout, "\x1b\x07") || strings.IndexByte(r.Stdout, 0xff) >= 0 || strings.Contains(r.Stdout, "the body") {
		t.Errorf("shown: %q", r.Stdout)
	}
}

func TestQueueChanges(t *testing.T) {
	t.Parallel()
	home := host(t)
	id := enqueue(t, home, "al@far.example", "bob@near.example")
	enqueue(t, home, "al@far.example", "bob@other.example")
	for _, c := range []struct{ verb, done, state string }{
		{"hold", "held", "held"}, {"release", "released", "due"}, {"retry", "due now", "due"}, {"cancel", "cancelled", ""},
	} {
		r := in(t, home, "", "queue", c.verb, "--home", ".", id)
		if r.Code != 0 || r.Stdout != id+": "+c.done+"\n" {
			t.Fatalf("%s: exit %d %s%s", c.verb, r.Code, r.Stdout, r.Stderr)
		}
		state := ""
		for _, row := range words(in(t, home, "", "queue", "list", "--home", ".").Stdout) {
			if row[0] == id {
				state = row[1]
			}
		}
		if state != c.state {
			t.Errorf("after %s the entry is %q, want %q", c.verb, state, c.state)
		}
	}
	r := in(t, home, "", "queue", "hold", "--home", ".", "--all")
	if r.Code != 0 || strings.Count(r.Stdout, ": held\n") != 1 {
		t.Errorf("all: exit %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// A slip must not cancel what was not meant.
func TestQueueRefuses(t *testing.T) {
	t.Parallel()
	home := host(t)
	enqueue(t, home, "al@far.example", "bob@near.example")
	enqueue(t, home, "al@far.example", "bob@near.example")
	for _, c := range []struct {
		claim string
		args  []string
		want  string
		code  int
	}{
		{"the beginning of two IDs", []string{"cancel", "1"}, `"1" is the beginning of several IDs`, 100},
		{"an ID that is not there", []string{"cancel", "x"}, `nothing in the queue begins with "x"`, 100},
		{"a domain that nothing goes to", []string{"retry", "@x"}, `nothing in the queue is "@x"`, 100},
		{"nothing", []string{"cancel"}, "name entries, or give --all", 100},
		{"all and one", []string{"cancel", "--all", "1"}, "name entries, or give --all", 100},
		{"recipient number zero", []string{"hold", "1/0"}, `"1/0" is not ID, ID/N or @DOMAIN`, 100},
		{"another directory", []string{"list", "--queue", "/nonexistent"}, "/nonexistent", 111},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := in(t, home, "", append([]string{"queue", "--home", "."}, c.args...)...)
			if r.Code != c.code || !strings.Contains(r.Stderr, c.want) {
				t.Errorf("exit %d, want %d and %s: %s%s", r.Code, c.code, c.want, r.Stdout, r.Stderr)
			}
		})
	}
	if n := len(words(in(t, home, "", "queue", "list", "--home", ".").Stdout)); n != 3 {
		t.Errorf("%d lines are left", n)
	}
}
