package server

import (
	"slices"
	"testing"
)

func TestSpecialUsesFollowTheirMailboxes(t *testing.T) {
	list := parseUses("\\Sent out.sent\r\n\\Trash out\n\\drafts x\n\\Drafts outside\n\\Junk\n")
	for _, c := range []struct {
		what     string
		from, to string
		want     string
	}{
		{"a rename takes those below along", "out", "new", "\\Sent new.sent\n\\Trash new\n\\Drafts outside\n"},
		{"a deletion leaves those below", "out", "", "\\Sent out.sent\n\\Drafts outside\n"},
		{"another mailbox's rename changes nothing", "outs", "new", "\\Sent out.sent\n\\Trash out\n\\Drafts outside\n"},
	} {
		if got := string(list.renamed(c.from, c.to).text()); got != c.want {
			t.Errorf("%s: got %q", c.what, got)
		}
	}
}

func FuzzParseUses(f *testing.F) {
	f.Add("\\Sent Sent Items\n\\Junk Lists.Entw&APw-rfe\n")
	f.Add("\\sent a\n\\SENT b\n\\All c\n\\Trash INBOX\n\\Trash ..\n")
	f.Fuzz(func(t *testing.T, text string) {
		list := parseUses(text)
		if len(list) > len(wellKnown) {
			t.Errorf("%d uses", len(list))
		}
		if again := parseUses(string(list.text())); !slices.Equal(again, list) {
			t.Errorf("%q → %q → %q", text, list, again)
		}
	})
}
