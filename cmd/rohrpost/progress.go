package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// progress tells a person at a terminal how far long work is. Elsewhere it is
// silent.
type progress struct {
	to   *os.File // nil: nobody watches
	verb string
	n    int
	last time.Time
}

// progressEvery is how often the line is written.
const progressEvery = 200 * time.Millisecond

func newProgress(to *os.File, verb string) *progress {
	p := &progress{verb: verb, last: time.Now()}
	if _, err := unix.IoctlGetTermios(int(to.Fd()), unix.TCGETS); err == nil {
		p.to = to
	}
	return p
}

func (p *progress) step() {
	p.n++
	if p.to == nil || time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.to, "\r%s %d", p.verb, p.n)
}

// end wipes the line.
func (p *progress) end() {
	if p.to != nil {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
