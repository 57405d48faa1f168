package main

import (
	"fmt"
	"os"
)

// host is one Maildir that both are asked about.
type host struct {
	dir, config string
	told        told
}

func newHost(dir string) (*host, error) {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "rohrpost-answers-"); err != nil {
			return nil, err
		}
	}
	config, err := configure(dir)
	return &host{dir: dir, config: config}, err
}

// told is what was wrong.
type told struct{ wrong []string }

func (t *told) complain(format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}
