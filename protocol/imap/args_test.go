package imap

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// argsTest is the arguments of a command and what they are read as; "" if they are not.
type argsTest struct{ in, want string }

func runArgs(t *testing.T, command string, tests []argsTest, read func(d *Decoder) (string, error)) {
	t.Helper()
	for _, tt := range tests {
		w := newWire("a "+command+tt.in+"\r\n"+next, AfterLogin)
		w.Next()
		got, err := read(w.Decoder)
		if err != nil {
			got = ""
		} else if got == "" {
			got = "nothing"
		}
		if got != tt.want {
			t.Errorf("%s%s\ngot  %s, %v\nwant %s", command, tt.in, got, err, tt.want)
		}
		if c, err := w.Next(); err != nil || c.Tag != "z" {
			t.Errorf("%s%s: next command is %v, %v", command, tt.in, c, err)
		}
	}
}

func TestStoreArguments(t *testing.T) {
	runArgs(t, "STORE", []argsTest{
		{" 1 FLAGS (\\Seen)", `{1 0 false [\Seen] 0 false}`},
		{" 1 +flags.silent \\deleted $x", `{1 1 true [\Deleted $x] 0 false}`},
		{" 1 -FLAGS ()", `{1 2 false [] 0 false}`},
		{" 1 (UNCHANGEDSINCE 0) FLAGS (a)", `{1 0 false [a] 0 true}`},
		{" 1:* (UNCHANGEDSINCE 9223372036854775807) +FLAGS (a)", `{1:* 1 false [a] 9223372036854775807 true}`},
		{" 1 (UNCHANGEDSINCE 9223372036854775808) +FLAGS (a)", ""},
		// RFC 7162 section 7: only a single UNCHANGEDSINCE may be specified.
		{" 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 2) +FLAGS (a)", ""},
		{" 1 (FOO 1) FLAGS (a)", ""},
		{" 1 FLAGS", ""},
		{" 1 FLAGS. (a)", ""},
		{" 1 FLAGS.LOUD (a)", ""},
		{" 1 ++FLAGS (a)", ""},
		{" 1 FLAGS (\\Recent)", ""},
		{" 1 FLAGS (\\*)", ""},
		{" 1 FLAGS (\\)", ""},
		{" 1 FLAGS (a", ""},
		{" 1 FLAGS (a) b", ""},
		{" 0 FLAGS (a)", ""},
		{" FLAGS (a)", ""},
	}, func(d *Decoder) (string, error) {
		s, err := ParseStore(d)
		return fmt.Sprint(s), err
	})
}

func TestSelectArguments(t *testing.T) {
	runArgs(t, "SELECT", []argsTest{
		{" inbox", "INBOX false"},
		{` "a b"`, "a b false"},
		{" x (CONDSTORE)", "x true"},
		{" x (QRESYNC (67890007 20050715194045000))", "x false {67890007 20050715194045000   }"},
		{" x (QRESYNC (1 2 41,43:211) CONDSTORE)", "x true {1 2 41,43:211  }"},
		{" x (QRESYNC (1 2 41:211 (1,3,9 41,43,211)))", "x false {1 2 41:211 1,3,9 41,43,211}"},
		{" x (QRESYNC (1 2 (1,3 41,43)))", "x false {1 2  1,3 41,43}"},
		// RFC 7162 section 7: "*" is not allowed.
		{" x (QRESYNC (1 2 1:*))", ""},
		{" x (QRESYNC (1 2 $))", ""},
		{" x (QRESYNC (1 2 1:9 (* 5)))", ""},
		{" x (QRESYNC (1 2 1:9 (1:3 1:2)))", ""},
		{" x (QRESYNC (0 2))", ""},
		{" x (QRESYNC (1 0))", ""},
		{" x (QRESYNC (1))", ""},
		{" x (QRESYNC 1 2)", ""},
		{" x (QRESYNC (1 2 ))", ""},
		{" x (QRESYNC (1 2) QRESYNC (1 2))", ""},
		{" x ()", ""},
		{" x (FOO)", ""},
		{" x y", ""},
	}, func(d *Decoder) (string, error) {
		s, err := ParseSelect(d)
		text := fmt.Sprint(s.Mailbox, " ", s.CondStore)
		if s.QResync != nil {
			text += fmt.Sprint(" ", *s.QResync)
		}
		return text, err
	})
}

