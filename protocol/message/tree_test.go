package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// scanned returns the structure of msg, as read by a Scanner that has read
// something else before.
func scanned(t testing.TB, msg string) *Tree {
	t.Helper()
	var s Scanner
	if _, err := s.Scan(strings.NewReader("Content-Type: multipart/mixed; boundary=x\n\n--x\nSubject: a")); err != nil {
		t.Fatal(err)
	}
	tree, err := s.Scan(strings.NewReader(msg))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// shape writes a part down: its type, and in parentheses its body or its parts.
func shape(tree *Tree, msg string, part int) string {
	p := tree.Parts[part]
	mediaType, subtype := tree.Type(part)
	inside := fmt.Sprintf("%q", cut(msg, p.Body))
	if p.Kind != Leaf {
		var kids []string
		for i := p.FirstChild; i >= 0; i = tree.Parts[i].Next {
			kids = append(kids, shape(tree, msg, int(i)))
		}
		inside = strings.Join(kids, " ")
	}
	return fmt.Sprintf("%s/%s(%s)", mediaType, subtype, inside)
}

func cut(msg string, r Range) string { return msg[r.Offset : r.Offset+r.Size] }

// onWire is msg with CRLF for each LF without CR.
func onWire(msg string) string {
	return strings.ReplaceAll(strings.ReplaceAll(msg, "\r\n", "\n"), "\n", "\r\n")
}

// checkInvariants holds a tree to those of the package comment.
func checkInvariants(t testing.TB, tree *Tree, msg string) {
	t.Helper()
	if root := tree.Parts[0]; root.Header.Offset != 0 || tree.Size().Size != int64(len(msg)) {
		t.Fatalf("invariant 3: the message covers %+v, not %d bytes", tree.Size(), len(msg))
	}
	end := make([]int64, len(tree.Parts)) // behind the last child so far
	for i, p := range tree.Parts {
		if p.Body.Offset != p.Header.Offset+p.Header.Size || p.Header.Size < 0 || p.Body.Size < 0 {
			t.Fatalf("invariant 2: part %d: header %+v, body %+v", i, p.Header, p.Body)
		}
		for _, r := range []Range{p.Header, p.Body} {
			if want := len(onWire(cut(msg, r))); int64(want) != r.Wire {
				t.Fatalf("invariant 4: part %d: %+v is %d octets on the wire", i, r, want)
			}
		}
		if got := strings.Count(cut(msg, p.Body), "\n"); int64(got) != p.Lines {
			t.Fatalf("part %d: %d lines, counted %d", i, got, p.Lines)
		}
		end[i] = p.Body.Offset
		if i == 0 {
			continue
		}
		up := tree.Parts[p.Parent]
		if int(p.Parent) >= i || p.Header.Offset < tree.Parts[i-1].Header.Offset {
			t.Fatalf("invariant 1: part %d within %d", i, p.Parent)
		}
		if p.Header.Offset < end[p.Parent] || p.Body.Offset+p.Body.Size > up.Body.Offset+up.Body.Size {
			t.Fatalf("invariant 2: part %d leaves its parent or overlaps", i)
		}
		end[p.Parent] = p.Body.Offset + p.Body.Size
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	const mixed = "Content-Type: multipart/mixed; boundary=b\n"
	for _, tt := range []struct{ name, msg, want string }{
		{"an empty message is empty text", "", `text/plain("")`},
		{"a body alone is a header by rule 1", "hello", `text/plain("")`},
		{"a body follows the first empty line", "\nhello\n", `text/plain("hello\n")`},
		{"an mbox line changes nothing", "From a@b Mon\nContent-Type: text/html\n\nx", `text/html("x")`},
		{"8-bit fields change nothing", "Subject: \xe4\n\xe4: y\nContent-Type: text/html\n\nx", `text/html("x")`},
		{"RFC 2046 section 5.1.1: two parts, preamble and epilogue",
			mixed + "\npre\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nepi\n",
			`multipart/mixed(text/plain("one") text/html("two\n"))`},
		{"the same with CRLF",
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n\r\n--b--\r\n",
			`multipart/mixed(text/plain("one\r\n"))`},
		{"line ends may be mixed", mixed + "\r\n--b\n\r\none\r\n--b\r\n\ntwo\n--b--", `multipart/mixed(text/plain("one") text/plain("two"))`},
		{"the last delimiter may be missing", mixed + "\n--b\n\none\n", `multipart/mixed(text/plain("one\n"))`},
		{"X03 it may end the message without a line end", mixed + "\n--b\n\none\n--b--", `multipart/mixed(text/plain("one"))`},
		{"X03 so may any other", mixed + "\n--b\n\none\n--b", `multipart/mixed(text/plain("one") text/plain(""))`},
		{"X03 blanks behind a delimiter do not count", mixed + "\n--b \t\n\none\n--b-- \n", `multipart/mixed(text/plain("one"))`},
		{"X03 blanks at the end of a boundary do not count",
			"Content-Type: multipart/mixed; boundary=\"b  \"\n\n--b\n\none\n--b  --\n\n--b--\n", `multipart/mixed(text/plain("one\n--b  --\n"))`},
		{"X03 quoted pairs in a boundary are undone",
			"Content-Type: multipart/mixed; boundary=\"\\b\\\"c\"\n\n--b\"c\n\none\n--b\"c--\n", `multipart/mixed(text/plain("one"))`},
		{"X03 a CR alone ends no line", mixed + "\n--b\n\none\r--b\r--b--\r\ntwo", `multipart/mixed(text/plain("one\r--b\r--b--\r\ntwo"))`},
		{"X03 a CR that ends the message ends no line", mixed + "\n--b\n\none\n--b--\r", `multipart/mixed(text/plain("one\n--b--\r"))`},
		{"X03 a delimiter with a CR too many is none", mixed + "\n--b\n\none\n--b\r\r\ntwo", `multipart/mixed(text/plain("one\n--b\r\r\ntwo"))`},
		{"an unquoted boundary may hold what a token may not", "Content-Type: multipart/mixed; boundary=----=_x/y\n\n------=_x/y\n\none",
			`multipart/mixed(text/plain("one"))`},
		{"X02 of two types the first counts", "Content-Type: text/html\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
			`text/html("--b\n\none\n--b--\n")`},
		{"X02 of two boundaries the first counts", "Content-Type: multipart/mixed; boundary=\"a\"; boundary=b\n\n--b\n\none\n--a\n\ntwo",
			`multipart/mixed(text/plain("two"))`},
		{"X02 comments in a type are none of it", "Content-Type: (a) multipart (b(c)) / (\\)) mixed (;boundary=x) ; (d) boundary (e) = (f) b\n\n--b\n\none",
			`multipart/mixed(text/plain("one"))`},
		{"RFC 2045 section 5.2: a type that cannot be read is text", "Content-Type: text\n\nx", `text/plain("x")`},
		{"a multipart without a boundary is text", "Content-Type: multipart/mixed\n\n--b\n\none", `text/plain("--b\n\none")`},
		{"so is one whose boundary is empty", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\none", `text/plain("--\n\none")`},
		{"so is one whose boundary never comes", mixed + "\n--c\n\none", `text/plain("--c\n\none")`},
		{"so is one that ends before it begins", mixed + "\n--b--\n--b\n\none", `text/plain("--b--\n--b\n\none")`},
		{"I15 so is one whose boundary is 2 KB long",
			"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 2048) + "\n\n--" + strings.Repeat("b", 2048) + "\n\none",
			`text/plain("--` + strings.Repeat("b", 2048) + `\n\none")`},
		{"I15 so is one whose boundary is a byte too long",
			"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 257) + "\n\n--" + strings.Repeat("b", 257) + "\n\none",
			`text/plain("--` + strings.Repeat("b", 257) + `\n\none")`},
		{"I15 the longest boundary is one",
			"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 256) + "\n\n--" + strings.Repeat("b", 256) + "\n\none", `multipart/mixed(text/plain("one"))`},
		{"I15 boundaries may begin with one another",
			mixed + "\n--b\nContent-Type: multipart/alternative; boundary=b-1\n\n--b-1\n\none\n--b-1--\n--b\n\ntwo\n--b-1\n--b--\n",
			`multipart/mixed(multipart/alternative(text/plain("one")) text/plain("two\n--b-1"))`},
		{"RFC 2046 section 5.1.2: a delimiter of an outer multipart ends the inner ones",
			mixed + "\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--c\n--b--\n",
			`multipart/mixed(multipart/mixed(text/plain("one")) text/plain("two\n--c"))`},
		{"of two with the same boundary the inner has it",
			mixed + "\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
			`multipart/mixed(multipart/mixed(text/plain("one")) text/plain("two"))`},
		{"a delimiter ends a header", mixed + "\n--b\nContent-Type: text/html\n--b\n--b--\n", `multipart/mixed(text/html("") text/plain(""))`},
		{"a part may have no header", mixed + "\n--b\n\n--b--\n", `multipart/mixed(text/plain(""))`},
		{"without an empty line all is header", mixed + "\n--b\nhello\n--b--\n", `multipart/mixed(text/plain(""))`},
		{"a message within", "Content-Type: message/rfc822\n\nSubject: in\n\nhello", `message/rfc822(text/plain("hello"))`},
		{"RFC 6532: and one with UTF-8", "Content-Type: message/global\n\nSubject: in\n\nhello", `message/global(text/plain("hello"))`},
		{"a delimiter ends the message within",
			mixed + "\n--b\nContent-Type: message/rfc822\n\n" + "Content-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b--\n",
			`multipart/mixed(message/rfc822(multipart/mixed(text/plain("one"))))`},
		{"a message within may be empty", mixed + "\n--b\nContent-Type: message/rfc822\n--b\nContent-Type: message/rfc822\n\n--b--\n",
			`multipart/mixed(message/rfc822(text/plain("")) message/rfc822(text/plain("")))`},
		{"RFC 2046 section 5.1.5: a digest holds messages", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\nhi\n--b\nContent-Type: text/html\n\ntwo\n--b--",
			`multipart/digest(message/rfc822(text/plain("hi")) text/html("two"))`},
		{"its broken parts are text", "Content-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: x\n\nhi", `multipart/digest(text/plain("hi"))`},
		{"other messages are leaves", "Content-Type: message/delivery-status\n\nA: b\n", `message/delivery-status("A: b\n")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := scanned(t, tt.msg)
			if got := shape(tree, tt.msg, 0); got != tt.want {
				t.Errorf("%q:\n got %.300s\nwant %.300s", tt.msg, got, tt.want)
			}
			checkInvariants(t, tree, tt.msg)
		})
	}
}

func TestScanReportsTheReadersError(t *testing.T) {
	t.Parallel()
	var s Scanner
	if _, err := s.Scan(io.MultiReader(strings.NewReader("A: b\n"), iotest.ErrReader(io.ErrClosedPipe))); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
	if _, err := s.Scan(strings.NewReader("A: b\n")); err != nil {
		t.Errorf("and afterwards: %v", err)
	}
}

func TestScanHeaderStopsAtItsEnd(t *testing.T) {
	t.Parallel()
	var s Scanner
	r := strings.NewReader("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + strings.Repeat("y", 1<<20))
	tree, err := s.ScanHeader(r)
	if err != nil || len(tree.Parts) != 1 || tree.Parts[0].Header.Size != 54 {
		t.Fatalf("%+v, %v", tree.Parts, err)
	}
	if v, ok := tree.Value(0, Subject); !ok || string(v) != "x" {
		t.Errorf("subject %q, %v", v, ok)
	}
	if read := r.Size() - int64(r.Len()); read > headerPiece {
		t.Errorf("%d bytes read", read)
	}
}

// Windows end anywhere: within a CRLF, a delimiter, a header, a line longer than
// a window.
func TestWindowsDoNotShow(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n"} {
		for _, length := range []int{windowSize - 120, 2*windowSize - 150} {
			for shift := range 140 {
				msg := strings.ReplaceAll("Content-Type: multipart/mixed; boundary=bound\n\n--bound\nX: "+strings.Repeat("x", length+shift)+
					"\n\none\n--bound\n\n"+strings.Repeat("y", length+shift)+"\n--bound\n\nz\n\n--bound--\n", "\n", end)
				tree := scanned(t, msg)
				if len(tree.Parts) != 4 {
					t.Fatalf("%d bytes and %d, %q: %d parts", length, shift, end, len(tree.Parts))
				}
				checkInvariants(t, tree, msg)
			}
		}
	}
}

func TestDelimiterIsBounded(t *testing.T) {
	t.Parallel()
	for blanks, parts := range map[int]int{maxDelimiter - 3: 2, maxDelimiter - 2: 1, windowSize: 1} {
		tree := scanned(t, "Content-Type: multipart/mixed; boundary=b\n\n--b"+strings.Repeat(" ", blanks)+"\n\none")
		if len(tree.Parts) != parts {
			t.Errorf("with %d blanks: %d parts", blanks, len(tree.Parts))
		}
	}
}

func TestI15DeepNesting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, level, want string }{
		{"multiparts", "Content-Type: multipart/mixed; boundary=b%d\n\n--b%[1]d\n", "application/octet-stream"},
		{"messages", "Content-Type: message/rfc822\n\n", "application/octet-stream"},
	} {
		var b strings.Builder
		for i := range 100_000 {
			if strings.Contains(tt.level, "%") {
				fmt.Fprintf(&b, tt.level, i)
			} else {
				b.WriteString(tt.level)
			}
		}
		msg := b.String()
		tree := scanned(t, msg)
		if len(tree.Parts) != MaxDepth {
			t.Errorf("%s: %d parts", tt.name, len(tree.Parts))
		}
		mediaType, subtype := tree.Type(len(tree.Parts) - 1)
		if got := string(mediaType) + "/" + string(subtype); got != tt.want || tree.Parts[len(tree.Parts)-1].Kind != Leaf {
			t.Errorf("%s: the deepest is %s", tt.name, got)
		}
		checkInvariants(t, tree, msg)
	}
}

func TestI15ManyParts(t *testing.T) {
	t.Parallel()
	const text = "--b\n\nx\n"
	for _, tt := range []struct{ name, first, part string }{
		{"texts", "", text},
		{"messages", "", "--b\nContent-Type: message/rfc822\n\n\nx\n"},
		{"multiparts", "", "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n"},
		{"messages of which the last has the number before the last", text, "--b\nContent-Type: message/rfc822\n\n\nx\n"},
		{"such messages, ended by the next delimiter at once", text, "--b\nContent-Type: message/rfc822\n"},
	} {
		msg := "Content-Type: multipart/mixed; boundary=b\n\n" + tt.first + strings.Repeat(tt.part, 100_000) + "--b--\n"
		tree := scanned(t, msg)
		if len(tree.Parts) != MaxParts {
			t.Errorf("%s: %d parts", tt.name, len(tree.Parts))
		}
		last := tree.Parts[len(tree.Parts)-1]
		if last.Body.Offset+last.Body.Size != int64(len(msg)) || last.Kind != Leaf {
			t.Errorf("%s: the last part is %+v of %d bytes", tt.name, last, len(msg))
		}
		checkInvariants(t, tree, msg)
	}
}

func TestI16MessageWithinItselfIsATree(t *testing.T) {
	t.Parallel()
	inner := "Content-Type: message/rfc822\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822; boundary=b\n"
	msg := "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + strings.Repeat(inner+"\n--b\n"+inner, 500)
	checkInvariants(t, scanned(t, msg), msg)
}

func TestMaxTextBoundsWhatIsKept(t *testing.T) {
	t.Parallel()
	part := "--b\nContent-Type: text/html; x=\"" + strings.Repeat("x", MaxField) + "\"\n\nx\n"
	msg := "Subject: first\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat(part, 100) + "--b--\n"
	tree := scanned(t, msg)
	if len(tree.Parts) != 101 || len(tree.text) > MaxText {
		t.Errorf("%d parts, %d bytes kept", len(tree.Parts), len(tree.text))
	}
	if mediaType, subtype := tree.Type(100); string(mediaType)+"/"+string(subtype) != "text/plain" {
		t.Errorf("a part beyond the bound is %s/%s", mediaType, subtype)
	}
	if v, _ := tree.Value(0, Subject); string(v) != "first" {
		t.Errorf("subject %q", v)
	}
}

// What a message costs in memory is bounded, and once the buffers have grown to
// their bounds it is nothing.
func TestX01MemoryIsFlat(t *testing.T) {
	for _, tt := range []struct{ name, head, again string }{
		{"delimiters", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n"},
		{"almost delimiters", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 70) + "\n\n", "--" + strings.Repeat("b", 69) + "\n"},
		{"empty lines", "\n", "\n"},
		{"a header without end", "", "To: a, b, c\n"},
		{"one field without end", "To: a", ",b@c (d"},
		{"one line without end", "\n", "x"},
		{"nesting", "", "Content-Type: message/rfc822\n\n"},
	} {
		var s Scanner
		var dst []byte
		run := func(size int) float64 {
			msg := []byte(tt.head + strings.Repeat(tt.again, size/len(tt.again)))
			r := bytes.NewReader(msg)
			return testing.AllocsPerRun(1, func() {
				r.Reset(msg)
				tree, err := s.Scan(r)
				if err != nil {
					t.Fatal(err)
				}
				dst = tree.AppendEnvelope(dst[:0], 0, false)
				dst = tree.AppendStructure(dst, true, false)
			})
		}
		run(1 << 20) // buffers grow to their bounds here
		if a := run(4 << 20); a > 8 {
			t.Errorf("%s: %v allocations for a message of 4 MB", tt.name, a)
		}
		if kept := cap(s.tree.text) + cap(s.window) + cap(dst); kept > 24<<20 {
			t.Errorf("%s: %d bytes kept", tt.name, kept)
		}
	}
}
