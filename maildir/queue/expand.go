package queue

import (
	"errors"
	"fmt"
	"io/fs"
)

// Expand gives each recipient of an entry with R 0 a name of its own in cur, and
// takes the common name away. After it the claim is for all of them that nobody
// else holds, and that nobody put on hold. again says that an earlier Expand may
// have been cut short: then names that are there are looked for first, since
// somebody may have set flags on them. The order:
//
//  1. lock the bytes of all recipients, so that another relay that sees the
//     names leaves them to us
//  2. link a name for each into cur; one that is there stays
//  3. sync cur
//  4. remove the common name, and sync where it was
//
// A crash repeats it all. Nothing may be sent before it returns nil: then no
// power cut brings the common name back.
func (c *Claim) Expand(again bool) error {
	whole := c.Entries[0]
	mine, err := c.lockAll()
	if err != nil {
		return err
	}
	var known []Entry
	if again {
		if known, err = c.q.named(whole.ID); err != nil {
			return fmt.Errorf("expand %s: %w", whole.ID, err)
		}
	}
	entries, err := c.q.linkAll(whole, &c.Envelope, known)
	if err != nil {
		return fmt.Errorf("expand %s: %w", whole.ID, err)
	}
	if err := c.q.remove(whole); err != nil {
		return fmt.Errorf("expand %s: %w", whole.ID, err)
	}
	if err := c.q.fs.SyncDir(c.q.places()[whole.where]); err != nil {
		return fmt.Errorf("expand %s: %w", whole.ID, err)
	}
	c.Entries = c.Entries[:0]
	for _, e := range entries {
		if mine[e.R] && !e.Held && !e.Cancelled {
			c.Entries = append(c.Entries, e)
		}
	}
	return nil
}

// lockAll locks all recipients and reports which of them it got, by number.
func (c *Claim) lockAll() ([]bool, error) {
	n := len(c.Envelope.Recipients)
	mine := make([]bool, n+1)
	all := lock(c.file, 1, n)
	if all != nil && !errors.Is(all, ErrBusy) {
		return nil, all
	}
	for r := 1; r <= n; r++ {
		if all == nil {
			mine[r] = true
			continue
		}
		err := lock(c.file, r, 1)
		if err != nil && !errors.Is(err, ErrBusy) {
			return nil, err
		}
		mine[r] = err == nil
	}
	return mine, nil
}

// linkAll is steps 2 and 3. T is the common name's, so that a repetition makes
// the same names.
func (q *Queue) linkAll(whole Entry, env *Envelope, known []Entry) ([]Entry, error) {
	entries := make([]Entry, 0, len(env.Recipients))
	seen := make(map[int]Entry, len(known))
	for _, e := range known {
		seen[e.R] = e
	}
	for i, r := range env.Recipients {
		e, there := seen[i+1]
		if !there {
			e = Entry{ID: whole.ID, R: i + 1, Domain: domainField(r.Address), Next: whole.Next, where: InCur}
			e.name = e.curName("")
			err := q.fs.Link(q.places()[whole.where], whole.name, q.cur, e.name)
			if err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, err
			}
		}
		entries = append(entries, e)
	}
	return entries, q.fs.SyncDir(q.cur)
}
