package main

import (
	"path/filepath"
	"slices"
	"testing"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// TestTranscripts plays what the program says, line by line; a name that begins
// with an id of the catalogue is that row. A session whose args name no AUTH is one
// after login, over the Maildir in the transcript.
func TestTranscripts(t *testing.T) {
	progtest.Bin(t, "login-ok")
	progtest.Transcripts(t, "testdata/*.txtar", func(t *testing.T, tr *progtest.Transcript) {
		if slices.Contains(tr.Lines("args"), "--") {
			tr.Play(t, nil, "imapd")
			return
		}
		m, err := maildir.Create(filepath.Join(tr.Dir, "Maildir"), disk.OS)
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
		tr.Play(t, []string{"HOME=" + tr.Dir}, "imapd")
	})
}
