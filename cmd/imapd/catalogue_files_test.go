package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir/uidlist"
)

// last is the answer to a command, without the tag.
func last(lines []string) string {
	_, text, _ := strings.Cut(lines[len(lines)-1], " ")
	return text
}

// number is the number in a line behind a word, "" if there is none.
func number(lines []string, word string) int {
	for _, l := range lines {
		if _, n, ok := strings.Cut(l, word+" "); ok {
			n = strings.TrimRight(strings.Fields(n)[0], "])")
			v, _ := strconv.Atoi(n)
			return v
		}
	}
	return -1
}

// until asks again and again until one of these lines is said: a directory that changed
// within a tick of the file system's clock is believed only after that.
func (p *peer) until(command string, lines ...string) (got []string) {
	for range 100 {
		got = p.ask(command)
		if slices.ContainsFunc(got, func(l string) bool { return slices.Contains(lines, l) }) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return got
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// I27: a mail reader that knows no lock renames flags, moves from new to cur and
// deletes between two commands. Numbers stay, news are told, nothing is expunged that
// is there (RFC 9051 section 7.5.1).
func TestI27MailReaderBetweenCommands(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 3)
	a := startPeer(t, m)
	a.ask("a SELECT INBOX")
	file := func(n int, flags string) string {
		return fmt.Sprintf("%s/cur/17000%05d.M1P1.mx:2,%s", m.Path(), n, flags)
	}
	mustDo(t, os.Rename(file(1, ""), file(1, "FS")))
	wantLines(t, a.ask("b FETCH 1 (UID BODY.PEEK[]<0.10>)"), "* 1 FETCH (UID 1 BODY[]<0> {10}", "Subject: 1)", `* 1 FETCH (FLAGS (\Flagged \Seen))`, "b OK *")
	mustDo(t, os.Remove(file(2, "")))
	putFile(t, m.Path()+"/new/1700000009.M1P1.mx", "Subject: 9\n\n")
	got := a.ask("c FETCH 1:3 BODY.PEEK[]<0.10>")
	if !slices.Contains(got, "Subject: 3)") || slices.Contains(got, "Subject: 2)") || slices.Contains(got, "* 2 EXPUNGE") {
		t.Errorf("got %q", got)
	}
	if got = a.until("d NOOP", "* 2 EXPUNGE"); !slices.Contains(got, "* 2 EXPUNGE") {
		t.Errorf("got %q", got)
	}
	wantLines(t, a.ask("e UID SEARCH ALL"), "* SEARCH 1 3 4", "e OK *")
	// What comes back under its name is a message again; it gets a UID never told.
	mustDo(t, os.Rename(file(3, ""), m.Path()+"/tmp/away"))
	a.ask("f NOOP")
	mustDo(t, os.Rename(m.Path()+"/tmp/away", file(3, "")))
	a.until("g UID SEARCH ALL", "* SEARCH 1 3 4", "* SEARCH 1 4 5")
	if got = a.ask("h UID SEARCH ALL"); got[0] != "* SEARCH 1 3 4" && got[0] != "* SEARCH 1 4 5" {
		t.Errorf("got %q", got)
	}
	a.end()
}

// I28: what happens within one tick of the file system's clock is not missed.
func TestI28ChangesWithinATick(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	a := startPeer(t, m)
	a.ask("a SELECT INBOX")
	for i := 1; i <= 50; i++ {
		putFile(t, fmt.Sprintf("%s/new/17000%05d.M1P1.mx", m.Path(), i), "Subject: x\n\n")
		got := a.ask(fmt.Sprintf("b%d NOOP", i))
		if got[0] != fmt.Sprintf("* %d EXISTS", i) {
			t.Fatalf("message %d: %q", i, got)
		}
	}
	a.end()
	// The next session must not believe an index that was written within the tick.
	putFile(t, m.Path()+"/new/1700001000.M1P1.mx", "Subject: x\n\n")
	if got := say(t, m, "a STATUS INBOX (MESSAGES)"); got[0] != "* STATUS INBOX (MESSAGES 51)" {
		t.Errorf("got %q", got)
	}
}

// I29: a list of UIDs that is damaged is mended or made anew, and never gives two
// messages one UID (RFC 9051 section 2.3.1.1).
func TestI29DamagedListIsServed(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{
		"empty":               "",
		"torn last line":      "3 V1700000000 N9 G0123456789abcdef0123456789abcdef\n1 :1700000001.M1P1.mx\n2 :17000000",
		"duplicate UID":       "3 V1700000000 N9 G0123456789abcdef0123456789abcdef\n1 :1700000001.M1P1.mx\n1 :1700000002.M1P1.mx\n",
		"descending":          "3 V1700000000 N9 G0123456789abcdef0123456789abcdef\n5 :1700000001.M1P1.mx\n4 :1700000002.M1P1.mx\n",
		"no UIDs left":        "3 V1700000000 N4294967295 G0123456789abcdef0123456789abcdef\n4294967294 :1700000001.M1P1.mx\n",
		"next UID too low":    "3 V1700000000 N1 G0123456789abcdef0123456789abcdef\n7 :1700000001.M1P1.mx\n",
		"NUL":                 "3 V1700000000 N9 \x00\n1 :17\x00\n",
		"version of the moon": "9 moon\n1 :1700000001.M1P1.mx\n",
		"no text":             strings.Repeat("\xff\x00", 5000),
	} {
		m := boxTree(t)
		fill(t, m, 3)
		putFile(t, m.Path()+"/dovecot-uidlist", list)
		got := say(t, m, "a SELECT INBOX", "b UID SEARCH ALL", "c FETCH 1:3 BODY.PEEK[TEXT]")
		var uids []string
		for _, l := range got {
			if text, ok := strings.CutPrefix(l, "* SEARCH "); ok {
				uids = strings.Fields(text)
			}
		}
		slices.SortFunc(uids, func(a, b string) int { x, _ := strconv.Atoi(a); y, _ := strconv.Atoi(b); return x - y })
		if len(slices.Compact(uids)) != 3 || !slices.Contains(got, "body 3") {
			t.Errorf("%s: %q", name, got)
		}
		again := say(t, m, "a SELECT INBOX", "b UID SEARCH ALL", "c FETCH 1:3 BODY.PEEK[TEXT]")
		if number(again, "UIDVALIDITY") != number(got, "UIDVALIDITY") {
			t.Errorf("%s: another UIDVALIDITY each time", name)
		}
	}
}

// I30: while another program holds the lock of the list, what needs no new UID goes
// on, and what needs one is refused with INUSE (RFC 5530 section 3), and not lost.
func TestI30LockOfALivingProcess(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 1)
	a := startPeer(t, m)
	a.ask("a SELECT INBOX")
	l, err := uidlist.Lock(m)
	mustDo(t, err)
	if got := last(a.ask("b FETCH 1 FLAGS")); !strings.HasPrefix(got, "OK ") {
		t.Errorf("FETCH: %q", got)
	}
	if got := last(a.ask("c APPEND INBOX {5+}\r\nabcde")); !strings.HasPrefix(got, "NO [INUSE] ") {
		t.Errorf("APPEND: %q", got)
	}
	l.Release()
	if got := a.ask("d APPEND INBOX {5+}\r\nabcde"); !strings.HasPrefix(last(got), "OK [APPENDUID ") || !slices.Contains(got, "* 2 EXISTS") {
		t.Errorf("APPEND: %q", got)
	}
	a.end()
}

