package main

import (
	"rohrpost/maildir/queue"
	"rohrpost/protocol/smtp"
)

// openSink opens the place where a message goes.
func (b *backend) openSink(in *incoming) (sink, error) {
	s, err := b.openQueue(in)
	if err != nil || len(b.set.filter) == 0 {
		return s, err
	}
	f, err := newFilter(b, in, s)
	if err != nil {
		s.Abort()
		return nil, err
	}
	return f, nil
}

func (b *backend) openQueue(in *incoming) (sink, error) {
	if b.set.queueProgram != "" {
		return startQueueProgram(b, in)
	}
	put, err := b.queue.Begin(in.envelope())
	if err != nil {
		return nil, err
	}
	return &queueSink{Put: put, b: b}, nil
}

// envelope is what the queue must know beside the message.
func (in *incoming) envelope() queue.Envelope {
	m := in.mail
	return queue.Envelope{
		Sender:     m.From.String(),
		Recipients: in.rcpts,
		Ret:        m.Ret,
		EnvID:      m.EnvID,
		Body:       m.Body,
		UTF8:       m.UTF8,
		Auth:       m.Auth,
		Arrived:    in.b.now(),
		Client:     in.b.client(m),
	}
}

// queueSink is our own queue.
type queueSink struct {
	*queue.Put
	b *backend
}

func (s *queueSink) Commit() smtp.Reply {
	if err := s.Put.Commit(); err != nil {
		s.b.log.Event("queue-failed", "q", s.ID(), "err", err)
		return replyNoStorage
	}
	return queuedReply(s.ID())
}

func queuedReply(id string) smtp.Reply {
	return smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "queued as " + id}
}
