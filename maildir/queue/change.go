package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Done takes a recipient's name away: it is delivered, reported, or somebody
// else's work now. If somebody renamed it meanwhile, the new name goes; if there
// is none, it was cancelled, and that is fine. The removal is not durable until
// Sync; for a local hand-over it need not be, since a second delivery is
// recognised.
func (q *Queue) Done(e Entry) error {
	if e.Tries > 0 || e.DelaySent {
		q.dropNote(e)
	}
	err := q.remove(e)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	now, ok, err := q.Find(e.ID, e.R)
	if err != nil || !ok {
		return err
	}
	if err := q.remove(now); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (q *Queue) remove(e Entry) error { return q.fs.Remove(q.places()[e.where], e.name) }

// Sync makes the names of these entries durable as they are now, and those that
// went stay away.
func (q *Queue) Sync(entries []Entry) error {
	var touched [2]bool
	for _, e := range entries {
		touched[e.where] = true
	}
	for where, d := range q.places() {
		if touched[where] {
			if err := q.fs.SyncDir(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Settle removes a name that Scan called Surplus. The name that stays has to be
// durable first.
func (q *Queue) Settle(e Entry) error {
	if err := q.Sync([]Entry{{where: InNew}, {where: InCur}}); err != nil {
		return err
	}
	if err := q.remove(e); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Retry gives a recipient the time of its next attempt and counts this one. It
// returns the entry under its new name. If the recipient has no name any more,
// the error is ErrGone. A crash may undo it: then the attempt comes early.
func (q *Queue) Retry(e Entry, next time.Time, delaySent bool) (Entry, error) {
	return q.change(e, func(e *Entry) {
		e.Next, e.Tries = next, e.Tries+1
		e.DelaySent = e.DelaySent || delaySent
	})
}

// RetryNow makes the recipient due.
func (q *Queue) RetryNow(e Entry, now time.Time) (Entry, error) {
	return q.change(e, func(e *Entry) { e.Next = now })
}

// Hold keeps the recipient from being tried until Release.
func (q *Queue) Hold(e Entry) (Entry, error) {
	return q.change(e, func(e *Entry) { e.setFlag('F', true); e.Held = true })
}

// Release ends Hold.
func (q *Queue) Release(e Entry) (Entry, error) {
	return q.change(e, func(e *Entry) { e.setFlag('F', false); e.Held = false })
}

// Cancel takes the recipient out of the queue without delivery and without a
// report, durably. The error is ErrGone if it is not there any more.
func (q *Queue) Cancel(e Entry) error {
	q.dropNote(e)
	if err := q.remove(e); err != nil {
		return gone(err)
	}
	return q.Sync([]Entry{e})
}

// setFlag adds or removes a flag, keeping the order of a mail reader's.
func (e *Entry) setFlag(flag byte, on bool) {
	var b strings.Builder
	put := !on
	for i := 0; i < len(e.flags); i++ {
		c := e.flags[i]
		if c == flag {
			continue
		}
		if !put && c > flag {
			b.WriteByte(flag)
			put = true
		}
		b.WriteByte(c)
	}
	if !put {
		b.WriteByte(flag)
	}
	e.flags = b.String()
}

// changeTries bounds how often a change runs after somebody's renames.
const changeTries = 3

// change gives an entry the name that edit makes of it. If it was renamed
// meanwhile, the change is made to its name of now.
func (q *Queue) change(e Entry, edit func(*Entry)) (Entry, error) {
	for range changeTries {
		to := e
		edit(&to)
		to.where = InCur
		to.name = to.curName(to.flags)
		err := q.rename(e, to.name)
		if err == nil {
			return to, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return e, err
		}
		now, ok, err := q.Find(e.ID, e.R)
		if err != nil {
			return e, err
		}
		if !ok {
			return e, ErrGone
		}
		e = now
	}
	return e, fmt.Errorf("%s: renamed again and again by somebody else", e.name)
}

// rename moves a name to cur. Out of new that is a link, a sync and a removal: of
// a rename between two directories a power cut may keep neither half.
func (q *Queue) rename(e Entry, name string) error {
	if e.where == InCur {
		if e.name == name {
			_, err := q.cur.Stat(name)
			return err
		}
		return q.fs.Rename(q.cur, e.name, q.cur, name)
	}
	if err := q.fs.Link(q.fresh, e.name, q.cur, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := q.fs.SyncDir(q.cur); err != nil {
		return err
	}
	if err := q.remove(e); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrGone
	}
	return err
}
