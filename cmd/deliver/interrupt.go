package main

import (
	"os"
	"os/signal"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/maildir"
)

// interrupts are the signals that end a delivery.
var interrupts = []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP}

// interrupt ends a delivery on a signal: what is in tmp is removed and the exit
// code is 75. From commit on it is too late: then the delivery is carried to its
// end, so that the exit code tells the truth.
//
// Looking out for signals takes a goroutine and two threads, which is a quarter
// of the cost of a small message. So it begins when the message keeps us
// waiting or is large. A message that was there at once is stored without
// looking up.
//
// The lock keeps the two goroutines out of each other's way: a signal is acted
// upon between two writes, never in the middle of one.
type interrupt struct {
	mu       sync.Mutex
	watching bool
	d        *maildir.Delivery
}

// watch begins to look out for signals.
func (i *interrupt) watch() {
	if i.watching {
		return
	}
	i.watching = true
	c := make(chan os.Signal, 1)
	signal.Notify(c, interrupts...)
	go func() {
		defer exitOnPanic()
		s := <-c
		i.mu.Lock() // for ever, once the delivery is being committed
		if i.d != nil {
			i.d.Abort()
		}
		report(stopped.because("%v arrived before the message was stored", s))
		os.Exit(frame.Delivery.Temporary)
	}()
}

// begin opens a delivery that a signal will abort.
func (i *interrupt) begin(m *maildir.Maildir) (err error) {
	if !i.watching {
		signal.Ignore(interrupts...)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.d, err = m.Begin("")
	return err
}

// Write appends to the delivery.
func (i *interrupt) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.d.Write(p)
}

// commit lets the message be published. No signal ends the program any more.
func (i *interrupt) commit() *maildir.Delivery {
	i.mu.Lock()
	return i.d
}

// abort gives the message up.
func (i *interrupt) abort() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.d.Abort()
}

// exitOnPanic is deferred in each goroutine: an unrecovered panic would exit
// with 2, which bounces mail at most MTAs.
func exitOnPanic() {
	if e := recover(); e != nil {
		report(notStored.because("panic: %v, at %s", e, debug.Stack()))
		os.Exit(frame.Delivery.Temporary)
	}
}
