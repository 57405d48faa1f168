package main

import (
	"fmt"
	"io"
)

// sure is an output of many small writes whose first error is kept: what nobody
// could read has not been said.
type sure struct {
	w   io.Writer
	err error
}

func (s *sure) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
}

// or is the error of the output, or else this one.
func (s *sure) or(err error) error {
	if s.err != nil {
		return fmt.Errorf("print what was found: %w", s.err)
	}
	return err
}
