package server

import (
	"bytes"
	"strings"
	"testing"
)

// haystackFinds looks for texts in pieces of a text.
func haystackFinds(texts []string, pieces ...[]byte) []bool {
	var h haystack
	needles := make([]needle, len(texts))
	h.begin()
	for i, s := range texts {
		needles[i] = newNeedle(&h.fold, []byte(s))
		h.add(&needles[i])
	}
	for _, p := range pieces {
		h.feed(p)
	}
	h.end()
	found := make([]bool, len(texts))
	for i := range needles {
		found[i] = needles[i].found
	}
	return found
}

func TestNeedle(t *testing.T) {
	long := strings.Repeat("abcab", 20)
	for _, c := range []struct {
		name, needle string
		pieces       []string
		want         bool
	}{
		{"a text in the middle", "low", []string{"hallow een"}, true},
		{"in letters of the other case", "MÜLLER", []string{"von müller an"}, true},
		{"without its accent", "muller", []string{"von müller an"}, false},
		{"the beginning of an accented letter", "caf\u0065", []string{"un caf\u00e9"}, true},
		{"cut in two", "hello", []string{"say hel", "lo"}, true},
		{"cut into bytes", "hello", []string{"h", "e", "l", "l", "o"}, true},
		{"cut within a character", "\u20ac5", []string{"\xe2", "\x82", "\xac5"}, true},
		{"an incomplete character at the end", "a\xe2\x82", []string{"a\xe2\x82"}, true},
		{"across a line end of either kind", "one\r\ntwo", []string{"One\nTwo"}, true},
		{"across a line end cut in two", "one\ntwo", []string{"one\r", "\ntwo"}, true},
		{"a long one", long, []string{"x" + long[:50], long[50:] + "y"}, true},
		{"a long one that begins within its beginning", long, []string{long[:45] + long}, true},
		{"a long one but for its last byte", long, []string{long[:len(long)-1] + "x"}, false},
		{"the empty text", "", []string{"any"}, true},
		{"nothing but CR is the empty text", "\r", []string{"any"}, true},
		{"what is not there", "zebra", []string{"ze", "bar"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pieces [][]byte
			for _, p := range c.pieces {
				pieces = append(pieces, []byte(p))
			}
			if got := haystackFinds([]string{c.needle}, pieces...)[0]; got != c.want {
				t.Errorf("%q in %q: %v", c.needle, c.pieces, got)
			}
		})
	}
}

func TestTextsDoNotRunTogether(t *testing.T) {
	var h haystack
	n := newNeedle(&h.fold, []byte("ab"))
	for _, p := range []string{"a", "b"} {
		h.begin()
		h.add(&n)
		h.feed([]byte(p))
		h.end()
	}
	if n.found {
		t.Error("a text was found that ends in the next one")
	}
}

// TestI19HaystackIsLinear has a text that is nearly everywhere. A matcher that tried
// every place would compare 10^12 bytes, and not be done within the test's time.
func TestI19HaystackIsLinear(t *testing.T) {
	text := bytes.Repeat([]byte("a"), 16<<20)
	for _, needle := range []string{strings.Repeat("a", 60_000) + "b", strings.Repeat("a", maxShort-1) + "b", "b" + strings.Repeat("a", 60_000)} {
		if haystackFinds([]string{needle}, text)[0] {
			t.Errorf("%d bytes were found that are not there", len(needle))
		}
	}
	if !haystackFinds([]string{strings.Repeat("a", 60_000) + "b"}, text, []byte("b"))[0] {
		t.Error("a long text was not found")
	}
}

// FuzzHaystack compares with a matcher that holds all and tries every place.
func FuzzHaystack(f *testing.F) {
	f.Add("ell", "O", []byte("Hello"), uint8(2))
	f.Add(strings.Repeat("ab", 30), "\u20ac", []byte(strings.Repeat("ab", 31)+"\xe2\x82\xac\r\n"), uint8(61))
	f.Add("\xe2", "\x82", []byte("\xe2\x82"), uint8(1))
	f.Fuzz(func(t *testing.T, a, b string, text []byte, size uint8) {
		var pieces [][]byte
		for rest := text; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		for i, got := range haystackFinds([]string{a, b}, pieces...) {
			needle := []string{a, b}[i]
			if want := naive(text, []byte(needle)); got != want {
				t.Fatalf("%q in %q by %d: %v, naively %v", needle, text, size+1, got, want)
			}
		}
	})
}

func naive(text, needle []byte) bool {
	var c casemap
	text = c.appendAll(nil, bytes.ReplaceAll(text, []byte("\r"), nil))
	needle = c.appendAll(nil, bytes.ReplaceAll(needle, []byte("\r"), nil))
	for i := 0; i+len(needle) <= len(text); i++ {
		if string(text[i:i+len(needle)]) == string(needle) {
			return true
		}
	}
	return false
}

func BenchmarkHaystack(b *testing.B) {
	body := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog and goes on.\n"), 160)
	var h haystack
	n := newNeedle(&h.fold, []byte("no such text"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		h.begin()
		h.add(&n)
		h.feed(body)
		h.end()
	}
}