func TestListArguments(t *testing.T) {
	const all = ListSubscribed | ListChildren | ListSpecialUse | ListStatus
	runArgs(t, "LIST", []argsTest{
		{` "" *`, fmt.Sprint(List{Patterns: []string{"*"}})},
		{` "" ""`, fmt.Sprint(List{Patterns: []string{""}})},
		{` inbox %`, fmt.Sprint(List{Reference: "inbox", Patterns: []string{"%"}})},
		{` "" "&AOQ-*"`, fmt.Sprint(List{Patterns: []string{"ä*"}})},
		{` "" (a% b*)`, fmt.Sprint(List{Extended: true, Patterns: []string{"a%", "b*"}})},
		{` (SUBSCRIBED RECURSIVEMATCH) "" *`, fmt.Sprint(List{Extended: true, Select: ListSubscribed | ListRecursiveMatch, Patterns: []string{"*"}})},
		{` () "" *`, fmt.Sprint(List{Extended: true, Patterns: []string{"*"}})},
		{` "" * RETURN ()`, fmt.Sprint(List{Extended: true, Patterns: []string{"*"}})},
		{` "" * return (subscribed children special-use status (messages size))`,
			fmt.Sprint(List{Extended: true, Patterns: []string{"*"}, Return: all, Status: StatusMessages | StatusSize})},
		// RFC 5258 section 6: it does NOT allow these.
		{` (RECURSIVEMATCH) "" *`, ""},
		{` (REMOTE RECURSIVEMATCH) "" *`, ""},
		{` (FOO) "" *`, ""},
		{` (CHILDREN) "" *`, ""},
		{` "" * RETURN (REMOTE)`, ""},
		{` "" * RETURN (STATUS)`, ""},
		{` "" * RETURN (STATUS ())`, ""},
		{` "" ()`, ""},
		{` "" "&AC8-"`, ""},
		{` ""`, ""},
		{``, ""},
	}, func(d *Decoder) (string, error) {
		l, err := ParseList(d)
		return fmt.Sprint(l), err
	})
}

