package main

import (
	"errors"
	"strconv"

	"rohrpost/cmd/internal/route"
	"rohrpost/maildir/queue"
	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/client"
)

// maxAtOnce is how many recipients one transaction has. The message is sent again
// for the next ones, so that no server has to take more than RFC 5321 section
// 4.5.3.1.8 promises.
const maxAtOnce = 100

// decide finds a verdict for each claimed recipient.
func (j *job) decide() {
	j.outcomes = make([]outcome, 0, len(j.claim.Entries))
	var local []int
	for _, e := range j.claim.Entries {
		o := outcome{entry: e, rcpt: j.claim.Envelope.Recipients[e.Number()-1], step: queue.StepLocal}
		if !e.Cancelled && j.route(&o) {
			local = append(local, len(j.outcomes))
		}
		j.outcomes = append(j.outcomes, o)
	}
	for len(local) > 0 {
		n := min(len(local), maxAtOnce)
		j.deliver(local[:n])
		local = local[n:]
	}
}

// route finds out where a recipient goes; true means to a mailbox here.
func (j *job) route(o *outcome) bool {
	a, err := address.Parse(o.rcpt.Address, true)
	if err != nil {
		o.set(failed, 553, "5.1.3", "the address is malformed")
		return false
	}
	target, err := j.c.routes.Resolve(a)
	if err != nil {
		j.log.Event("route-failed", "q", o.entry.ID, "to", o.rcpt.Address, "err", err)
		o.set(deferred, 451, "4.3.5", "the configuration of the mail system is wrong")
		return false
	}
	switch target.Kind {
	case route.Mailbox:
		return true
	case route.Alias:
		j.passOn(o, target)
	case route.Remote:
		o.step = queue.StepRemote
		o.set(deferred, 451, "4.3.2", "mail for other hosts waits: this relay delivers on this host only")
	default:
		o.set(failed, 550, "5.1.1", "no such user here")
	}
	return false
}

// deliverTries is how often a message is handed over in one pass if deliver dies
// over it: it may have been another message's fault.
const deliverTries = 2

// deliver hands the message over for some recipients.
func (j *job) deliver(which []int) {
	var err error
	for try := range deliverTries {
		var replies []smtp.Reply
		replies, err = j.courier.send(j.transaction(which, j.again || try > 0))
		if err == nil {
			j.judge(which, replies)
			return
		}
		if errors.Is(err, errStopping) {
			return // undecided
		}
		if errors.Is(err, client.ErrSource) {
			break
		}
	}
	j.log.Event("handover-failed", "q", j.claim.Entries[0].ID, "err", err)
	for _, i := range which {
		j.outcomes[i].set(deferred, 451, "4.3.0", "the delivery program ended or did not answer")
	}
}

func (j *job) judge(which []int, replies []smtp.Reply) {
	for n, i := range which {
		o := &j.outcomes[i]
		o.reply = replies[n]
		switch {
		case o.reply.OK():
			o.verdict = delivered
		case o.reply.Permanent():
			o.verdict = failed
		default:
			o.verdict = deferred
		}
	}
}

// transaction is the message for some recipients. The base of the name in the
// Maildir is made of the entry and the recipient, so that a second hand-over is
// recognised.
func (j *job) transaction(which []int, again bool) client.Transaction {
	t := client.Transaction{Sender: j.claim.Envelope.Sender, Params: mailParams(&j.claim.Envelope),
		Recipients: make([]client.Recipient, len(which)), Message: j.claim.Message()}
	for n, i := range which {
		o := &j.outcomes[i]
		params := "XDELIVERYID=" + o.entry.ID + ".R" + strconv.Itoa(o.entry.Number())
		if again {
			params += " XAGAIN=1"
		}
		t.Recipients[n] = client.Recipient{Address: o.rcpt.Address, Params: params}
	}
	return t
}

func mailParams(env *queue.Envelope) string {
	params := ""
	if env.Body == "8BITMIME" || env.Body == "BINARYMIME" {
		params = "BODY=8BITMIME"
	}
	if env.UTF8 {
		if params != "" {
			params += " "
		}
		params += "SMTPUTF8"
	}
	return params
}
