package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"rohrpost/cmd/internal/maillog"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
	"rohrpost/protocol/ucspi"
)

// backend judges what the engine has read.
type backend struct {
	set  *settings
	peer ucspi.Peer
	log  *maillog.Logger
	now  func() time.Time

	queue *queue.Queue // unless another program queues, or nobody does
	pipe  *pipe        // to deliver, in LMTP; nil until there is a message
}

// open opens what the first message would need, so that a queue that is missing
// is noticed before the greeting.
func (b *backend) open() (err error) {
	if b.set.queuePath != "" {
		b.queue, err = queue.OpenForPut(b.set.queuePath, disk.OS)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; relay makes the queue when it starts, and --queue names another", err)
		}
	}
	return err
}

func (b *backend) close() {
	if b.pipe != nil {
		b.pipe.close()
	}
	if b.queue != nil {
		b.queue.Close()
	}
}

// Mail judges a sender.
func (b *backend) Mail(m *server.Mail) (server.Transaction, smtp.Reply) {
	if r := b.judgeSender(m); r.Code != 0 {
		return nil, b.refuse(r, "from", "<"+m.From.String()+">", "helo", m.Client.Helo, "login", m.Client.Login)
	}
	if b.set.lmtp {
		return &handover{b: b, mail: m}, smtp.Reply{}
	}
	return &incoming{b: b, mail: m}, smtp.Reply{}
}

func (b *backend) judgeSender(m *server.Mail) smtp.Reply {
	switch {
	case b.set.listed != "":
		return listedReply(b.set.listed)
	case b.set.badSenders.match(m.From):
		return replyBadSender
	case m.Client.Login != "":
		return b.judgeLoggedIn(m)
	}
	return smtp.Reply{}
}

// refuse logs a refusal and returns its reply.
func (b *backend) refuse(r smtp.Reply, pairs ...any) smtp.Reply {
	b.log.Event("refused", append(pairs, "peer", b.peer.RemoteIP(), "reply", r.String())...)
	return r
}

// listedReply is the refusal of a client that RBLSMTPD names: permanent if its
// text begins with a hyphen, as rblsmtpd has it.
func listedReply(text string) smtp.Reply {
	r := smtp.Reply{Code: 451, Enhanced: "4.7.1"}
	if t, ok := strings.CutPrefix(text, "-"); ok {
		r, text = smtp.Reply{Code: 553, Enhanced: "5.7.1"}, t
	}
	r.Text = printable(text)
	return r
}

// maxText is how much of a text that is not ours goes into a reply, in bytes.
const maxText = 400

// printable is text that may stand in a reply or a header field.
func printable(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, text)
}
