package imap

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"rohrpost/protocol/line"
)

// wire is a client's bytes, and what the decoder asked for.
type wire struct {
	*Decoder
	src   *strings.Reader
	r     *line.Reader
	asked int
}

func newWire(in string, lim Limits) *wire {
	w := &wire{src: strings.NewReader(in)}
	w.r = line.NewReader(w.src, lim.Line+2)
	w.Decoder = NewDecoder(w.r, lim, func(string) error { w.asked++; return nil })
	return w
}

// taken is how many bytes of the client's the decoder has consumed.
func (w *wire) taken() int { return int(w.src.Size()) - w.src.Len() - w.r.Buffered() }

// parsers are the commands with arguments, as a session would have them in a table.
var parsers = map[string]func(d *Decoder, c Command) error{
	"APPEND":       func(d *Decoder, _ Command) error { return readAppend(d, io.Discard) },
	"AUTHENTICATE": func(d *Decoder, _ Command) error { _, err := ParseAuthenticate(d); return err },
	"COMPRESS":     func(d *Decoder, _ Command) error { _, err := ParseCompress(d); return err },
	"COPY":         func(d *Decoder, _ Command) error { _, err := ParseCopy(d); return err },
	"CREATE":       func(d *Decoder, _ Command) error { _, err := ParseCreate(d); return err },
	"DELETE":       func(d *Decoder, _ Command) error { _, err := ParseMailbox(d); return err },
	"ENABLE":       func(d *Decoder, _ Command) error { _, err := ParseEnable(d); return err },
	"EXPUNGE":      func(d *Decoder, _ Command) error { _, err := ParseSet(d); return err },
	"FETCH":        func(d *Decoder, c Command) error { _, err := ParseFetch(d, c.UID); return err },
	"GETQUOTA":     func(d *Decoder, _ Command) error { _, err := ParseGetQuota(d); return err },
	"ID":           func(d *Decoder, _ Command) error { _, err := ParseID(d); return err },
	"LIST":         func(d *Decoder, _ Command) error { _, err := ParseList(d); return err },
	"LOGIN":        func(d *Decoder, _ Command) error { _, err := ParseLogin(d); return err },
	"LSUB":         func(d *Decoder, _ Command) error { _, err := ParseLSub(d); return err },
	"NOOP":         func(d *Decoder, _ Command) error { return d.End() },
	"RENAME":       func(d *Decoder, _ Command) error { _, _, err := ParseRename(d); return err },
	"SEARCH":       func(d *Decoder, _ Command) error { _, err := ParseSearch(d); return err },
	"SELECT":       func(d *Decoder, _ Command) error { _, err := ParseSelect(d); return err },
	"SETQUOTA":     func(d *Decoder, _ Command) error { _, _, err := ParseSetQuota(d); return err },
	"SORT":         func(d *Decoder, _ Command) error { _, err := ParseSort(d); return err },
	"STATUS":       func(d *Decoder, _ Command) error { _, err := ParseStatus(d); return err },
	"STORE":        func(d *Decoder, _ Command) error { _, err := ParseStore(d); return err },
	"THREAD":       func(d *Decoder, _ Command) error { _, err := ParseThread(d); return err },
}

// readAppend takes every message of an APPEND.
func readAppend(d *Decoder, dst io.Writer) error {
	if _, err := ParseAppend(d); err != nil {
		return err
	}
	for {
		a, ok, err := d.NextAppended()
		if !ok {
			return err
		}
		if err := a.Literal.Accept(); err != nil {
			return err
		}
		if _, err := io.Copy(dst, a.Literal); err != nil {
			return err
		}
	}
}

// run reads one command as a session does: an error of any kind comes back.
func (w *wire) run() (Command, error) {
	c, err := w.Next()
	if err != nil {
		return c, err
	}
	if p, ok := parsers[c.Name]; ok {
		return c, p(w.Decoder, c)
	}
	return c, w.Fail("unknown command")
}

// transcript runs all of in and says what became of each command: its tag and name, or
// BAD, or BYE.
func transcript(in string, lim Limits) string {
	w := newWire(in, lim)
	var said []string
	for {
		c, err := w.run()
		var bad *SyntaxError
		var bye *Bye
		switch {
		case err == nil:
			said = append(said, c.Tag+" "+c.Name)
		case errors.As(err, &bad):
			said = append(said, strings.TrimSpace(bad.Tag+" BAD "+string(bad.Code)))
		case errors.As(err, &bye):
			return strings.Join(append(said, "BYE"), ", ")
		case err == io.EOF:
			return strings.Join(said, ", ")
		default:
			return strings.Join(append(said, err.Error()), ", ")
		}
	}
}