// I32: the index and the cache are derived. Without them, and with any bytes in their
// place, answers are the same but for MODSEQ, which grows (RFC 7162 section 3.1).
func TestI32AnswersWithoutTheIndex(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 5)
	ask := []string{"a SELECT INBOX", "b FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)", "c UID SEARCH SUBJECT 3", "d STATUS INBOX (MESSAGES UNSEEN SIZE UIDNEXT)"}
	say(t, m, `a SELECT INBOX`, `b STORE 2 +FLAGS (\Flagged)`)
	want := say(t, m, ask...)
	modseq := number(want, "HIGHESTMODSEQ")
	want = withoutModSeq(want)
	for name, damage := range map[string]func(path string) error{
		"removed":    os.Remove,
		"emptied":    func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut":        func(path string) error { return os.Truncate(path, 100) },
		"noise":      func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("\xa5", 8192)), 0o600) },
		"a byte off": func(path string) error { return flip(path, 8) },
		"a directory": func(path string) error {
			os.Remove(path)
			return os.Mkdir(path, 0o700)
		},
	} {
		for _, file := range []string{"rohrpost.index", "rohrpost.cache"} {
			path := filepath.Join(m.Path(), file)
			if _, err := os.Stat(path); err != nil {
				continue
			}
			mustDo(t, damage(path))
			got := say(t, m, ask...)
			if now := number(got, "HIGHESTMODSEQ"); now < modseq {
				t.Errorf("%s %s: HIGHESTMODSEQ fell from %d to %d", file, name, modseq, now)
			} else {
				modseq = now
			}
			if got := withoutModSeq(got); !slices.Equal(got, want) {
				t.Errorf("%s %s: got\n%s\nwant\n%s", file, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if name == "a directory" {
				mustDo(t, os.RemoveAll(path)) // F14: mail is served without an index on disk
			}
			say(t, m, ask...)
		}
	}
}

// flip changes a byte of a file in the middle, and one each stride bytes.
func flip(path string, stride int) error {
	b, err := os.ReadFile(path)
	for i := 0; i < len(b); i += stride {
		b[i] ^= 0x10
	}
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	return err
}

func withoutModSeq(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, "HIGHESTMODSEQ") })
}

