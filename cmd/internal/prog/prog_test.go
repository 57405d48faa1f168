package prog

import (
	"testing"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
)

func TestWrongFlagIsMisuse(t *testing.T) {
	run := func(*cobra.Command, []string) error { return nil }
	p := Program{Codes: frame.Server, Command: &cobra.Command{Use: "listen", RunE: run}}
	if got := p.Run([]string{"--no-such-flag"}); got != 100 {
		t.Errorf("exit %d", got)
	}
	if got := p.Run(nil); got != 0 {
		t.Errorf("without it: exit %d", got)
	}
}