func TestOtherArguments(t *testing.T) {
	for _, tt := range []struct {
		command string
		tests   []argsTest
		read    func(d *Decoder) (string, error)
	}{
		{"STATUS", []argsTest{
			{" x (messages UIDNEXT)", fmt.Sprint(Status{"x", StatusMessages | StatusUIDNext})},
			{" x (RECENT HIGHESTMODSEQ APPENDLIMIT MAILBOXID DELETED DELETED-STORAGE)", fmt.Sprint(Status{"x",
				StatusRecent | StatusHighestModSeq | StatusAppendLimit | StatusMailboxID | StatusDeleted | StatusDeletedStorage})},
			{" x ()", ""}, {" x MESSAGES", ""}, {" x (FOO)", ""},
		}, func(d *Decoder) (string, error) { s, err := ParseStatus(d); return fmt.Sprint(s), err }},
		{"LSUB", []argsTest{
			{` "" %`, fmt.Sprint(List{Select: ListSubscribed, Patterns: []string{"%"}})},
			{` "" % RETURN ()`, ""},
		}, func(d *Decoder) (string, error) { l, err := ParseLSub(d); return fmt.Sprint(l), err }},
		{"RENAME", []argsTest{
			{` a "b c"`, "a b c"}, {" a", ""}, {" a b c", ""},
		}, func(d *Decoder) (string, error) { a, b, err := ParseRename(d); return a + " " + b, err }},
		{"CREATE", []argsTest{
			{" x", "{x []}"}, {` x (USE (\Drafts \Sent))`, `{x [\Drafts \Sent]}`}, {` x (USE ())`, "{x []}"},
			{" x (USE (Sent))", ""}, {` x (USE (\Sent) USE (\Junk))`, ""}, {" x (FOO)", ""},
		}, func(d *Decoder) (string, error) { c, err := ParseCreate(d); return fmt.Sprint(c), err }},
		{"COPY", []argsTest{
			{" 2:4 inbox", "{2:4 INBOX}"}, {" 2:4", ""}, {" x y", ""},
		}, func(d *Decoder) (string, error) { c, err := ParseCopy(d); return fmt.Sprint(c), err }},
		{"LOGIN", []argsTest{
			{` a "p\"\\q"`, `{a p"\q}`}, {" a {0}\r\n", "{a }"}, {` "ä" "ö"`, "{ä ö}"}, {" a ]b", "{a ]b}"}, {` a ""`, "{a }"},
			{` a "p\q"`, ""}, {` a "p`, ""}, {` a "p\`, ""}, {" a", ""}, {" a p%", ""}, {" a \"\xe4\"", ""}, {` a "p"x`, ""},
		}, func(d *Decoder) (string, error) { l, err := ParseLogin(d); return fmt.Sprint(l), err }},
		{"AUTHENTICATE", []argsTest{
			{" plain", "PLAIN false "}, {" X eA==", "X true x"}, {" X =", "X true "},
			{" X ===", ""}, {" X eA=", ""}, {" X eB==", ""}, {" X !", ""}, {" X ", ""}, {"", ""},
		}, func(d *Decoder) (string, error) {
			a, err := ParseAuthenticate(d)
			return fmt.Sprintf("%s %v %s", a.Mechanism, a.HasInitial, a.Initial), err
		}},
		{"ID", []argsTest{
			{" NIL", "[]"}, {` ("a" "b" "c" nil)`, "[{a b false} {c  true}]"}, {" ()", "[]"},
			{` ("a")`, ""}, {` (NIL "a")`, ""}, {` ("a" FOO)`, ""}, {` "a"`, ""},
		}, func(d *Decoder) (string, error) { p, err := ParseID(d); return fmt.Sprint(p), err }},
		{"ENABLE", []argsTest{
			{" condstore UTF8=ACCEPT", "[CONDSTORE UTF8=ACCEPT]"}, {"", ""},
		}, func(d *Decoder) (string, error) { n, err := ParseEnable(d); return fmt.Sprint(n), err }},
		{"COMPRESS", []argsTest{{" deflate", "DEFLATE"}, {" a b", ""}},
			ParseCompress},
		{"GETQUOTA", []argsTest{{` ""`, "nothing"}, {" a b", ""}},
			ParseGetQuota},
		{"SETQUOTA", []argsTest{
			{` "" (STORAGE 512 message 0)`, " [{STORAGE 512} {MESSAGE 0}]"}, {` "" ()`, " []"},
			{` "" (STORAGE)`, ""}, {` "" (STORAGE -1)`, ""},
		}, func(d *Decoder) (string, error) { r, l, err := ParseSetQuota(d); return fmt.Sprint(r, " ", l), err }},
		{"EXPUNGE", []argsTest{{" 1:*", "1:*"}, {" x", ""}, {"", ""}},
			func(d *Decoder) (string, error) { s, err := ParseSet(d); return s.String(), err }},
	} {
		t.Run(tt.command, func(t *testing.T) { runArgs(t, tt.command, tt.tests, tt.read) })
	}
}

// RFC 9051 section 9: date-time = DQUOTE date-day-fixed "-" date-month "-" date-year
// SP time SP zone DQUOTE.
func TestDateTime(t *testing.T) {
	for in, want := range map[string]string{
		"17-Jul-1996 02:44:25 -0700": "1996-07-17T02:44:25-07:00",
		" 1-jan-2026 00:00:00 +0000": "2026-01-01T00:00:00Z",
		"01-JAN-0001 00:00:00 +0000": "0001-01-01T00:00:00Z",
		"29-Feb-2024 23:59:60 +1400": "2024-03-01T00:00:00+14:00",
		"29-Feb-2023 00:00:00 +0000": "",
		"1-Jan-2026 00:00:00 +0000":  "",
		"1 -Jan-2026 00:00:00 +0000": "",
		"00-Jan-2026 00:00:00 +0000": "",
		"01-Foo-2026 00:00:00 +0000": "",
		"01-Jan-0000 00:00:00 +0000": "",
		"01-Jan-2026 24:00:00 +0000": "",
		"01-Jan-2026 00:60:00 +0000": "",
		"01-Jan-2026 00:00:00 +0060": "",
		"01-Jan-2026 00:00:00 +2400": "",
		"01-Jan-2026 00:00:00 00000": "",
		"01-Jan-2026 00:00:00 UT":    "",
		"01-Jan-2026 00:00:00":       "",
		"":                           "",
	} {
		got := ""
		if d, ok := ParseDateTime(in); ok {
			got = d.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// What has no form in RFC 9051 is written as the nearest that has one.
func TestDateTimeOutOfRange(t *testing.T) {
	for year, want := range map[int]string{
		-5: `"01-Jan-0001 00:00:00 +0000"`, 0: `"01-Jan-0001 00:00:00 +0000"`, 10000: `"31-Dec-9999 23:59:59 +0000"`,
	} {
		if got := string(AppendDateTime(nil, time.Date(year, 5, 5, 5, 5, 5, 0, time.UTC))); got != want {
			t.Errorf("year %d: %s", year, got)
		}
	}
}

func TestDatesCompareByDay(t *testing.T) {
	d := Date{2026, time.March, 5}
	for _, tt := range []struct {
		other Date
		want  int
	}{
		{Date{2025, time.December, 31}, 1}, {Date{2026, time.February, 28}, 1}, {Date{2026, time.March, 4}, 1},
		{d, 0}, {Date{2026, time.March, 6}, -1}, {Date{2026, time.April, 1}, -1}, {Date{2027, time.January, 1}, -1},
	} {
		if got := d.Compare(tt.other); got != tt.want {
			t.Errorf("%v and %v: %d", d, tt.other, got)
		}
	}
	// RFC 9051 section 6.4.4: dates disregard time and time zone.
	east := time.Date(2026, 3, 5, 0, 30, 0, 0, time.FixedZone("", 3600))
	if DateOf(east) != d {
		t.Error(DateOf(east))
	}
}

func FuzzDateTime(f *testing.F) {
	f.Add("17-Jul-1996 02:44:25 -0700")
	f.Add(" 1-Jan-0001 00:00:60 +2359")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := ParseDateTime(text)
		if !ok {
			return
		}
		if y := d.Year(); y < 1 || y > 9999 {
			return // a leap second at the end of time
		}
		written := strings.Trim(string(AppendDateTime(nil, d)), `"`)
		again, ok := ParseDateTime(written)
		if !ok || !again.Equal(d) {
			t.Fatalf("%q is %v, then %q is %v", text, d, written, again)
		}
		judge, err := time.Parse("_2-Jan-2006 15:04:05 -0700", text)
		if err == nil && !judge.Equal(d) {
			t.Fatalf("%q is %v, package time says %v", text, d, judge)
		}
	})
}

// FuzzCommands: whatever a command is, the next one begins where the client began it.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{
		"a LOGIN {3+}\r\nabc {2}\r\nde\r\n", "a XX {12+}\r\nx DELETE a\r\n\r\n", "a APPEND x {3}\r\nabc UTF8 (~{1+}\r\n\x00)\r\n",
		"a FETCH 1:* (BODY[HEADER.FIELDS (A)] UID)\r\n", "a UID SEARCH OR 1 (NOT $)\r\n", "a NOOP\nb NOOP\r\n", "a ID (\"x\" NIL)\r\n",
		"a SELECT x (QRESYNC (1 2 3:4 (1 2)))\r\n", "a LIST (SUBSCRIBED) \"\" (a b) RETURN (STATUS (SIZE))\r\n", "a LOGIN \"{5+}\r\nabcde\r\n",
		"a SORT (DATE) x ALL\r\n", "a STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "a APPEND x {0+}\r\n {1}\r\n\x00\r\n", "a LOGIN ~{0+}\r\n {9}\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		checkCommands(t, string(in))
		checkCommands(t, fromWords(in))
	})
}

