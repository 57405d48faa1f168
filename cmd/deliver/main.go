// Deliver stores mail in Maildirs: one message from standard input, or with
// --lmtp many over one conversation. See rohrpost-deliver(8).
//
// Start reading at single.deliver; lmtp.go is the other way in.
package main

import (
	"errors"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
)

func main() {
	frame.Program{
		Name:  "deliver",
		Codes: frame.Delivery,
		// The caller of a single delivery reads our complaints on descriptor
		// 2, which may well be the socket that is also 0 and 1.
		Conversation: slices.Contains(os.Args[1:], "--lmtp"),
		Do:           command().Do,
	}.Main()
}

func run(o options) error {
	if o.lmtp {
		return report(serveLMTP(o))
	}
	runtime.GOMAXPROCS(1) // one message needs no second thread to wait for it
	return report(deliverOne(o))
}

// report says on descriptor 2 what went wrong: an enhanced status code first,
// where Postfix and others look for it, agreeing with the exit code.
func report(err error) error {
	var said frame.Exit
	if err == nil || errors.As(err, &said) {
		return err
	}
	r := judge(err)
	unix.Write(2, append([]byte(clean(r.Error())), '\n'))
	return exitOf(r)
}

// exitOf is the exit code that agrees with the verdict.
func exitOf(r *refusal) frame.Exit {
	if r.permanent() {
		return frame.Exit(frame.Delivery.Permanent)
	}
	return frame.Exit(frame.Delivery.Temporary)
}