// I33: a session whose mailbox gets another UIDVALIDITY is ended: nothing it knows
// holds any more (RFC 9051 section 2.3.1.1).
func TestI33UIDValidityChangesWhileSelected(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 2)
	a := startPeer(t, m)
	a.ask("a SELECT INBOX")
	putFile(t, m.Path()+"/dovecot-uidlist.new", "3 V1999999999 N9 G0123456789abcdef0123456789abcdef\n7 :1700000001.M1P1.mx\n8 :1700000002.M1P1.mx\n")
	mustDo(t, os.Rename(m.Path()+"/dovecot-uidlist.new", m.Path()+"/dovecot-uidlist"))
	a.in.Write([]byte("b NOOP\r\nc UID FETCH 7 FLAGS\r\n"))
	if got := a.line(); got != "* BYE the mailbox was made anew, select it again" {
		t.Errorf("got %q", got)
	}
	if rest, err := a.out.ReadString('\n'); err == nil {
		t.Errorf("after BYE: %q", rest)
	}
	got := say(t, m, "a SELECT INBOX", "b UID FETCH 7 BODY.PEEK[TEXT]")
	if number(got, "UIDVALIDITY") != 1999999999 || !slices.Contains(got, "body 1") {
		t.Errorf("got %q", got)
	}
}

// I34: a MODSEQ that was told is never told again for something else, though the
// process was killed right after, and the index is gone (RFC 7162 section 3.1).
func TestI34ModSeqSurvivesAKill(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 1)
	modseq := 0
	for i := range 6 {
		a := startPeer(t, m)
		a.ask("a SELECT INBOX (CONDSTORE)")
		got := a.ask(fmt.Sprintf(`b STORE 1 %cFLAGS (\Flagged)`, "+-"[i%2]))
		now := number([]string{strings.ReplaceAll(got[0], "MODSEQ (", "MODSEQ ")}, "MODSEQ")
		if now <= modseq {
			t.Errorf("MODSEQ %d after %d: %q", now, modseq, got)
		}
		modseq = now
		a.cmd.Process.Kill()
		a.cmd.Wait()
		if i%3 == 2 {
			mustDo(t, os.Remove(m.Path()+"/rohrpost.index"))
		}
		if now := number(say(t, m, "a STATUS INBOX (HIGHESTMODSEQ)"), "HIGHESTMODSEQ"); now < modseq {
			t.Errorf("HIGHESTMODSEQ %d after a kill, %d was told", now, modseq)
		}
	}
}

