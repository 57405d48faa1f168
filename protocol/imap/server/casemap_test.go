package server

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func fold(s string) string {
	var c casemap
	return string(c.appendAll(nil, []byte(s)))
}

func TestCasemap(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"letters of either case are the same", "Straße 12", "STRAßE 12"},
		{"ASCII of every length is", "the quick brown fox jumps", "THE QUICK BROWN FOX JUMPS"},
		{"signs beside letters stay", "@`[{az}]~", "@`[{AZ}]~"},
		{"composed and decomposed are the same", "\u00e9", "e\u0301"},
		{"titlecase counts, not upper case", "\u01c6", "\u01c5"},
		{"compatibility forms are what they stand for", "\uff21\u2460", "A1"},
		{"Hangul syllables are their letters", "\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
		{"a syllable without a last consonant has two", "\uac00", "\u1100\u1161"},
		{"Cyrillic has case", "\u043f\u0438\u0441\u044c\u043c\u043e", "\u041f\u0418\u0421\u042c\u041c\u041e"},
		{"beyond the BMP too", "\U00010428", "\U00010400"},
		{"a long decomposition is whole", "\ufdfa", norm.NFKD.String("\ufdfa")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if fold(c.a) != fold(c.b) {
				t.Errorf("%q folds to %q, %q to %q", c.a, fold(c.a), c.b, fold(c.b))
			}
		})
	}
	if got := fold("a\xff\xc3\xe2\x82"); got != "A\xff\xc3\xe2\x82" {
		t.Errorf("bytes that are no UTF-8 became %q", got)
	}
}

// TestCasemapOfEveryCharacter: RFC 5051 section 2, titlecase and then the
// decomposition, fully.
func TestCasemapOfEveryCharacter(t *testing.T) {
	var c casemap
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		want := norm.NFKD.String(string(unicode.ToTitle(r)))
		for range 2 { // the second time from memory
			if got := string(c.appendAll(nil, []byte(string(r)))); got != want {
				t.Fatalf("%U folds to %q, not %q", r, got, want)
			}
		}
	}
}

func FuzzCasemap(f *testing.F) {
	f.Add([]byte("Stra\u00dfe \u00e9\xc3"), 3)
	f.Add([]byte("\xf0\x9f\x98\x80 abcdefghijkl"), 2)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		var c casemap
		whole := c.appendAll(nil, text)
		if cut < 0 || cut > len(text) {
			return
		}
		// In two pieces it is the same, with the incomplete character carried over.
		pieces, rest := c.append(nil, text[:cut])
		pieces = c.appendAll(pieces, append(bytes.Clone(rest), text[cut:]...))
		if !bytes.Equal(whole, pieces) {
			t.Fatalf("%q, cut at %d: %q and %q", text, cut, whole, pieces)
		}
		if ascii := strings.ToUpper(string(text)); isASCII(text) && ascii != string(whole) {
			t.Fatalf("%q became %q", text, whole)
		}
	})
}
