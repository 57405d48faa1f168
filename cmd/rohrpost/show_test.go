package main

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 90 * time.Second: "90s", 2 * time.Minute: "2m", 119 * time.Minute: "119m",
		2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, in, want string }{
		{"text stays", "Grüße, \"x\" \\ y", "Grüße, \"x\" \\ y"},
		{"a terminal's escapes do not", "\x1b[2J\r\n\x07", `\x1b[2J\r\n\a`},
		{"nor do those of eight bits", "\u009b31m", `\u009b31m`},
		{"what is no UTF-8 is shown as bytes", "a\xffb\xc3", `a\xffb\xc3`},
		{"the replacement character is a character", "\ufffd", "\ufffd"},
		{"nothing turns the direction of text", "\u202etxt", `\u202etxt`},
		{"a tab is a blank", "a\tb", "a b"},
	} {
		if got := printable(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.claim, got, c.want)
		}
	}
}

// FuzzPrintable checks that nothing a terminal would obey comes through.
func FuzzPrintable(f *testing.F) {
	f.Add("\x1b]0;x\x07\xff\u009b\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Users": "users", "user": "users", "alises": "aliases", "rcpthost": "rcpthosts", "databyets": "databytes",
		"mal": "mail", "x": "", "ms": "me", "timeoutremote": "",
	} {
		if got := nearest(name); got != want {
			t.Errorf("%s is nearest to %q, want %q", name, got, want)
		}
	}
}

func TestGeneratedPasswordsDiffer(t *testing.T) {
	t.Parallel()
	a, b := generate(), generate()
	if a == b || len(a) != 23 || strings.ContainsAny(a, "lo01") {
		t.Errorf("%q, %q", a, b)
	}
}
