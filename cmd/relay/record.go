package main

import (
	"errors"
	"time"

	"rohrpost/maildir/queue"
)

// record makes the verdicts durable, reports first.
func (j *job) record() {
	j.expire()
	j.report()
	var synced []queue.Entry
	for i := range j.outcomes {
		o := &j.outcomes[i]
		j.logOutcome(o)
		switch {
		case o.entry.Cancelled, o.verdict == delivered:
			j.done(o.entry)
		case o.verdict == undecided:
			j.putOff([]queue.Entry{o.entry}, j.now)
		case o.verdict == deferred:
			j.retry(o)
		default:
			j.done(o.entry)
			synced = append(synced, o.entry)
		}
	}
	// What followed from these recipients may start only when no crash can bring
	// them back.
	if len(synced) > 0 {
		if err := j.q.Sync(synced); err != nil {
			j.log.Event("record-failed", "q", synced[0].ID, "err", err)
			j.brokenBy(err)
		}
	}
}

// expire gives up what has waited too long.
func (j *job) expire() {
	for i := range j.outcomes {
		o := &j.outcomes[i]
		if o.verdict == deferred && j.age(o) >= j.c.lifetime {
			o.verdict = failed
			o.reply.Text = "tried for too long; the last answer was: " + o.reply.String()
			o.reply.Code, o.reply.Enhanced = 554, "5.4.7"
		}
	}
}

func (j *job) age(o *outcome) time.Duration {
	return queue.Age(j.claim.Envelope.Arrived, j.now, o.entry.Tries, o.step)
}

// retry gives a recipient its next time.
func (j *job) retry(o *outcome) {
	at := queue.NextTry(j.claim.Envelope.Arrived, j.now, o.entry.Tries, o.step)
	at = time.Unix(at.Unix()+1, 0) // names have whole seconds
	if err := j.q.Note(o.entry, o.reply.String()); err != nil {
		j.log.Event("note-failed", "q", o.entry.ID, "err", err)
	}
	e, err := j.q.Retry(o.entry, at, o.delayTold)
	switch {
	case errors.Is(err, queue.ErrGone):
		j.drop([]queue.Entry{o.entry})
		return
	case err != nil:
		// The time is kept in memory only: after a restart it is tried early.
		j.log.Event("record-failed", "q", o.entry.ID, "file", o.entry.Name(), "err", err)
		j.brokenBy(err)
	}
	j.result.ends = append(j.result.ends, ending{entry: e, at: at})
}

var eventOf = map[verdict]string{
	undecided: "undecided", delivered: "delivered", passed: "alias", deferred: "deferred", failed: "failed"}

// logOutcome writes the one line of a recipient's pass.
func (j *job) logOutcome(o *outcome) {
	event, reply := eventOf[o.verdict], o.reply.String()
	if o.entry.Cancelled {
		event, reply = "cancelled", "" // nobody was asked
	}
	j.log.Event(event, "q", o.entry.ID, "to", "<"+o.rcpt.Address+">",
		"from", "<"+j.claim.Envelope.Sender+">", "delay", max(0, j.now.Sub(j.claim.Envelope.Arrived)), "tries", o.entry.Tries+1,
		"reply", reply)
}
