package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rohrpost/cmd/internal/control"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// TestExpire moves the clock, since nobody can move a file's time of change.
func TestExpire(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "Maildir")
	m, err := maildir.Create(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	trash, err := m.CreateFolder("Trash")
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-365 * 24 * time.Hour)
	for _, name := range []string{"cur/read:2,S", "cur/flagged:2,FS", "new/unread"} {
		for _, box := range []string{path, trash.Path()} {
			file := filepath.Join(box, name)
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, long, long); err != nil { // an old message, moved here today
				t.Fatal(err)
			}
		}
	}
	rules := []control.Expire{{Folder: "Trash", Age: 30 * 24 * time.Hour}}
	for _, c := range []struct {
		claim string
		days  int
		dry   bool
		want  int
	}{
		{"what was moved here today stays", 0, false, 3},
		{"and for as long as the rule says", 29, false, 3},
		{"a dry run removes nothing", 31, true, 3},
		{"then all go but the flagged one", 31, false, 1},
	} {
		b := broom{rules: rules, now: time.Now().AddDate(0, 0, c.days), dry: c.dry, fs: disk.OS, out: &bytes.Buffer{}, progress: &progress{}}
		b.home(path)
		if b.failed != nil {
			t.Fatal(b.failed)
		}
		if l, err := trash.Scan(); err != nil || l.Len() != c.want {
			t.Errorf("%s: %d messages, %v; want %d", c.claim, l.Len(), err, c.want)
		}
	}
	if l, err := m.Scan(); err != nil || l.Len() != 3 {
		t.Errorf("a folder without a rule has %d messages, %v", l.Len(), err)
	}
}
