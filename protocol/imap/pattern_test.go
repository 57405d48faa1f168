package imap

import (
	"strings"
	"testing"
)

// RFC 9051 section 6.3.9: * matches zero or more characters, % the same but not the
// hierarchy delimiter.
func TestListPattern(t *testing.T) {
	for _, tt := range []struct {
		ref, pattern, name string
		want               bool
	}{
		{"", "*", "a.b.c", true},
		{"", "*", "", true},
		{"", "%", "a", true},
		{"", "%", "a.b", false},
		{"", "%.%", "a.b", true},
		{"", "%.%", "a.b.c", false},
		{"", "a.%", "a.", true},
		{"a.", "%", "a.b", true},
		{"a.", "%", "b.b", false},
		{"", "a*c", "abc", true},
		{"", "a*c", "ac", true},
		{"", "a*c", "a.b.c", true},
		{"", "a*c", "acd", false},
		{"", "*%*%*", "a.b", true},
		{"", "%*%", "a.b", true},
		{"", "%%", "a.b", false},
		{"", "*a%b", "xa.ayb", true},
		{"", "*a%b", "xa.yb", false},
		{"", "a", "a", true},
		{"", "a", "ab", false},
		{"", "", "a", false},
		{"", "inbox", "INBOX", true},
		{"", "inbox.%", "INBOX.x", true},
		{"", "InBox%", "INBOX", true},
		{"in", "box", "INBOX", true},
		{"", "inboxes", "INBOXes", false},
		{"", "Sent", "SENT", false},
		{"", "台%", "台北", true},
		{"", "%北", "台北", true},
	} {
		if got := NewPattern(tt.ref, tt.pattern, '.').Match(tt.name); got != tt.want {
			t.Errorf("%q %q on %q: %v", tt.ref, tt.pattern, tt.name, got)
		}
	}
}

// matchSlowly is the definition, in exponential time.
func matchSlowly(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	switch c := pattern[0]; {
	case c != '*' && c != '%':
		return name != "" && name[0] == c && matchSlowly(pattern[1:], name[1:])
	case matchSlowly(pattern[1:], name):
		return true
	default:
		return name != "" && (c == '*' || name[0] != '.') && matchSlowly(pattern, name[1:])
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("*%*a%", "a.b")
	f.Add("%.%a*", "b.aa.a")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 8 || len(name) > 12 || len(pattern) >= 5 && strings.EqualFold(pattern[:5], Inbox) {
			return
		}
		if got, want := NewPattern("", pattern, '.').Match(name), matchSlowly(pattern, name); got != want {
			t.Fatalf("%q on %q: %v", pattern, name, got)
		}
	})
}

func TestI12WildcardsAreMatchedInBoundedSteps(t *testing.T) {
	// With backtracking this one takes longer than anybody waits.
	p := NewPattern("", strings.Repeat("*a%", 60)+"b", '.')
	if p.Match(strings.Repeat("a", 250)) {
		t.Error("matches")
	}
	if p := NewPattern("", "*%*%*%*%*%*%*", '.'); len(p.text) != 1 {
		t.Errorf("wildcards in a row are kept: %q", p.text)
	}
	if n := testing.AllocsPerRun(10, func() { p.Match(strings.Repeat("a", 0) + "a.b") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"a pattern that no name can need", "a LIST \"\" " + strings.Repeat("a%", 501) + "\r\n" + next, "a BAD LIMIT, z NOOP"},
	})
}
