package main

import (
	"errors"
	"io"
	"io/fs"

	"rohrpost/cmd/internal/route"
	"rohrpost/maildir/queue"
)

// passOn puts the message into the queue for the members of an alias. Its ID is
// made of this entry's, so a crash before this recipient ends makes no second one.
func (j *job) passOn(o *outcome, target route.Target) {
	o.list, o.inherited = target.Owner != "", target.Owner == "" && len(target.Members) == 1
	p, err := j.q.BeginDerived(queue.Derive(o.entry.ID, queue.Alias, o.entry.Number()), j.again, j.membersEnvelope(o, target))
	if errors.Is(err, fs.ErrExist) {
		o.set(passed, 250, "2.1.5", "sent on to the members of the alias before")
		return
	}
	if err == nil {
		err = j.copyMessage(p)
	}
	if err != nil {
		j.log.Event("alias-failed", "q", o.entry.ID, "to", o.rcpt.Address, "err", err)
		o.set(deferred, 451, "4.3.0", "cannot send on to the members of the alias now")
		j.brokenBy(err)
		return
	}
	j.result.made = append(j.result.made, p.Entry())
	o.set(passed, 250, "2.1.5", "sent on to the members of the alias as "+p.ID())
}

func (j *job) copyMessage(p *queue.Put) error {
	if _, err := io.Copy(p, j.claim.Message()); err != nil {
		p.Abort()
		return err
	}
	return p.Commit()
}

// membersEnvelope is the envelope for the members (RFC 3461 section 5.2.7): an
// alias with an owner is a mailing list, which answers for its members itself; one
// member inherits all that the sender asked for; several inherit no NOTIFY of
// SUCCESS, since the sender would hear once for each.
func (j *job) membersEnvelope(o *outcome, target route.Target) queue.Envelope {
	env := j.claim.Envelope
	env.Recipients = make([]queue.Recipient, len(target.Members))
	for i, m := range target.Members {
		env.Recipients[i].Address = m
	}
	if target.Owner != "" && env.Sender != "" {
		env.Sender, env.Ret, env.EnvID = target.Owner, "", ""
		return env
	}
	for i := range env.Recipients {
		r := &env.Recipients[i]
		r.ORcpt, r.Notify = o.rcpt.ORcpt, o.rcpt.Notify
		if len(target.Members) > 1 {
			r.Notify = withoutSuccess(r.Notify)
		}
	}
	return env
}
