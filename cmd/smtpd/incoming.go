package main

import (
	"io"
	"strings"

	"rohrpost/maildir/queue"
	"rohrpost/protocol/message"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

// incoming is a message on its way into the queue.
//
// The message passes, piece by piece:
//
//	scan (hops, loops) → editor (submission only) → sink (queue, program, filter)
type incoming struct {
	b     *backend
	mail  *server.Mail
	rcpts []queue.Recipient

	sink    sink
	editor  *editor // nil unless this is submission
	scan    message.Header
	size    int64
	hops    int
	looping map[string]bool // recipients that a Delivered-To names
	no      smtp.Reply      // why the message will be refused, if it will
}

// sink is where a message goes. Commit makes it durable and says yes or no; the
// zero Reply is no answer at all.
type sink interface {
	io.Writer
	ID() string
	Commit() smtp.Reply
	Abort()
}

func (in *incoming) Rcpt(r *server.Rcpt) smtp.Reply {
	to, no := in.b.judgeRcpt(in.mail, r.To)
	if no.Code != 0 {
		return in.b.refuse(no, "from", "<"+in.mail.From.String()+">", "to", "<"+to.String()+">",
			"helo", in.mail.Client.Helo, "login", in.mail.Client.Login)
	}
	in.rcpts = append(in.rcpts, queue.Recipient{Address: to.String(), Notify: r.Notify, ORcpt: r.ORcpt})
	return smtp.Reply{}
}

// Begin opens the sink and writes our Received line.
func (in *incoming) Begin() smtp.Reply {
	s, err := in.b.openSink(in)
	if err != nil {
		in.b.log.Event("queue-failed", "from", "<"+in.mail.From.String()+">", "err", err)
		return replyNoStorage
	}
	in.sink = s
	in.scan.Field = in.look
	if in.b.set.submission {
		in.editor = &editor{dst: s, add: in.missingFields}
	}
	only := ""
	if len(in.rcpts) == 1 {
		only = in.rcpts[0].Address
	}
	_, err = s.Write(in.b.received(in.mail, s.ID(), only))
	in.broken(err)
	return smtp.Reply{}
}

// Write takes the next piece.
func (in *incoming) Write(p []byte) (int, error) {
	in.size += int64(len(p))
	if !in.scan.Done() {
		in.scan.Write(p)
	}
	var dst io.Writer = in.sink
	if in.editor != nil {
		dst = in.editor
	}
	n, err := dst.Write(p)
	in.broken(err)
	return n, err
}

// broken notes that the sink has failed, which the verdict will say.
func (in *incoming) broken(err error) {
	if err != nil && in.no.Code == 0 {
		in.b.log.Event("queue-failed", "q", in.sink.ID(), "err", err)
		in.no = replyNoStorage
	}
}

// look counts hops and finds our own trace (RFC 5321 section 6.3).
func (in *incoming) look(f message.Field) {
	switch {
	case f.Is("Received"):
		in.hops++
	case f.Is("Delivered-To"):
		if in.looping == nil {
			in.looping = map[string]bool{}
		}
		if len(in.looping) < maxDeliveredTo {
			in.looping[strings.ToLower(string(f.Value))] = true
		}
	}
}

// maxDeliveredTo is how many Delivered-To lines are remembered.
const maxDeliveredTo = 200

// loop is the refusal of a message that is going in circles; the zero Reply: it
// is not. If only some of the recipients have had it, deliver stops it there.
func (in *incoming) loop() smtp.Reply {
	if in.hops > in.b.set.hopLimit {
		return replyHops
	}
	for _, r := range in.rcpts {
		if !in.looping[strings.ToLower(r.Address)] {
			return smtp.Reply{}
		}
	}
	return replyLoop
}

// End gives the verdict.
func (in *incoming) End(verdict func(...smtp.Reply)) {
	in.scan.Close()
	if in.editor != nil && in.no.Code == 0 {
		in.broken(in.editor.Close())
	}
	if no := in.loop(); no.Code != 0 && in.no.Code == 0 {
		in.no = no
	}
	if in.no.Code != 0 {
		in.sink.Abort()
		verdict(in.refused(in.no))
		return
	}
	r := in.sink.Commit()
	if !r.OK() {
		in.refused(r)
	} else {
		in.queued()
	}
	verdict(r)
}

func (in *incoming) refused(r smtp.Reply) smtp.Reply {
	return in.b.refuse(r, "q", in.sink.ID(), "from", "<"+in.mail.From.String()+">", "rcpts", len(in.rcpts), "size", in.size)
}

func (in *incoming) queued() {
	in.b.log.Event("queued", "q", in.sink.ID(), "from", "<"+in.mail.From.String()+">",
		"rcpts", len(in.rcpts), "size", in.size, "peer", in.b.peer.RemoteIP(),
		"helo", in.mail.Client.Helo, "with", in.mail.With(), "login", in.mail.Client.Login)
}

func (in *incoming) Abort() {
	if in.sink != nil {
		in.sink.Abort()
	}
}