type transcriptTest struct{ name, in, want string }

func runTranscripts(t *testing.T, lim Limits, tests []transcriptTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := transcript(tt.in, lim); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

const next = "z NOOP\r\n" // the command behind, which must be found

func TestCommandsAreFound(t *testing.T) {
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"names have no case", "a1 nOOp\r\n", "a1 NOOP"},
		{"UID is a prefix", "a uid fetch 1 FLAGS\r\n", "a FETCH"},
		{"UID alone is no command", "a UID\r\n" + next, "a BAD, z NOOP"},
		{"an argument too many", "a NOOP x\r\n" + next, "a BAD, z NOOP"},
		{"a space behind", "a NOOP \r\n" + next, "a BAD, z NOOP"},
		// RFC 9051 section 9 note 2: SP refers to exactly one space.
		{"two spaces", "a  NOOP\r\n" + next, "a BAD, z NOOP"},
		{"a tab for a space", "a\tNOOP\r\n" + next, "BAD, z NOOP"},
		{"an empty line", "\r\n" + next, "BAD, z NOOP"},
		{"a tag alone", "a\r\n" + next, "a BAD, z NOOP"},
		{"the end within a line", "a NO", "unexpected EOF"},
		{"the end within a literal", "a LOGIN {5}\r\nab", "unexpected EOF"},
		{"the end behind a literal", "a LOGIN {2}\r\nab", "unexpected EOF"},
		{"the end within what is skipped", "a XX {5+}\r\nab", "a BAD, unexpected EOF"},
	})
}

func TestI01LiteralsThatAreRefusedNeverRun(t *testing.T) {
	const evil = "x DELETE a\r\n" // 12 bytes
	runTranscripts(t, BeforeLogin, []transcriptTest{
		// RFC 7888 section 4: read the number of bytes specified, or say BYE.
		{"of an unknown command", "a XX {12+}\r\n" + evil + "\r\n" + next, "a BAD, z NOOP"},
		{"behind an error", "a LOGIN ( {12+}\r\n" + evil + " {12+}\r\n" + evil + "\r\n" + next, "a BAD, z NOOP"},
		{"literal8", "a LOGIN ~{12+}\r\n" + evil + "\r\n" + next, "a BAD, z NOOP"},
		{"without a tag", "{12+}\r\n" + evil + "\r\n" + next, "BAD, z NOOP"},
		{"in a quoted string without end", "a LOGIN \"x {12+}\r\n" + evil + "\r\n" + next, "a BAD, z NOOP"},
		{"behind a line too long", "a LOGIN " + strings.Repeat("x", 9000) + " {12+}\r\n" + evil + "\r\n" + next,
			"a BAD LIMIT, z NOOP"},
		{"behind a line far too long", "a LOGIN " + strings.Repeat("x", 60000) + " {12+}\r\n" + evil + "\r\n" + next,
			"a BAD LIMIT, z NOOP"},
		{"behind a line too long, its size with many zeros", "a LOGIN " + strings.Repeat("x", 9000) +
			" {" + strings.Repeat("0", 40) + "12+}\r\n" + evil + "\r\n" + next, "BYE"},
		{"its size with many zeros", "a XX {" + strings.Repeat("0", 40) + "12+}\r\n" + evil + "\r\n" + next, "a BAD, z NOOP"},
		// RFC 7888 section 5: above 4096 it is not allowed with LITERAL-.
		{"above 4096", "a LOGIN {5000+}\r\n" + strings.Repeat("x", 4990) + "\r\nx NOOP\r\n" + "\r\n" + next,
			"a BAD TOOBIG, z NOOP"},
		{"more than is skipped", "a LOGIN {70000+}\r\n" + next, "BYE"},
		{"many, more than is skipped", "a XX" + strings.Repeat(" {4096+}\r\n"+strings.Repeat("x", 4096), 20) + "\r\n" + next,
			"a BAD, BYE"},
		{"empty ones without end", "a XX" + strings.Repeat(" {0+}\r\n", 20000), "a BAD, BYE"},
		{"2^64", "a LOGIN {18446744073709551616+}\r\n" + next, "BYE"},
		{"2^64, waiting", "a LOGIN {18446744073709551616}\r\n" + next, "a BAD TOOBIG, z NOOP"},
		{"2^32-1, waiting", "a LOGIN {4294967295}\r\n" + next, "a BAD TOOBIG, z NOOP"},
		{"negative", "a LOGIN {-1}\r\n" + next, "a BAD, z NOOP"},
		{"negative, not waiting", "a LOGIN {-1+}\r\n" + next, "a BAD, z NOOP"},
		{"no digits", "a LOGIN {+}\r\n" + next, "a BAD, z NOOP"},
		{"empty", "a LOGIN {0}\r\n {0}\r\n\r\n" + next, "a LOGIN, z NOOP"},
		{"two in bounds", "a LOGIN {2048+}\r\n" + strings.Repeat("x", 2048) + " {2048}\r\n" + strings.Repeat("x", 2048) + "\r\n" + next,
			"a LOGIN, z NOOP"},
		{"two, too big together", "a LOGIN {2048+}\r\n" + strings.Repeat("x", 2048) + " {2049}\r\n" + next,
			"a BAD TOOBIG, z NOOP"},
		{"10^5 of one byte", "a ENABLE" + strings.Repeat(" {1+}\r\nx", 100000), "a BAD, BYE"},
		{"text behind one", "a LOGIN {1}\r\nxy z\r\n" + next, "a BAD, z NOOP"},
	})
}

