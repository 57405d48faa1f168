package main

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"rohrpost/maildir/queue"
	"rohrpost/protocol/address"
	"rohrpost/protocol/dsn"
)

// kind is one sort of report: whom it is about, and what NOTIFY asks for it.
type kind struct {
	action dsn.Action
	notify string
	derive queue.Derivation
	about  func(*job, *outcome) bool
}

// kinds are the reports that one pass over an entry can give, one of each at
// most (RFC 3461 section 6).
var kinds = []kind{
	{dsn.Failed, "FAILURE", queue.Bounce, func(_ *job, o *outcome) bool { return o.verdict == failed }},
	{dsn.Delayed, "DELAY", queue.Delay, (*job).delayToTell},
	{dsn.Delivered, "SUCCESS", queue.Success, func(_ *job, o *outcome) bool {
		return o.verdict == delivered || o.verdict == passed && o.list
	}},
	{dsn.Expanded, "SUCCESS", queue.Success, func(_ *job, o *outcome) bool {
		return o.verdict == passed && !o.list && !o.inherited
	}},
}

// delayToTell reports whether the sender is to hear now that a recipient waits.
func (j *job) delayToTell(o *outcome) bool {
	return o.verdict == deferred && j.c.delayNotice > 0 && !o.entry.DelaySent && j.age(o) >= j.c.delayNotice
}

// report publishes the reports of this pass. Where that fails, failures become
// deferrals: nothing may end unreported.
func (j *job) report() {
	for _, k := range kinds {
		var about []*outcome
		for i := range j.outcomes {
			o := &j.outcomes[i]
			if !o.entry.Cancelled && k.about(j, o) && o.rcpt.Notifies(k.notify) {
				about = append(about, o)
			}
		}
		if len(about) > 0 {
			j.publish(k, about)
		}
	}
}

// publish puts one report into the queue.
func (j *job) publish(k kind, about []*outcome) {
	to, ok := j.reportTo(k)
	if !ok {
		return
	}
	err := j.write(k, to, about)
	if err != nil {
		j.log.Event("report-failed", "q", about[0].entry.ID, "err", err)
		j.brokenBy(err)
	}
	for _, o := range about {
		switch {
		case err == nil && k.action == dsn.Delayed:
			o.delayTold = true
		case err != nil && k.action == dsn.Failed:
			o.verdict = deferred
		}
	}
}

// reportTo is who gets the reports. Nobody asked for reports about a report, but
// one that cannot be delivered is the postmaster's to know; one that the
// postmaster cannot have is dropped, which ends it.
func (j *job) reportTo(k kind) (to string, ok bool) {
	env := &j.claim.Envelope
	if env.Sender != "" {
		return env.Sender, true
	}
	postmaster := address.Address{Local: "postmaster", Domain: j.c.me}.String()
	if k.action != dsn.Failed {
		return "", false
	}
	if strings.EqualFold(env.Recipients[0].Address, postmaster) {
		j.log.Event("double-bounce-dropped", "q", j.claim.Entries[0].ID)
		return "", false
	}
	return postmaster, true
}

func (j *job) write(k kind, to string, about []*outcome) error {
	env := &j.claim.Envelope
	id := queue.Derive(about[0].entry.ID, k.derive, about[0].entry.Number())
	p, err := j.q.BeginDerived(id, j.again, queue.Envelope{
		Recipients: []queue.Recipient{{Address: to}},
		Body:       "8BITMIME", UTF8: env.UTF8, Arrived: j.now,
	})
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r := dsn.Report{ID: id, Host: j.c.me, To: to, Date: j.now, Arrived: env.Arrived, EnvID: env.EnvID,
		Action: k.action, Full: env.Ret != "HDRS"}
	for _, o := range about {
		r.Rcpts = append(r.Rcpts, j.reported(k, o))
	}
	if err := r.Write(p, j.claim.Message()); err != nil {
		p.Abort()
		return err
	}
	if err := p.Commit(); err != nil {
		return err
	}
	j.result.made = append(j.result.made, p.Entry())
	j.log.Event("report", "q", about[0].entry.ID, "action", string(k.action), "to", "<"+to+">", "rcpts", len(about), "as", id)
	return nil
}

func (j *job) reported(k kind, o *outcome) dsn.Rcpt {
	to := dsn.Rcpt{Address: o.rcpt.Address, ORcpt: o.rcpt.ORcpt, Reply: o.reply, LastTry: j.now}
	if k.action == dsn.Delayed {
		left := j.c.lifetime - j.age(o)
		to.GivenUpAt = j.now.Add(max(left, time.Second))
	}
	return to
}

// withoutSuccess is a NOTIFY that asks for no report of delivery.
func withoutSuccess(notify string) string {
	var words []string
	for _, w := range strings.Split(notify, ",") {
		if w != "SUCCESS" {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "NEVER" // SUCCESS was all that was asked for
	}
	return strings.Join(words, ",")
}
