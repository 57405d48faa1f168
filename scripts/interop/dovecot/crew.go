package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// folders are the mailboxes that all work in.
var folders = []string{inbox, "Work.a", "Lists"}

// own is a mailbox of which a worker changes only whether it is subscribed to.
// Dovecot subscribes to no mailbox that does not exist.
func own(worker string) string { return "Own." + worker }

// serial numbers messages.
var serial atomic.Int64

func nextID(by string) string { return fmt.Sprintf("%s-%d", by, serial.Add(1)) }

// worker does one thing after the other in the Maildir.
type worker struct {
	*host
	name   string
	server string // "": works on the files
	r      *rand.Rand
	full   int // about how many messages a folder has
}

// workers are two by each server, one who delivers, one who reads mail by the files.
var workers = []worker{
	{name: "imapd-1", server: imapd}, {name: "imapd-2", server: imapd},
	{name: "dovecot-1", server: dovecot}, {name: "dovecot-2", server: dovecot},
	{name: "deliver"}, {name: "reader"},
}

// crew is those of workers that are wanted, in this host.
func (h *host) crew(r *rand.Rand, o options) (all []*worker) {
	for _, w := range workers {
		if kind, _, _ := strings.Cut(w.name, "-"); !slices.Contains(strings.Fields(o.workers), kind) {
			continue
		}
		w.host, w.r, w.full = h, rand.New(rand.NewPCG(r.Uint64(), 0)), o.messages
		all = append(all, &w)
	}
	return all
}

// all lets a crew work at the same time.
func (h *host) all(crew []*worker, end time.Time) error {
	var wg sync.WaitGroup
	errs := make([]error, len(crew))
	for i, w := range crew {
		wg.Go(func() {
			for time.Now().Before(end) && errs[i] == nil {
				errs[i] = w.work(10)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// work does some steps, by a server in one session.
func (w *worker) work(n int) error {
	folder := folders[w.r.IntN(len(folders))]
	switch w.name {
	case "deliver":
		return w.deliver(folder, n)
	case "reader":
		return w.read(folder, n)
	}
	s, err := w.session(w.server)
	if err != nil {
		return err
	}
	defer s.close()
	v, err := w.ledger.look(w.name, s, folder)
	if err != nil {
		return w.pass(err)
	}
	t := &turn{w, s, folder, v}
	for range n {
		if err := t.step(); err != nil {
			return err
		}
	}
	return nil
}

// pass lets refusals pass that are no wonder when all work at once: the messages may
// be gone.
func (w *worker) pass(err error) error {
	var r *refused
	if w.together && errors.As(err, &r) {
		verb, _, _ := strings.Cut(strings.TrimPrefix(r.command, "UID "), " ")
		answer, _, _ := strings.Cut(r.answer, " (0.")
		w.ledger.refuse(r.server + " " + verb + ": " + answer)
		return nil
	}
	return err
}

// tick is more than the clock of any file system takes to go on: only then a listing
// proves that a message is gone.
const tick = 50 * time.Millisecond

// compare has both servers look at each folder, and holds one to the other.
func (h *host) compare(when string) error {
	time.Sleep(tick)
	ours, err := h.session(imapd)
	if err != nil {
		return err
	}
	defer ours.close()
	theirs, err := h.session(dovecot)
	if err != nil {
		return err
	}
	defer theirs.close()
	for _, folder := range folders {
		if err := h.compareFolder(when, folder, ours, theirs); err != nil {
			return err
		}
	}
	return h.compareSubscriptions(when, ours, theirs)
}

func (h *host) compareFolder(when, folder string, ours, theirs *session) error {
	var views [3]view
	for i, s := range []*session{ours, theirs, ours} {
		var err error
		if views[i], err = h.ledger.look(s.server, s, folder); err != nil {
			return err
		}
	}
	for _, d := range differences(views[0], views[1]) {
		h.ledger.complain("%s, %s: imapd and dovecot tell %s", when, folder, d)
	}
	for _, d := range differences(views[0], views[2]) {
		h.ledger.complain("%s, %s: imapd tells before and after dovecot %s", when, folder, d)
	}
	h.ledger.settle(when, folder, views[2])
	return nil
}

func (h *host) compareSubscriptions(when string, ours, theirs *session) error {
	a, err := ours.subscriptions()
	if err != nil {
		return err
	}
	b, err := theirs.subscriptions()
	if err != nil {
		return err
	}
	if !slices.Equal(a, b) {
		h.ledger.complain("%s: imapd tells subscriptions %q, dovecot %q", when, a, b)
	}
	h.ledger.settleSubscriptions(when, imapd, a)
	h.ledger.settleSubscriptions(when, dovecot, b)
	return nil
}