func TestI01SynchronizingLiteralIsAskedForOnlyIfItIsTaken(t *testing.T) {
	for in, asked := range map[string]int{
		"a LOGIN {1}\r\nx {1}\r\ny\r\n":   2,
		"a LOGIN {1+}\r\nx {1+}\r\ny\r\n": 0,
		"a LOGIN {5000}\r\n":              0,
		"a LOGIN ~{1}\r\n":                0,
		"a XX {1}\r\n":                    0,
	} {
		w := newWire(in, BeforeLogin)
		w.run()
		if w.asked != asked {
			t.Errorf("%q: asked %d times, want %d", in, w.asked, asked)
		}
	}
}

func TestI01LiteralIsRefusedBeforeItIsAllocated(t *testing.T) {
	for _, in := range []string{"a LOGIN {268435456}\r\n", "a APPEND x {268435456}\r\n", "a XX {268435456+}\r\n"} {
		w := newWire(in, BeforeLogin)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if c, err := w.Next(); err == nil && c.Name == "APPEND" {
			ParseAppend(w.Decoder)
			w.NextAppended()
		} else if _, err := ParseLogin(w.Decoder); err == nil {
			t.Errorf("%q is taken", in)
		}
		w.Skip()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%q: %d bytes allocated", in, n)
		}
	}
}

// RFC 7888 section 5: non-synchronizing literals MUST NOT be larger than 4096 bytes
// in any command, whatever the server takes when it is asked before.
func TestI01LiteralMinus(t *testing.T) {
	lim := BeforeLogin
	lim.Literal = 1 << 20
	x := strings.Repeat("x", 5000)
	runTranscripts(t, lim, []transcriptTest{
		{"4096", "a LOGIN x {4096+}\r\n" + x[:4096] + "\r\n" + next, "a LOGIN, z NOOP"},
		{"4097", "a LOGIN x {4097+}\r\n" + x[:4097] + "\r\n" + next, "a BAD TOOBIG, z NOOP"},
		{"5000, waiting", "a LOGIN x {5000}\r\n" + x + "\r\n" + next, "a LOGIN, z NOOP"},
		{"5000 in APPEND", "a APPEND x {5000+}\r\n" + x + "\r\n" + next, "a BAD TOOBIG, z NOOP"},
	})
}

func TestI02ParenthesesNestedDeeply(t *testing.T) {
	deep := strings.Repeat("(", 30000)
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"in SEARCH", "a SEARCH " + deep + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"in SEARCH, one too many", "a SEARCH " + strings.Repeat("(", 33) + "ALL" + strings.Repeat(")", 33) + "\r\n" + next,
			"a BAD LIMIT, z NOOP"},
		{"in SEARCH, just in bounds", "a SEARCH " + strings.Repeat("(", 32) + "ALL" + strings.Repeat(")", 32) + "\r\n" + next,
			"a SEARCH, z NOOP"},
		{"NOT within NOT", "a SEARCH " + strings.Repeat("NOT ", 33) + "ALL\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"one after the other is not deep", "a SEARCH " + strings.Repeat("(ALL) ", 100) + "NOT ALL\r\n" + next, "a SEARCH, z NOOP"},
		{"in FETCH", "a FETCH 1 " + deep + "\r\n" + next, "a BAD, z NOOP"},
		{"in LIST", "a LIST " + deep + "\r\n" + next, "a BAD, z NOOP"},
		{"10^6 of them", "a SEARCH " + strings.Repeat("(", 1000000) + "\r\n" + next, "BYE"},
	})
}

