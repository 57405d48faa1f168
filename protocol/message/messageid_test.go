package message

import (
	"strings"
	"testing"
)

func identifiers(value string) []string {
	var ids []string
	MessageIDs([]byte(value), func(id []byte) bool {
		ids = append(ids, string(id))
		return true
	})
	return ids
}

func TestX09MessageIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct{ name, in, want string }{
		{"one", "<a@b>", "a@b"},
		{"several", "<a@b> <c@d>\r\n\t<e@f>", "a@b|c@d|e@f"},
		{"text between them is passed over", "x@y <a@b>, \"z\" (c) <d@e> at noon", "a@b|d@e"},
		{"RFC 5256 section 2.2: one spelling", `<"a"@b> <"c\d e"@f>`, "a@b|cd e@f"},
		{"a bracket in quotes closes nothing", `<"a>b"@c>`, "a>b@c"},
		{"blanks are left out", "<a @ b>\t<c\r\n @d>", "a@b|c@d"},
		{"an empty one is none", "<> < > <a@b>", "a@b"},
		{"one that is not closed is none", "<a@b <c@d>", "c@d"},
		{"nor one at the end", "<a@b> <c@d", "a@b"},
		{"the same twice is twice", "<a@b><a@b>", "a@b|a@b"},
		{"the longest", "<" + long[:MaxMessageID] + ">", long[:MaxMessageID]},
		{"longer ones are none", "<" + long[:MaxMessageID+1] + "> <" + long + "> <a@b>", "a@b"},
		{"1 MB without end", "<" + long, ""},
		{"1 MB of brackets", strings.Repeat("<", 1<<20), ""},
		{"1 MB of quotes", strings.Repeat("<\"", 1<<19), ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(identifiers(tt.in), "|"); got != tt.want {
				t.Errorf("%.50q: %.50q, want %.50q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMessageIDsStopsWhenTold(t *testing.T) {
	t.Parallel()
	n := 0
	MessageIDs([]byte("<a@b> <c@d>"), func([]byte) bool { n++; return false })
	if n != 1 {
		t.Errorf("%d calls", n)
	}
}

func FuzzMessageIDs(f *testing.F) {
	f.Add(`<a@b> <"c"@d> <e`)
	f.Fuzz(func(t *testing.T, value string) {
		total := 0
		for _, id := range identifiers(value) {
			total += len(id)
			if id == "" || len(id) > MaxMessageID {
				t.Fatalf("%q: %q", value, id)
			}
			if strings.ContainsAny(id, "<>\"\\ \t\r\n") {
				continue
			}
			if again := identifiers("<" + id + ">"); len(again) != 1 || again[0] != id {
				t.Fatalf("%q: %q, again %q", value, id, again)
			}
		}
		if total > len(value) {
			t.Fatalf("%q grew", value)
		}
	})
}
