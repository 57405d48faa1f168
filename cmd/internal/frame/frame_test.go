package frame

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestExitCodeIsChosenForTheCaller(t *testing.T) {
	tests := []struct {
		name string
		do   func() error
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
		p := Program{Name: "deliver", Codes: Delivery, Do: func([]string) error { return tt.do() }}
		if got := p.Run(nil); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.name, got, tt.want)
		}
	}
}