func TestI03LongLinesAndManyArguments(t *testing.T) {
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"a line at the bound", "a LOGIN x " + strings.Repeat("y", 65536-10) + "\r\n" + next, "a LOGIN, z NOOP"},
		{"a line above it", "a LOGIN x " + strings.Repeat("y", 65536-9) + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"a line without end", "a LOGIN x " + strings.Repeat("y", 1<<20), "BYE"},
		{"too many arguments", "a ENABLE" + strings.Repeat(" x", 10001) + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"as many as allowed", "a ENABLE" + strings.Repeat(" x", 10000) + "\r\n" + next, "a ENABLE, z NOOP"},
		{"a long tag", strings.Repeat("a", 70000) + " NOOP\r\n" + next, "BAD LIMIT, z NOOP"},
		{"a long name", "a " + strings.Repeat("X", 33) + "\r\n" + next, "a BAD, z NOOP"},
		{"a tag with +", "a+ NOOP\r\n" + next, "BAD, z NOOP"},
	})
}

// RFC 9051 section 2.2: lines end with a CRLF. If a bare LF ended one, then a quoted
// string that somebody else filled could bring a command of its own.
func TestI03BareLFEndsNoCommand(t *testing.T) {
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"alone", "a NOOP\n" + next + next, "a BAD, z NOOP"},
		{"smuggled in", "a LOGIN x \"p\nb DELETE INBOX\r\n" + next, "a BAD, z NOOP"},
		{"smuggled twice", "a LOGIN x \"p\n\nb DELETE y\nc DELETE INBOX\r\n" + next, "a BAD, z NOOP"},
		{"with a literal", "a LOGIN x \"p\nb {12+}\r\nx DELETE a\r\n\r\n" + next, "a BAD, z NOOP"},
		{"behind a literal", "a LOGIN {1}\r\nx y\nb DELETE INBOX\r\n" + next, "a BAD, z NOOP"},
		{"of a line too long", "a LOGIN " + strings.Repeat("x", 70000) + "\nb DELETE INBOX\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"a bare CR", "a LOGIN x \"p\rb\"\r\n" + next, "a BAD, z NOOP"},
	})
	runTranscripts(t, BeforeLogin, []transcriptTest{
		{"without end", strings.Repeat("a NOOP\n", 10_000), "a BAD, BYE"},
	})
}

// RFC 9051 section 9 note 3: NUL MUST NOT be used anywhere, with the exception of the
// OCTET production.
func TestI04NUL(t *testing.T) {
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"in a quoted string", "a LOGIN x \"p\x00q\"\r\n" + next, "a BAD, z NOOP"},
		{"in an atom", "a LOGIN x p\x00q\r\n" + next, "a BAD, z NOOP"},
		{"in a literal", "a LOGIN x {3}\r\np\x00q\r\n" + next, "a BAD, z NOOP"},
		{"in a literal, more behind", "a LOGIN {3+}\r\np\x00q {3+}\r\nabc\r\n" + next, "a BAD, z NOOP"},
		{"in the tag", "a\x00 NOOP\r\n" + next, "BAD, z NOOP"},
		{"in an APPEND", "a APPEND x {3}\r\np\x00q\r\n" + next, "a BAD, z NOOP"},
		{"in an APPEND of two", "a APPEND x {3+}\r\np\x00q {5+}\r\nhello\r\n" + next, "a BAD, z NOOP"},
		{"in a literal8 of APPEND", "a APPEND x ~{3}\r\np\x00q\r\n" + next, "a APPEND, z NOOP"},
		{"a literal8 elsewhere, without NUL", "a ID (~{3+}\r\npqr NIL)\r\n" + next, "a BAD, z NOOP"},
		{"a literal8 elsewhere", "a LOGIN x ~{3+}\r\np\x00q\r\n" + next, "a BAD, z NOOP"},
	})
}

