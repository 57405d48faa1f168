package prog

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/spf13/cobra"
)

func program(run func() error) Program {
	return Program{Codes: Delivery, Command: &cobra.Command{
		Use: "deliver", RunE: func(*cobra.Command, []string) error { return run() }}}
}

func TestExitCodeIsChosenForTheCaller(t *testing.T) {
	tests := []struct {
		name string
		run  func() error
		want int
	}{
		{"success", func() error { return nil }, 0},
		{"an error that says nothing is temporary", func() error { return fs.ErrPermission }, 75},
		{"a marked error is permanent, however wrapped", func() error { return fmt.Errorf("x: %w", Fail(errors.New("loop"))) }, 100},
		{"misuse", func() error { return Usage(errors.New("two maildirs")) }, 75},
		{"O06 a panic is temporary", func() error { panic("bug") }, 75},
		{"an exit code as it is", func() error { return Exit(99) }, 99},
	}
	for _, tt := range tests {
		if got := program(tt.run).Run(nil); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestWrongFlagIsMisuse(t *testing.T) {
	p := program(func() error { return nil })
	p.Codes = Server
	if got := p.Run([]string{"--no-such-flag"}); got != 100 {
		t.Errorf("exit %d", got)
	}
}
