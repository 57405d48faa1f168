package main

import (
	"fmt"
	"time"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
)

// settings are the numbers that control files give.
type settings struct {
	me          string
	lifetime    time.Duration // an entry is given up after this
	delayNotice time.Duration // the sender hears of a delay after this; 0 is never
	local       int           // messages at deliver at a time; 0 holds local mail
	patience    time.Duration // for deliver's next reply
	databytes   int64         // the largest message; 0 is no bound
}

// The defaults (DESIGN section 8 and rohrpost-control(5)).
const (
	defaultLifetime    = 5 * 24 * time.Hour
	defaultDelayNotice = 4 * time.Hour
	defaultLocal       = 20
	defaultPatience    = 10 * time.Minute
	defaultDatabytes   = 50 << 20
)

// maxLocal bounds concurrencylocal: each message in flight holds a buffer.
const maxLocal = 1000

func load(etc control.Dir) (s settings, err error) {
	if s.me, err = etc.Me(); err != nil {
		return s, misuse(err)
	}
	for _, f := range []struct {
		name string
		def  time.Duration
		at   *time.Duration
	}{
		{"queuelifetime", defaultLifetime, &s.lifetime},
		{"delaynotice", defaultDelayNotice, &s.delayNotice},
		{"timeoutdeliver", defaultPatience, &s.patience},
	} {
		if *f.at, err = etc.Seconds("", f.name, f.def); err != nil {
			return s, misuse(err)
		}
	}
	if s.databytes, err = etc.Int("DATABYTES", "databytes", defaultDatabytes); err != nil {
		return s, misuse(err)
	}
	local, err := etc.Int("", "concurrencylocal", defaultLocal)
	if err == nil && local > maxLocal {
		err = &control.Error{File: etc.File("concurrencylocal"), Line: 1,
			What: fmt.Sprintf("is more than %d", maxLocal), Remedy: "a few dozen keep any disk busy"}
	}
	s.local = int(local)
	return s, misuse(err)
}

// misuse marks an error of the configuration: trying again cannot mend it.
func misuse(err error) error {
	if control.Wrong(err) {
		return frame.Fail(err)
	}
	return err
}