func TestI39ManyWords(t *testing.T) {
	runTranscripts(t, BeforeLogin, []transcriptTest{
		// RFC 2971 section 3.3: MUST NOT send more than 30 field-value pairs.
		{"31 pairs of ID", "a ID (" + strings.TrimSpace(strings.Repeat(`"n" "v" `, 31)) + ")\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"30 pairs of ID", "a ID (" + strings.TrimSpace(strings.Repeat(`"n" NIL `, 30)) + ")\r\n" + next, "a ID, z NOOP"},
		{"a long name in ID", `a ID ("` + strings.Repeat("n", 31) + `" "v")` + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"a long value in ID", `a ID ("n" "` + strings.Repeat("v", 1025) + `")` + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"ENABLE with 65 words", "a ENABLE" + strings.Repeat(" x", 65) + "\r\n" + next, "a BAD LIMIT, z NOOP"},
	})
}

func TestI40WhatLooksLikeAResponse(t *testing.T) {
	runTranscripts(t, BeforeLogin, []transcriptTest{
		{"untagged", "* BYE\r\n" + next, "BAD, z NOOP"},
		{"continuation", "+ go on\r\n" + next, "BAD, z NOOP"},
		{"continuation without text", "+\r\n" + next, "BAD, z NOOP"},
		{"tagged", "a OK done\r\n" + next, "a BAD, z NOOP"},
	})
}

func TestNothingIsReadAheadOfALine(t *testing.T) {
	// Before login the source is taken line by line and literal by literal.
	src := &exact{strings.NewReader("a LOGIN {4+}\r\nuser {2}\r\npw\r\nREST")}
	r := line.NewReader(src, BeforeLogin.Line+2)
	r.ExactLines(lineOnly{src})
	d := NewDecoder(r, BeforeLogin, func(string) error { return nil })
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	l, err := ParseLogin(d)
	if err != nil || l != (Login{"user", "pw"}) {
		t.Fatal(l, err)
	}
	if rest, _ := io.ReadAll(src); string(rest) != "REST" || r.Buffered() != 0 {
		t.Errorf("left for the next program: %q, in the buffer: %d", rest, r.Buffered())
	}
}

type exact struct{ *strings.Reader }

// lineOnly never reads past an LF.
type lineOnly struct{ *exact }

func (l lineOnly) Read(p []byte) (int, error) {
	for i := range p {
		c, err := l.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
		if c == '\n' {
			return i + 1, nil
		}
	}
	return len(p), nil
}

func TestAppendStreams(t *testing.T) {
	var got strings.Builder
	w := newWire("a APPEND x (\\seen $Work) \"01-Jan-2026 12:00:00 +0100\" {5}\r\nhello {3+}\r\nyou UTF8 (~{1}\r\n!)\r\n"+next, AfterLogin)
	c, err := w.Next()
	if err != nil || c.Name != "APPEND" {
		t.Fatal(c, err)
	}
	if err := readAppend(w.Decoder, &got); err != nil || got.String() != "helloyou!" || w.asked != 2 {
		t.Fatalf("%v, %q, asked %d times", err, got.String(), w.asked)
	}
	if c, err := w.Next(); err != nil || c.Tag != "z" {
		t.Error(c, err)
	}
}

func TestAppendRefusedLiteral(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		lim  int64
		want string // tag of the next command, or BYE
	}{
		"that waits is not sent":            {"a APPEND x {500}\r\n" + next, 100, "z"},
		"that does not wait is skipped":     {"a APPEND x {20+}\r\n01234567\r\na NOOP\r\n67 {1+}\r\nx\r\n" + next, 100, "z"},
		"more than is skipped ends it":      {"a APPEND x {200+}\r\n" + next, 100, "BYE"},
		"half read and the rest is skipped": {"b APPEND x {20+}\r\n0123456789\r\na NOOP\r\n\r\n" + next, 100, "z"},
	} {
		lim := AfterLogin
		lim.Skip = tt.lim
		w := newWire(tt.in, lim)
		c, _ := w.Next()
		ParseAppend(w.Decoder)
		a, ok, err := w.NextAppended()
		if !ok {
			t.Fatal(name, err)
		}
		if c.Tag == "b" {
			a.Literal.Accept()
			a.Literal.Read(make([]byte, 10))
		}
		c, err = w.Next()
		got := c.Tag
		if bye := (*Bye)(nil); errors.As(err, &bye) {
			got = "BYE"
		}
		if got != tt.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestAppendGoesOnOnlyBehindItsLiteral(t *testing.T) {
	w := newWire("a APPEND x {5+}\r\nhello\r\n"+next, AfterLogin)
	w.Next()
	ParseAppend(w.Decoder)
	w.NextAppended()
	if _, ok, err := w.NextAppended(); ok || err == nil {
		t.Error("a second message within the first")
	}
}

func TestI24AppendArguments(t *testing.T) {
	const lit = " {1+}\r\nx\r\n"
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"no flags, no date", "a APPEND x" + lit + next, "a APPEND, z NOOP"},
		{"an empty list of flags", "a APPEND x ()" + lit + next, "a APPEND, z NOOP"},
		{"an unknown system flag", `a APPEND x (\Foo)` + lit + next, "a BAD, z NOOP"},
		{"\\Recent", `a APPEND x (\Recent)` + lit + next, "a BAD, z NOOP"},
		{"a parenthesis as a flag", "a APPEND x (()" + lit + next, "a BAD, z NOOP"},
		{"10^4 keywords and one", "a APPEND x (" + strings.Repeat("k ", 10000) + "k)" + lit + next, "a BAD LIMIT, z NOOP"},
		{"year 0", `a APPEND x "01-Jan-0000 00:00:00 +0000"` + lit + next, "a BAD, z NOOP"},
		{"year 99999", `a APPEND x "01-Jan-99999 00:00:00 +0000"` + lit + next, "a BAD, z NOOP"},
		{"no such day", `a APPEND x "30-Feb-2026 00:00:00 +0000"` + lit + next, "a BAD, z NOOP"},
		{"no literal", "a APPEND x\r\n" + next, "a BAD, z NOOP"},
		{"a quoted string for a literal", "a APPEND x \"hello\"\r\n" + next, "a BAD, z NOOP"},
		{"UTF8 without literal8", "a APPEND x UTF8 ({1+}\r\nx)\r\n" + next, "a BAD, z NOOP"},
		{"UTF8 without its end", "a APPEND x UTF8 (~{1+}\r\nx\r\n" + next, "a BAD, z NOOP"},
		{"text behind", "a APPEND x {1+}\r\nxyz\r\n" + next, "a BAD, z NOOP"},
	})
}

