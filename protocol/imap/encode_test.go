package imap

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"rohrpost/protocol/line"
)

func TestStrings(t *testing.T) {
	long := strings.Repeat("x", 501)
	for _, tt := range []struct {
		name, in string
		utf8     bool
		want     string
	}{
		{"plain", "abc", false, `"abc"`},
		{"empty", "", false, `""`},
		{"quotes and backslashes", `a"b\c`, false, `"a\"b\\c"`},
		{"a line end", "a\r\nb", false, "{4}\r\na\r\nb"},
		{"a tab", "a\tb", false, "\"a\tb\""},
		// RFC 3501 section 9: QUOTED-CHAR is 7-bit.
		{"UTF-8 for rev1", "ä", false, "{2}\r\nä"},
		{"UTF-8 when enabled", "ä", true, `"ä"`},
		{"8-bit that is no UTF-8", "\xe4", true, "{1}\r\n\xe4"},
		{"long", long, false, "{501}\r\n" + long},
		// RFC 9051 section 4.3: no string holds NUL.
		{"NUL", "a\x00b", false, "{3}\r\na?b"},
	} {
		if got := string(AppendString(nil, tt.in, tt.utf8)); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	for in, want := range map[string]string{"a]b": "a]b", "a b": `"a b"`, "": `""`, "NIL": `"NIL"`, "a*": `"a*"`, "ä": "{2}\r\nä"} {
		if got := string(AppendAString(nil, in, false)); got != want {
			t.Errorf("astring %q: %q", in, got)
		}
	}
}

func TestLiteral8IsAnnouncedWithATilde(t *testing.T) {
	if got := string(AppendLiteral8([]byte("BINARY[1] "), 1<<40)); got != "BINARY[1] ~{1099511627776}\r\n" {
		t.Error(got)
	}
}

// RFC 9051 section 2.3.2: flag names are case-insensitive.
func TestFlagsHaveNoCase(t *testing.T) {
	if !Flag("$junk").Is("$Junk") || !FlagSeen.Is(`\SEEN`) || Flag("a").Is("ab") || Flag("a").Is("b") {
		t.Error("flags differ by case, or do not differ")
	}
}

func FuzzString(f *testing.F) {
	f.Add("a\"b\\", true)
	f.Add("ä\r\n", false)
	f.Fuzz(func(t *testing.T, text string, inUTF8 bool) {
		text = strings.ReplaceAll(text, "\x00", "")
		text = text[:min(len(text), 1<<12)]
		for _, written := range [][]byte{AppendString(nil, text, inUTF8), AppendAString(nil, text, inUTF8)} {
			if bytes.HasPrefix(written, []byte("{")) {
				written = bytes.Replace(written, []byte("}"), []byte("+}"), 1)
			}
			w := newWire("a GETQUOTA "+string(written)+"\r\n", Limits{Line: 1 << 14, Literal: 1 << 14, Plus: 1 << 14, Args: 1})
			w.Next()
			if got, err := ParseGetQuota(w.Decoder); err != nil || got != text {
				t.Fatalf("%q is written %q, which is %q, %v", text, written, got, err)
			}
		}
	})
}

// encoded is what f writes.
func encoded(utf8 bool, f func(e *Encoder)) string {
	var out bytes.Buffer
	e := &Encoder{Writer: line.NewWriter(&out), UTF8: utf8}
	f(e)
	e.Flush()
	return strings.TrimSuffix(out.String(), "\r\n")
}

func set(text string) NumSet {
	s, _ := ParseNumSet(text)
	return s
}

func TestResponses(t *testing.T) {
	for _, tt := range []struct {
		want string
		f    func(e *Encoder)
	}{
		{"a1 OK done", func(e *Encoder) { e.Tagged("a1", OK, "", "done") }},
		{"* BAD what", func(e *Encoder) { e.Tagged("", BAD, "", "what") }},
		{"a NO [TRYCREATE] no such mailbox", func(e *Encoder) { e.Tagged("a", NO, CodeTryCreate, "no such mailbox") }},
		{"* BYE a?? b OK", func(e *Encoder) { e.Untagged(BYE, "", "a\r\n b OK") }},
		{"+ go on", func(e *Encoder) { e.Resume("go on") }},
		{"* 18 EXISTS", func(e *Encoder) { e.Count(18, "EXISTS") }},
		{"* CAPABILITY IMAP4rev1 IDLE", func(e *Encoder) { e.Words("CAPABILITY", "IMAP4rev1", "IDLE") }},
		{"* ENABLED", func(e *Encoder) { e.Words("ENABLED") }},
		{`* FLAGS (\Seen $x)`, func(e *Encoder) { e.Flags([]Flag{FlagSeen, "$x"}) }},
		// RFC 7162 section 3.2.10.
		{"* VANISHED (EARLIER) 41,43:116", func(e *Encoder) { e.Vanished(true, set("41,43:116")) }},
		{"* VANISHED 5", func(e *Encoder) { e.Vanished(false, SetOf(5)) }},
		{"", func(e *Encoder) { e.Vanished(false, NumSet{}) }},
		{"* SEARCH 2 84 882", func(e *Encoder) { e.Numbers("SEARCH", slices.Values([]uint32{2, 84, 882}), 0) }},
		{"* SEARCH 2 (MODSEQ 917)", func(e *Encoder) { e.Numbers("SEARCH", slices.Values([]uint32{2}), 917) }},
		{"* SEARCH", func(e *Encoder) { e.Numbers("SEARCH", slices.Values([]uint32(nil)), 917) }},
		// RFC 9051 section 7.3.4 and RFC 9394 section 3.1.
		{`* ESEARCH (TAG "A283") MIN 2 COUNT 3`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "A283", Return: ReturnMin | ReturnCount, Min: 2, Count: 3})
		}},
		{`* ESEARCH (TAG "a") UID ALL 2,10:11 MODSEQ 9`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "a", UID: true, Return: ReturnAll, All: set("2,11,10"), ModSeq: 9})
		}},
		{`* ESEARCH (TAG "a") COUNT 0`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "a", Return: ReturnAll | ReturnCount | ReturnMin | ReturnMax})
		}},
		{`* ESEARCH (TAG "a") UID PARTIAL (-1:-100 5:7)`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "a", UID: true, Return: ReturnPartial, Page: Page{-1, -100}, All: set("5:7")})
		}},
		{`* ESEARCH (TAG "a") PARTIAL (1:2 NIL)`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "a", Return: ReturnPartial, Page: Page{1, 2}})
		}},
		{`* ESEARCH (TAG "a") ALL 5,3,4`, func(e *Encoder) {
			e.ESearch(ESearch{Tag: "a", Return: ReturnAll, Order: []uint32{5, 3, 4}})
		}},
		{`* LIST (\HasChildren \Subscribed) "." &AOQ-`, func(e *Encoder) {
			e.List("LIST", MailboxList{Attributes: []string{`\HasChildren`, `\Subscribed`}, Separator: '.', Mailbox: "ä"})
		}},
		{`* LIST () NIL "a b" ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" (x))`, func(e *Encoder) {
			e.List("LIST", MailboxList{Mailbox: "a b", ChildInfo: true, OldName: "x"})
		}},
		{"* STATUS INBOX (MESSAGES 231 UIDNEXT 44292 SIZE 9 APPENDLIMIT NIL MAILBOXID (F2))", func(e *Encoder) {
			e.Status("INBOX", StatusValues{Atts: StatusMessages | StatusUIDNext | StatusSize | StatusAppendLimit | StatusMailboxID,
				Messages: 231, UIDNext: 44292, Size: 9, AppendLimit: -1, MailboxID: "F2", Unseen: 7})
		}},
		{"* STATUS x (DELETED-STORAGE 0)", func(e *Encoder) { e.Status("x", StatusValues{Atts: StatusDeletedStorage}) }},
	} {
		if got := encoded(false, tt.f); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestMailboxNamesAreWrittenAsTheClientWantsThem(t *testing.T) {
	entry := func(e *Encoder) { e.List("LIST", MailboxList{Separator: '"', Mailbox: "a&ä"}) }
	if got := encoded(false, entry); got != `* LIST () "\"" a&-&AOQ-` {
		t.Error(got)
	}
	if got := encoded(true, entry); got != `* LIST () "\"" "a&ä"` {
		t.Error(got)
	}
}

func TestResponseCodes(t *testing.T) {
	for _, tt := range []struct{ got, want Code }{
		{UIDNextCode(4392), "UIDNEXT 4392"},
		{UIDValidityCode(3857529045), "UIDVALIDITY 3857529045"},
		{UnseenCode(12), "UNSEEN 12"},
		{HighestModSeqCode(math.MaxInt64), "HIGHESTMODSEQ 9223372036854775807"},
		{ModifiedCode(set("7,9")), "MODIFIED 7,9"},
		{AppendUIDCode(38505, []UID{3955, 3956}), "APPENDUID 38505 3955:3956"},
		{CopyUIDCode(38505, []UID{304, 319, 320}, []UID{3956, 3957, 3958}), "COPYUID 38505 304,319:320 3956:3958"},
		// Somebody else may have given the UIDs, in another order.
		{CopyUIDCode(38505, []UID{1, 2, 3, 4}, []UID{7, 8, 6, 5}), "COPYUID 38505 1:4 7:8,6,5"},
		{PermanentFlagsCode([]Flag{FlagDeleted, FlagAny}), `PERMANENTFLAGS (\Deleted \*)`},
		{CapabilityCode([]string{"IMAP4rev2", "ID"}), "CAPABILITY IMAP4rev2 ID"},
		{MailboxIDCode("F22"), "MAILBOXID (F22)"},
		{BadCharsetCode([]string{"UTF-8", "a b"}), `BADCHARSET (UTF-8 "a b")`},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func fetchLine(b []byte, flags []Flag, when time.Time) []byte {
	b = AppendFetch(b, 23)
	b = AppendFetchUID(b, 4711)
	b = AppendFetchFlags(b, flags)
	b = AppendFetchDate(b, when)
	b = AppendFetchSize(b, 44827)
	b = AppendFetchModSeq(b, 624140003)
	return AppendFetchEnd(b)
}

func TestFetchLine(t *testing.T) {
	flags, when := []Flag{FlagSeen, "$x"}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := `* 23 FETCH (UID 4711 FLAGS (\Seen $x) INTERNALDATE "02-Jan-2026 03:04:05 +0000" RFC822.SIZE 44827 MODSEQ (624140003))` + "\r\n"
	b := fetchLine(nil, flags, when)
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if n := testing.AllocsPerRun(100, func() { b = fetchLine(b[:0], flags, when) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	b = AppendFetch(nil, 1)
	b = AppendFetchObjectID(b, "EMAILID", "M1")
	b = AppendFetchObjectID(b, "THREADID", "")
	b = AppendFetchSaveDate(b, time.Time{})
	b = AppendFetchSaveDate(b, when)
	if got := string(AppendFetchEnd(b)); got != `* 1 FETCH (EMAILID (M1) THREADID NIL SAVEDATE NIL SAVEDATE "02-Jan-2026 03:04:05 +0000")`+"\r\n" {
		t.Error(got)
	}
}

func BenchmarkFetchFlagsLine(b *testing.B) {
	buf := make([]byte, 0, 1<<10)
	flags := []Flag{FlagSeen, FlagAnswered}
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFetch(buf[:0], 12345)
		buf = AppendFetchUID(buf, 54321)
		buf = AppendFetchFlags(buf, flags)
		buf = AppendFetchEnd(buf)
	}
}

func BenchmarkParseFetch(b *testing.B) {
	in := "a1 UID FETCH 1:*,7,5 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Date From Subject)])\r\n"
	src := strings.NewReader(in)
	r := line.NewReader(src, AfterLogin.Line+2)
	d := NewDecoder(r, AfterLogin, func(string) error { return nil })
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(in)
		c, _ := d.Next()
		if _, err := ParseFetch(d, c.UID); err != nil {
			b.Fatal(err)
		}
	}
}
