package maildir_test

import (
	"io"
	"slices"
	"testing"

	gomaildir "github.com/emersion/go-maildir"

	"rohrpost/maildir"
)

// go-maildir is somebody else's reading of the same format: what either writes,
// the other finds, with its flags.

func TestAnotherLibraryReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	m := create(t)
	deliver(t, m, "", "x\n")
	msg, err := m.SetFlags(scan(t, m).At(0), maildir.Seen|maildir.Replied|maildir.Draft, 0)
	if err != nil {
		t.Fatal(err)
	}
	all, err := gomaildir.Dir(m.Path()).Messages()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	if got, want := all[0].Key(), msg.Base+msg.Fields; got != want {
		t.Errorf("key %q, want %q", got, want)
	}
	want := []gomaildir.Flag{gomaildir.FlagDraft, gomaildir.FlagReplied, gomaildir.FlagSeen}
	if got := all[0].Flags(); !slices.Equal(got, want) {
		t.Errorf("flags %q, want %q", got, want)
	}
}

func TestWeReadWhatAnotherLibraryWrites(t *testing.T) {
	t.Parallel()
	m := create(t)
	theirs, w, err := gomaildir.Dir(m.Path()).Create([]gomaildir.Flag{gomaildir.FlagSeen, gomaildir.FlagFlagged, gomaildir.FlagTrashed, gomaildir.FlagPassed})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "x\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := scan(t, m)
	if l.Len() != 1 {
		t.Fatalf("%d messages", l.Len())
	}
	msg := l.At(0)
	if msg.Base != theirs.Key() || msg.Flags != maildir.Seen|maildir.Flagged|maildir.Trashed|maildir.Passed {
		t.Errorf("%+v, want base %q", msg, theirs.Key())
	}
	// It renames; we follow. We rename; the file it finds by key is the same.
	if err := theirs.SetFlags([]gomaildir.Flag{gomaildir.FlagReplied}); err != nil {
		t.Fatal(err)
	}
	msg, err = m.SetFlags(msg, maildir.Draft, 0)
	if err != nil || msg.Flags != maildir.Replied|maildir.Draft {
		t.Errorf("%+v, %v", msg, err)
	}
	if again, err := gomaildir.Dir(m.Path()).MessageByKey(theirs.Key()); err != nil || len(again.Flags()) != 2 {
		t.Errorf("by key: %v", err)
	}
}
