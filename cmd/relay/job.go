package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"sync"
	"time"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
	"rohrpost/protocol/smtp"
)

// job handles recipients of one entry that are due, in this order:
//
//  1. claim them, and expand the entry if it has not been
//  2. find out where each goes
//  3. hand it over, publish what goes to the members of an alias
//  4. publish reports, durably
//  5. take away the names of those that are done, give the others their next time
//
// A crash before 5 repeats what was not made durable, under the same names.
type job struct {
	*relay
	c       *config
	entries []queue.Entry
	again   bool // an earlier attempt may have got somewhere
	// finished: they are done, and only their names are still there.
	finished bool
	now      time.Time

	claim    *queue.Claim
	outcomes []outcome
	result   result
}

// result is what the loop has to know of a job.
type result struct {
	ends   []ending
	made   []queue.Entry // entries that followed from this one
	broken error         // nothing can be recorded any more
}

// ending is what became of one name.
type ending struct {
	entry    queue.Entry // under its present name
	at       time.Time   // when to handle it next
	gone     bool
	finished bool // it is done, but its name could not be taken away
	stuck    bool // it cannot be handled under this name, now or later
}

// verdict is what became of one recipient in this pass.
type verdict int

const (
	undecided verdict = iota
	delivered         // it is in a mailbox
	passed            // the members of an alias have it
	deferred          // another time
	failed            // never
)

// outcome is one recipient with its verdict.
type outcome struct {
	entry     queue.Entry
	rcpt      queue.Recipient
	step      float64 // of the schedule
	verdict   verdict
	reply     smtp.Reply // what deliver said, or what we say
	delayTold bool       // the sender hears of the delay
	list      bool       // if passed: the alias is a mailing list, which answers for itself
	inherited bool       // if passed: the one member has all that the sender asked for
}

func (o *outcome) set(v verdict, code int, enhanced, text string) {
	o.verdict, o.reply = v, smtp.Reply{Code: code, Enhanced: enhanced, Text: text}
}

func newJob(r *relay, c *config, group []*item) *job {
	j := &job{relay: r, c: c, now: time.Now(), entries: make([]queue.Entry, len(group))}
	for i, it := range group {
		j.entries[i] = it.Entry
		j.again = j.again || it.again
		j.finished = it.finished
	}
	return j
}

// buffers are for the first read of a file.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// run does the job and tells the loop.
func (j *job) run() {
	defer func() {
		if e := recover(); e != nil {
			// A bug must not lose mail, nor stop the rest of it.
			j.log.Event("panic", "q", j.entries[0].ID, "err", fmt.Sprint(e), "stack", string(debug.Stack()))
			j.putOff(j.entries, j.now.Add(busyPause))
		}
		j.results <- j.result
	}()
	if j.finished {
		for _, e := range j.entries {
			j.done(e)
		}
		return
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	claim, err := j.q.Claim(j.entries, *buf)
	if err != nil {
		j.noClaim(err)
		return
	}
	j.claim = claim
	defer func() {
		claim.Close()
		*buf = claim.Buffer()
	}()
	j.leftOut()
	if j.expand() {
		j.decide()
		j.record()
	}
}

// noClaim is for entries that cannot be handled now, or not at all.
func (j *job) noClaim(err error) {
	var bad *queue.EnvelopeError
	switch {
	case errors.Is(err, queue.ErrGone):
		j.drop(j.entries)
	case errors.Is(err, queue.ErrBusy):
		j.putOff(j.entries, j.now.Add(busyPause))
	case errors.As(err, &bad), errors.Is(err, queue.ErrForeign), errors.Is(err, disk.ErrNotRegular):
		j.quarantine(err)
	default:
		j.log.Event("claim-failed", "q", j.entries[0].ID, "err", err)
		j.putOff(j.entries, j.now.Add(busyPause))
	}
}

// quarantine puts what cannot be understood on hold: it is neither delivered nor
// removed, and a person can look at it.
func (j *job) quarantine(cause error) {
	for _, e := range j.entries {
		j.log.Event("quarantined", "q", e.ID, "file", e.Name(), "err", cause)
		held := e
		if !errors.Is(cause, queue.ErrForeign) && !errors.Is(cause, disk.ErrNotRegular) {
			if h, err := j.q.Hold(e); err == nil {
				held = h
			}
		}
		j.result.ends = append(j.result.ends, ending{entry: held, stuck: true})
	}
}

// leftOut puts off the names that the claim did not get.
func (j *job) leftOut() {
	mine := map[int]bool{}
	for _, e := range j.claim.Entries {
		mine[e.R] = true
	}
	for _, e := range j.entries {
		if !mine[e.R] {
			j.putOff([]queue.Entry{e}, j.now.Add(busyPause))
		}
	}
}

// expand gives each recipient its own name, if there are several.
func (j *job) expand() bool {
	whole := j.claim.Entries[0]
	if whole.R != 0 || len(j.claim.Envelope.Recipients) == 1 {
		return true
	}
	if whole.Cancelled {
		return j.cancel(whole)
	}
	if err := j.claim.Expand(j.again); err != nil {
		j.log.Event("expand-failed", "q", whole.ID, "err", err)
		j.putOff([]queue.Entry{whole}, j.now.Add(busyPause))
		j.brokenBy(err)
		return false
	}
	j.drop([]queue.Entry{whole})
	return true
}

// cancel takes away what somebody cancelled before it was expanded.
func (j *job) cancel(whole queue.Entry) bool {
	j.log.Event("cancelled", "q", whole.ID)
	j.done(whole)
	return false
}

// drop tells the loop that names are gone.
func (j *job) drop(entries []queue.Entry) {
	for _, e := range entries {
		j.result.ends = append(j.result.ends, ending{entry: e, gone: true})
	}
}

// putOff tells the loop to come back.
func (j *job) putOff(entries []queue.Entry, at time.Time) {
	for _, e := range entries {
		j.result.ends = append(j.result.ends, ending{entry: e, at: at})
	}
}

// done takes a recipient's name away. If that fails, it is tried again later,
// and the message is not sent again.
func (j *job) done(e queue.Entry) {
	err := j.q.Done(e)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		j.drop([]queue.Entry{e})
		return
	}
	j.log.Event("record-failed", "q", e.ID, "file", e.Name(), "err", err)
	j.result.ends = append(j.result.ends, ending{entry: e, at: j.now.Add(busyPause), finished: true})
	j.brokenBy(err)
}

// brokenBy stops relay if an error means that no result can be recorded.
func (j *job) brokenBy(err error) {
	if recordFailed(err) && j.result.broken == nil {
		j.result.broken = err
	}
}
