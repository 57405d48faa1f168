package main

import (
	"testing"

	"rohrpost/cmd/internal/progtest"
)

// TestTranscripts plays what the program says, line by line; a name that begins
// with an id of the catalogue is that row.
func TestTranscripts(t *testing.T) {
	progtest.Bin(t, "login-ok")
	progtest.Transcripts(t, "testdata/*.txtar", func(t *testing.T, tr *progtest.Transcript) {
		tr.Play(t, nil, "pop3d")
	})
}
