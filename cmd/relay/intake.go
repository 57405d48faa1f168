package main

import (
	"errors"
	"io/fs"
	"time"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// takeDrop takes what users dropped into the queue. Names that were refused stay
// where they are and are not tried again.
func (r *relay) takeDrop(again bool) {
	names, err := r.q.Drops()
	if err != nil {
		r.log.Event("drop-failed", "err", err)
		return
	}
	c := r.config.Load()
	for _, name := range names {
		if r.stopping || r.refused[name] {
			continue
		}
		d, err := r.q.TakeDrop(name, c.me, time.Now(), c.databytes, again)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			r.log.Event("drop-failed", "file", name, "err", err)
			r.refuse(name, err)
		default:
			r.log.Event("queued", "q", d.Entry.ID, "from", "<"+d.Envelope.Sender+">",
				"rcpts", len(d.Envelope.Recipients), "uid", int(d.UID))
			r.note(d.Entry, false)
		}
	}
}

// maxRefused bounds what we remember of a directory that anybody can write to.
const maxRefused = 10_000

// refuse remembers a file that is of no use, now or later.
func (r *relay) refuse(name string, err error) {
	var bad *queue.EnvelopeError
	if !errors.As(err, &bad) && !errors.Is(err, disk.ErrNotRegular) &&
		!errors.Is(err, queue.ErrDropLink) && !errors.Is(err, queue.ErrDropSize) {
		return
	}
	r.remember(name)
}

// remember keeps a name from being complained about again.
func (r *relay) remember(name string) {
	if len(r.refused) < maxRefused {
		r.refused[name] = true
	}
}
