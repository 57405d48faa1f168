package pop3

import (
	"bytes"
	"strings"
	"testing"
)

// stuff is what RETR sends of a message that is read in chunks of n bytes.
func stuff(message string, n int) string {
	var s stuffer
	var out []byte
	for p := []byte(message); len(p) > 0; {
		k := min(n, len(p))
		out = s.append(out, p[:k])
		p = p[k:]
	}
	return string(s.end(out))
}

// P08: every message arrives with CRLF and with each leading dot doubled, however
// it is cut into chunks.
func TestP08_StuffingIsExact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ message, want string }{
		"empty message":                 {"", ".\r\n"},
		"LF becomes CRLF":               {"a\nb\n", "a\r\nb\r\n.\r\n"},
		"CRLF stays":                    {"a\r\nb\r\n", "a\r\nb\r\n.\r\n"},
		"both kinds in one message":     {"a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n.\r\n"},
		"no final newline":              {"a\nb", "a\r\nb\r\n.\r\n"},
		"final CR is no line end":       {"a\r", "a\r\r\n.\r\n"},
		"bare CR is a byte":             {"a\rb\r\rc\n", "a\rb\r\rc\r\n.\r\n"},
		"dot at the very beginning":     {".a\n", "..a\r\n.\r\n"},
		"line of one dot":               {"a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n"},
		"line of one dot with CRLF":     {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
		"two dots":                      {"..\n", "...\r\n.\r\n"},
		"dot after bare CR is no start": {"a\r.b\n", "a\r.b\r\n.\r\n"},
		"dot within a line":             {"a.b\n", "a.b\r\n.\r\n"},
		"final dot without newline":     {"a\n.", "a\r\n..\r\n.\r\n"},
		"NUL passes":                    {"a\x00\x00b\n", "a\x00\x00b\r\n.\r\n"},
		"8 bit passes":                  {"\xff\xfeü\n", "\xff\xfeü\r\n.\r\n"},
		"empty lines":                   {"\n\n\n", "\r\n\r\n\r\n.\r\n"},
		"LF after CR CR":                {"a\r\r\n", "a\r\r\n.\r\n"},
	} {
		for n := 1; n <= len(c.message)+1; n++ {
			if got := stuff(c.message, n); got != c.want {
				t.Errorf("%s, in chunks of %d: got %q, want %q", name, n, got, c.want)
			}
		}
	}
}

// unstuff is what a client makes of a multi-line response; ok is false if it has
// no end or something behind it.
func unstuff(s string) (message string, ok bool) {
	var b strings.Builder
	for {
		line, rest, found := strings.Cut(s, "\r\n")
		if !found {
			return "", false
		}
		if line == "." {
			return b.String(), rest == ""
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
		s = rest
	}
}

// FuzzStuffing: a client gets back every message, with CRLF for LF.
func FuzzStuffing(f *testing.F) {
	f.Add([]byte("a\n.\n..b\r\nc"), 3)
	f.Add([]byte(".\r.\n"), 1)
	f.Fuzz(func(t *testing.T, message []byte, n int) {
		n = max(1, min(n, len(message)))
		want := string(bytes.ReplaceAll(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
		if want != "" && !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		got, ok := unstuff(stuff(string(message), n))
		if !ok || got != want {
			t.Fatalf("%q in chunks of %d arrives as %q, %v, want %q", message, n, got, ok, want)
		}
	})
}

// cutTop is what TOP lets pass of a message that is read in chunks of n bytes.
func cutTop(message string, lines, n int) string {
	top := &top{left: lines}
	var out []byte
	for p := []byte(message); len(p) > 0 && !top.done; {
		k := min(n, len(p))
		out = append(out, top.cut(p[:k])...)
		p = p[k:]
	}
	return string(out)
}

func TestTopLetsHeaderAndLinesPass(t *testing.T) {
	t.Parallel()
	const header = "A: 1\nB: 2\n\n"
	for name, c := range map[string]struct {
		message string
		lines   int
		want    string
	}{
		"header and blank line":         {header + "x\ny\n", 0, header},
		"one line":                      {header + "x\ny\n", 1, header + "x\n"},
		"an empty line is a line":       {header + "\n\nx\n", 2, header + "\n\n"},
		"more lines than there are":     {header + "x\ny", 9, header + "x\ny"},
		"no body":                       {header, 5, header},
		"no blank line":                 {"A: 1\n", 5, "A: 1\n"},
		"header without end":            {"A: 1", 0, "A: 1"},
		"blank line with CR":            {"A: 1\r\n\r\nx\r\ny\r\n", 1, "A: 1\r\n\r\nx\r\n"},
		"CR alone on a line is blank":   {"A: 1\n\r\nx\n", 0, "A: 1\n\r\n"},
		"two CR are no blank line":      {"A: 1\n\r\r\nB: 2\n\nx\n", 0, "A: 1\n\r\r\nB: 2\n\n"},
		"message begins with the blank": {"\nx\ny\n", 1, "\nx\n"},
		"last line without newline":     {header + "x", 1, header + "x"},
		"empty message":                 {"", 3, ""},
	} {
		for n := 1; n <= len(c.message)+1; n++ {
			if got := cutTop(c.message, c.lines, n); got != c.want {
				t.Errorf("%s, in chunks of %d: got %q, want %q", name, n, got, c.want)
			}
		}
	}
}