func TestAuthenticateExchange(t *testing.T) {
	w := newWire("a AUTHENTICATE PLAIN AGEAYg==\r\nb authenticate plain =\r\nAGEAYg==\r\n*\r\nc NOOP\r\n!\r\n"+next, BeforeLogin)
	w.Next()
	if a, err := ParseAuthenticate(w.Decoder); err != nil || a.Mechanism != "PLAIN" || string(a.Initial) != "\x00a\x00b" {
		t.Fatal(a, err)
	}
	w.Next()
	if a, err := ParseAuthenticate(w.Decoder); err != nil || !a.HasInitial || len(a.Initial) != 0 {
		t.Fatal(a, err)
	}
	if p, err := w.SASLResponse("b"); err != nil || string(p) != "\x00a\x00b" {
		t.Fatal(p, err)
	}
	if _, err := w.SASLResponse("b"); err != ErrCancelled {
		t.Fatal(err)
	}
	var bad *SyntaxError
	if _, err := w.SASLResponse("b"); !errors.As(err, &bad) || bad.Tag != "b" {
		t.Fatal("c NOOP is no base64", err)
	}
	if err := w.Done("b"); !errors.As(err, &bad) {
		t.Fatal("! is not DONE", err)
	}
	if c, err := w.Next(); err != nil || c.Tag != "z" {
		t.Fatal(c, err)
	}
}

func TestIdleEndsWithDone(t *testing.T) {
	w := newWire("a IDLE\r\ndone\r\nb IDLE\r\nDONE\nx NOOP\r\n"+next, AfterLogin)
	w.Next()
	w.End()
	if err := w.Done("a"); err != nil {
		t.Fatal(err)
	}
	w.Next()
	w.End()
	var bad *SyntaxError
	if err := w.Done("b"); !errors.As(err, &bad) || bad.Tag != "b" || w.Err() != err || err.Error() == "" {
		t.Fatal("a bare LF ends no line", err)
	}
	if c, err := w.Next(); err != nil || c.Tag != "z" {
		t.Error(c, err)
	}
}

func TestReaderIsReplacedBehindACommand(t *testing.T) {
	w := newWire("a COMPRESS DEFLATE\r\n", AfterLogin)
	w.Next()
	if _, err := ParseCompress(w.Decoder); err != nil {
		t.Fatal(err)
	}
	w.SetReader(line.NewReader(strings.NewReader(next), AfterLogin.Line+2))
	if c, err := w.Next(); err != nil || c.Tag != "z" {
		t.Error(c, err)
	}
}
