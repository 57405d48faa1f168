package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"rohrpost/maildir"
	"rohrpost/protocol/smtp"
)

// The exit codes of qmail-queue (qmail-queue(8)).
const (
	qmailQueued   = 0
	qmailPermLow  = 11 // the first of the permanent codes
	qmailPermHigh = 40 // the last
	qmailText     = 82 // the reason is on descriptor 6
)

// maxQmailText bounds the reason on descriptor 6, in bytes.
const maxQmailText = 1 << 10

// queueProgram is the program in QMAILQUEUE, which gets the message on
// descriptor 0 and then the envelope on descriptor 1, as qmail-queue does.
type queueProgram struct {
	b        *backend
	in       *incoming
	id       string // for trace and log; the program has one of its own
	child    *child
	message  *os.File
	envelope *os.File
	reason   *os.File
	err      error // the first failure to write to it
}

func startQueueProgram(b *backend, in *incoming) (*queueProgram, error) {
	id, err := maildir.SystemNamer().Next()
	if err != nil {
		return nil, err
	}
	q := &queueProgram{b: b, in: in, id: id}
	var theirs [3]*os.File
	if err := q.openPipes(&theirs); err != nil {
		q.closePipes(theirs[:]...)
		return nil, err
	}
	// A message may take long to come in, so the limit starts anew at the end.
	q.child, err = startChild([]string{b.set.queueProgram}, b.environ(in.mail), 24*time.Hour,
		theirs[0], theirs[1], nil, nil, nil, theirs[2])
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		q.closePipes()
		return nil, err
	}
	return q, nil
}

func (q *queueProgram) openPipes(theirs *[3]*os.File) (err error) {
	if theirs[0], q.message, err = os.Pipe(); err != nil {
		return err
	}
	if theirs[1], q.envelope, err = os.Pipe(); err != nil {
		return err
	}
	q.reason, theirs[2], err = os.Pipe()
	return err
}

// closePipes closes ours and these; closing what was never opened does nothing.
func (q *queueProgram) closePipes(theirs ...*os.File) {
	for _, f := range append(theirs, q.message, q.envelope, q.reason) {
		f.Close()
	}
}

func (q *queueProgram) ID() string { return q.id }

// Write waits for the program to read, but not for ever. A program that has seen
// enough has not failed: its exit code will say what it thinks.
func (q *queueProgram) Write(p []byte) (int, error) {
	if q.err == nil {
		q.message.SetWriteDeadline(time.Now().Add(q.b.set.childLimit))
		_, q.err = q.message.Write(p)
	}
	return len(p), nil
}

// Abort closes the pipes before the envelope is whole, which makes any such
// program give up, and ends it.
func (q *queueProgram) Abort() {
	q.closePipes()
	q.child.end()
	q.child.wait()
}

func (q *queueProgram) Commit() smtp.Reply {
	defer q.closePipes()
	q.child.kill.Reset(q.b.set.childLimit)
	q.message.Close()
	q.envelope.SetWriteDeadline(time.Now().Add(q.b.set.childLimit))
	if q.err == nil {
		_, q.err = q.envelope.Write(q.in.qmailEnvelope())
	}
	q.envelope.Close()
	code, err := q.child.wait()
	if err == nil && code == qmailQueued && q.err != nil {
		err = fmt.Errorf("%s exited 0, but did not read: %w", q.child.name, q.err)
	}
	if err != nil {
		q.b.log.Event("queue-failed", "q", q.id, "err", err)
		return replyLater
	}
	return q.verdict(code)
}

// verdict is the reply for an exit code.
func (q *queueProgram) verdict(code int) smtp.Reply {
	switch {
	case code == qmailQueued:
		return queuedReply(q.id)
	case code == qmailText:
		if r, ok := q.readReason(); ok {
			return r
		}
	}
	q.b.log.Event("queue-failed", "q", q.id, "code", code)
	if code >= qmailPermLow && code <= qmailPermHigh {
		return replyFailed
	}
	return replyLater
}

// readReason reads the text on descriptor 6: D or Z, then words for the sender.
func (q *queueProgram) readReason() (smtp.Reply, bool) {
	q.reason.SetReadDeadline(time.Now().Add(time.Second))
	text, _ := io.ReadAll(io.LimitReader(q.reason, maxQmailText))
	if len(text) < 2 {
		return smtp.Reply{}, false
	}
	r := replyLater
	switch text[0] {
	case 'D':
		r = replyRefused
	case 'Z':
	default:
		return smtp.Reply{}, false
	}
	r.Text = printable(string(text[1:]))
	return r, true
}

// qmailEnvelope is the envelope as qmail-queue reads it.
func (in *incoming) qmailEnvelope() []byte {
	b := append([]byte{'F'}, in.mail.From.String()...)
	for _, r := range in.rcpts {
		b = append(b, 0, 'T')
		b = append(b, r.Address...)
	}
	return append(b, 0, 0)
}