// TestI01CommandsOfRandomWords is FuzzCommands with a fixed random source.
func TestI01CommandsOfRandomWords(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	in := make([]byte, 60)
	for range 20000 {
		random.Read(in)
		checkCommands(t, fromWords(in))
	}
}

// fromWords makes a client's bytes of words that mean something to the decoder.
func fromWords(in []byte) string {
	words := []string{"\r\n", "\r\na LOGIN ", "\r\nb APPEND x ", "\r\nc SEARCH ", "\r\nd UID FETCH 1 ", "\r\ne ID ", "\r\nf LIST \"\" ",
		"\n", "\r", "\x00", " ", "\"", "\\", "(", ")", "a", "xyz", "1:*", "{0}\r\n", "{0+}\r\n", "{1}\r\n", "{3+}\r\n", "{30+}\r\n",
		"{40+}\r\n", "{41+}\r\n", "{60}\r\n", "{400+}\r\n", "~{2}\r\n", "~{2+}\r\n", "{3+}", "{", "}", "+}\r\n", "UTF8 (", "NIL", "OR ",
		"TEXT ", "BODY[", "]", "HEADER.FIELDS (", "<0.1>", "* ", "$", strings.Repeat("x", 60), strings.Repeat("0", 40)}
	var b strings.Builder
	for _, c := range in {
		b.WriteString(words[int(c)%len(words)])
	}
	return b.String()
}

// checkCommands holds each command of in to its end as commandEnd finds it.
func checkCommands(t *testing.T, in string) {
	t.Helper()
	w := newWire(in, Limits{Line: 100, Literal: 50, Plus: 40, Args: 20, Depth: 4, Skip: 300})
	for at := 0; ; {
		asked := w.asked
		_, err := w.run()
		if err != nil && !isSyntax(err) || w.Skip() != nil {
			return // the session ends
		}
		want := commandEnd(in[at:], w.asked-asked)
		if w.taken() != at+want {
			t.Fatalf("%q: stands at %d, want %d (error %v)", in, w.taken(), at+want, err)
		}
		at += want
	}
}

// commandEnd is the length of the first command of in, of whose literals the client
// was asked for the first few that wait.
func commandEnd(in string, asked int) int {
	for at := 0; ; {
		i := strings.IndexByte(in[at:], '\n')
		if i < 0 {
			return len(in)
		}
		text, crlf := strings.CutSuffix(in[at:at+i+1], "\r\n")
		at += i + 1
		if !crlf {
			continue
		}
		var size int
		open := strings.LastIndexByte(text, '{')
		if open < 0 || !strings.HasSuffix(text, "}") {
			return at
		}
		digits, plus := strings.CutSuffix(text[open+1:len(text)-1], "+")
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			return at
		}
		if !plus {
			if asked == 0 {
				return at
			}
			asked--
		}
		fmt.Sscan(digits, &size)
		at += size
	}
}