// I43: a literal is as long as announced, or the connection is cut. A file that is
// gone or cannot be read is NO, and costs no other message (RFC 2180 section 4.1.2).
func TestI43FilesThatChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(path string) error
		body   string // of the message; "" if there is none
	}{
		"vanished": {os.Remove, ""},
		"replaced by a directory": {func(path string) error {
			os.Remove(path)
			return os.Mkdir(path, 0o700)
		}, ""},
		"replaced by a link": {func(path string) error {
			os.Remove(path)
			return os.Symlink("/etc/passwd", path)
		}, ""},
		"grew":   {func(path string) error { return os.WriteFile(path, []byte("S: x\n\nlonger than before\n"), 0o600) }, "longer than before\r\n"},
		"shrank": {func(path string) error { return os.WriteFile(path, []byte("S: x\n\n"), 0o600) }, "-"},
		"empty":  {func(path string) error { return os.Truncate(path, 0) }, "-"},
	} {
		m := boxTree(t)
		fill(t, m, 3)
		a := startPeer(t, m)
		a.ask("a SELECT INBOX")
		a.ask("a FETCH 1:3 (RFC822.SIZE ENVELOPE BODYSTRUCTURE)")
		mustDo(t, c.change(m.Path()+"/cur/1700000002.M1P1.mx:2,"))
		got := strings.Join(a.ask("b UID FETCH 1:3 (BODY.PEEK[TEXT])"), "\r\n")
		if !strings.Contains(got, "body 1") || !strings.Contains(got, "body 3") {
			t.Errorf("%s: others: %q", name, got)
		}
		switch {
		case c.body == "" && (strings.Contains(got, "UID 2 BODY") || !strings.Contains(got, "\r\nb NO [")):
			t.Errorf("%s: %q", name, got)
		case c.body == "-" && !strings.Contains(got, "UID 2 BODY[TEXT] {0}\r\n)"):
			t.Errorf("%s: %q", name, got)
		case len(c.body) > 1 && !strings.Contains(got, fmt.Sprintf("UID 2 BODY[TEXT] {%d}\r\n%s)", len(c.body), c.body)):
			t.Errorf("%s: %q", name, got)
		}
		a.end()
	}
}

// F04: a message that is renamed again and again is found under its last name.
func TestF04MessageUnderEverNewNames(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 1)
	a := startPeer(t, m)
	a.ask("a SELECT INBOX")
	path := m.Path() + "/cur/1700000001.M1P1.mx:2,"
	for i := range 40 {
		next := m.Path() + "/cur/1700000001.M1P1.mx:2," + []string{"", "F", "FS", "S"}[(i+1)%4]
		mustDo(t, os.Rename(path, next))
		path = next
		if got := last(a.ask(fmt.Sprintf("b%d FETCH 1 BODY.PEEK[]", i))); !strings.HasPrefix(got, "OK ") {
			t.Errorf("got %q", got)
		}
	}
	a.end()
}

// F15: a backup that is put back (old times, same names, an older list of UIDs) gives
// no UID to another message, in a session that goes on and in a new one.
func TestF15RestoredBackup(t *testing.T) {
	t.Parallel()
	m := boxTree(t)
	fill(t, m, 2)
	first := say(t, m, "a SELECT INBOX")
	list, err := os.ReadFile(m.Path() + "/dovecot-uidlist")
	mustDo(t, err)
	putFile(t, m.Path()+"/cur/1700000009.M1P1.mx:2,", "Subject: 9\n\nbody 9\n")
	wantLines(t, say(t, m, "a SELECT INBOX", "b UID SEARCH SUBJECT 9")[8:], "a OK *", "* SEARCH 3", "b OK *")
	mustDo(t, os.Remove(m.Path()+"/cur/1700000009.M1P1.mx:2,"))
	mustDo(t, os.WriteFile(m.Path()+"/dovecot-uidlist", list, 0o600))
	putFile(t, m.Path()+"/cur/1700000010.M1P1.mx:2,", "Subject: 10\n\nbody 10\n")
	got := say(t, m, "a SELECT INBOX", "b UID SEARCH SUBJECT 10")
	if number(got, "UIDVALIDITY") == number(first, "UIDVALIDITY") && slices.Contains(got, "* SEARCH 3") {
		t.Errorf("UID 3 was given to two messages: %q", got)
	}
}
