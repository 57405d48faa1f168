package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// restoreTerminal returns what gives a terminal its settings back, and does so
// too if a signal ends us meanwhile: a shell without echo is a nuisance.
func restoreTerminal(fd int, saved *unix.Termios) func() {
	restore := func() { unix.IoctlSetTermios(fd, unix.TCSETSF, saved) }
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-c:
			restore()
			os.Exit(128 + int(s.(unix.Signal)))
		case <-done:
		}
	}()
	return func() {
		close(done)
		signal.Stop(c)
		restore()
	}
}
