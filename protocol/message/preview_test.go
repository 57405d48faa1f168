package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func previewOf(t testing.TB, msg string) string {
	t.Helper()
	got, err := scanned(t, msg).AppendPreview([]byte("> "), strings.NewReader(msg), nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(got), "> ")
}

func TestX10Preview(t *testing.T) {
	t.Parallel()
	const html = "Content-Type: text/html; charset=utf-8\n\n"
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, tt := range []struct{ name, msg, want string }{
		{"the text", "\nhello\n", "hello"},
		{"white space is one space", "\n\n  hello \r\n\t world \n", "hello world"},
		{"RFC 8970 section 3.1: at most 200 characters", "\n" + strings.Repeat("a", 300), strings.Repeat("a", 200)},
		{"of UTF-8, not bytes", "Content-Type: text/plain; charset=utf-8\n\n" + strings.Repeat("ä", 300), strings.Repeat("ä", 200)},
		{"and no blank at the end", "\n" + strings.Repeat("a", 199) + " b", strings.Repeat("a", 199)},
		{"encodings are undone", "Content-Transfer-Encoding: quoted-printable\n\nh=65l=\nlo", "hello"},
		{"base64 too", "Content-Transfer-Encoding: base64\n\naGVsbG8=\n", "hello"},
		{"charsets are decoded", "Content-Type: text/plain; charset=iso-8859-1\n\n\xe4", "ä"},
		{"what cannot be is left out", "Content-Type: text/plain; charset=x\n\na\xe4b", "a b"},
		{"plain text goes before HTML", mixed + "--b\n" + html + "<p>html\n--b\n\nplain\n--b--", "plain"},
		{"but not if there is none", mixed + "--b\n\n \n--b\n" + html + "<p>html\n--b--", "html"},
		{"attachments are none", mixed + "--b\nContent-Disposition: attachment\n\nno\n--b\n\nyes\n--b--", "yes"},
		{"other types are none", "Content-Type: image/png\n\nhello", ""},
		{"a message without text has none", "", ""},
		{"tags are not shown", html + "<html><body class='a'><p>a<br/>b<!DOCTYPE x><b>c</b>", "a b c"},
		{"style, script and head neither", html + "<head><title>t</title></head><STYLE>p{}</style >a<script>x</b></script>b", "a b"},
		{"nor comments", html + "a<!-- <b> -- > x -->b", "a b"},
		{"character references are", html + "&lt;&#65;&#x42;&auml;&nbsp;c&amp;d&unknown;&", "<ABä c&d&unknown;&"},
		{"a bracket that begins no tag is text", html + "1 < 2 <3", "1 < 2 <3"},
		{"style may be longer than most texts", html + "<style>" + strings.Repeat("p{} ", 10_000) + "</style>a", "a"},
		{"a tag without end", html + "a<b c", "a"},
		{"a comment without end", html + "a<!-- b", "a"},
		{"a script without end", html + "a<script>b</x>", "a"},
		{"references of no character are text", html + "&#xd800;&#0;&#99999999;", "&#xd800; &#99999999;"},
		{"X06 controls and marks of direction are left out", "Content-Type: text/plain; charset=utf-8\n\na\x1b[1m\u202eb\u2028c\u200dd", "a [1m b c d"},
		{"hostile tags", html + strings.Repeat("<", 1<<20) + "a", strings.Repeat("<", 200)},
		{"hostile comments", html + strings.Repeat("<!--", 1<<20), ""},
		{"hostile elements", html + strings.Repeat("<style>", 1<<20), ""},
		{"hostile references", html + strings.Repeat("&#", 1<<20), strings.Repeat("&#", 100)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := previewOf(t, tt.msg); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestX10PreviewLooksAtABoundedPartOfTheText(t *testing.T) {
	t.Parallel()
	msg := "Content-Type: text/html\n\n<!-- " + strings.Repeat("x", 128<<10) + " --> hello"
	if got := previewOf(t, msg); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzPreview(f *testing.F) {
	f.Add("Content-Type: text/html; charset=utf-8\n\n<p>a&auml;<!-- x --><style></style>b")
	f.Fuzz(func(t *testing.T, msg string) {
		got := previewOf(t, msg)
		if n := utf8.RuneCountInString(got); n > MaxPreview || !utf8.ValidString(got) {
			t.Fatalf("%q: %d characters", got, n)
		}
		if strings.Contains(got, "  ") || strings.TrimSpace(got) != got {
			t.Fatalf("blanks: %q", got)
		}
		for _, c := range got {
			if c < ' ' || isControl(c) {
				t.Fatalf("control: %q", got)
			}
		}
	})
}
