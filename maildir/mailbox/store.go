package mailbox

import (
	"errors"
	"slices"

	"rohrpost/maildir"
	"rohrpost/maildir/dotlock"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// Store is one change of flags.
type Store struct {
	// Remove is taken away first, then Add is added: FLAGS is Remove ^0.
	Remove, Add maildir.Flags
	// Conditional spares messages whose MODSEQ is above UnchangedSince, which may
	// be 0 (RFC 7162 section 3.1.3).
	Conditional    bool
	UnchangedSince uint64
}

// Stored is what became of a Store; all positions ascend.
type Stored struct {
	Changed  []int // At has the new flags and MODSEQ
	Modified []int // spared by UnchangedSince
	Gone     []int // whose files are nowhere
}

// rounds is how often messages that others rename meanwhile are tried.
const rounds = 5

// Store changes flags of the messages at positions. Flags that another program
// set meanwhile stay. Those that have the flags already are not touched and in no
// list. All changed messages get one MODSEQ. After an error, what was done so far
// is in Stored. A power cut may undo it until SyncFlags.
func (b *Mailbox) Store(positions []int, s Store) (Stored, error) {
	var done Stored
	todo := positions
	b.startWatch()
	if s.Conditional {
		if _, err := b.Sync(); err != nil {
			return done, err
		}
	}
	for range rounds {
		var missing []int
		err := b.update(func(u *update) (err error) {
			missing, err = u.store(todo, s, &done)
			return err
		})
		if err != nil {
			return done.sorted(), err
		}
		if len(missing) == 0 {
			return done.sorted(), nil
		}
		// Somebody renamed them or took them away: look where they are.
		todo, b.doubt = missing, true
		if _, err := b.Sync(); err != nil {
			return done.sorted(), err
		}
	}
	// Neither there under the names that scans see, nor certainly gone.
	done.Gone = append(done.Gone, todo...)
	return done.sorted(), nil
}

func (d *Stored) sorted() Stored {
	slices.Sort(d.Changed)
	slices.Sort(d.Modified)
	slices.Sort(d.Gone)
	return *d
}

// chunk is how many messages are renamed at a time: few enough for little memory,
// many enough to share a sync.
const chunk = 1000

// store is one round of Store, and returns who was not there.
func (u *update) store(positions []int, s Store, done *Stored) (missing []int, err error) {
	for part := range slices.Chunk(positions, chunk) {
		lost, err := u.storeChunk(part, s, done)
		missing = append(missing, lost...)
		if err != nil {
			return missing, err
		}
	}
	return missing, nil
}

func (u *update) storeChunk(positions []int, s Store, done *Stored) (missing []int, err error) {
	n := len(positions)
	was, msgs := make([]index.Record, 0, n), make([]maildir.Message, 0, n)
	flags, which := make([]maildir.Flags, 0, n), make([]int, 0, n)
	for _, pos := range positions {
		r, msg, ok := u.b.named(pos)
		switch now := r.Flags&^s.Remove | s.Add; {
		case !ok:
			done.Gone = append(done.Gone, pos)
		case s.Conditional && r.ModSeq > s.UnchangedSince:
			done.Modified = append(done.Modified, pos)
		case now != r.Flags:
			was, msgs, flags, which = append(was, r), append(msgs, msg), append(flags, now), append(which, pos)
		}
	}
	if len(msgs) == 0 {
		return nil, nil
	}
	lost, err := u.refile(was, msgs, flags)
	next := 0
	for i, pos := range which {
		switch {
		case next < len(lost) && lost[next] == i:
			missing = append(missing, pos)
			next++
		case msgs[i].Flags == flags[i] && !msgs[i].New:
			done.Changed = append(done.Changed, pos)
		}
	}
	u.b.loose = true
	return missing, err
}

// refile renames files and writes their records, but for those that are not there.
func (u *update) refile(was []index.Record, msgs []maildir.Message, flags []maildir.Flags) (lost []int, err error) {
	lock, err := u.b.lockOutDovecot()
	if err != nil {
		return nil, err
	}
	lost, err = u.b.m.Refile(msgs, flags)
	lock.Release()
	for i, msg := range msgs {
		if msg.Flags != flags[i] || msg.New {
			continue
		}
		r := was[i]
		r.New = false
		if r.Flags != flags[i] {
			r.Flags, r.ModSeq = flags[i], u.next()
		}
		u.put(&was[i], r, []byte(msg.String()))
	}
	return lost, err
}

// dovecotLog is a file that Dovecot has in each folder that it serves.
const dovecotLog = "dovecot.index.log"

// besideDovecot reports whether Dovecot serves the folder too.
func (b *Mailbox) besideDovecot() bool {
	_, err := b.m.Dir().Stat(dovecotLog)
	return err == nil
}

// lockOutDovecot keeps Dovecot from listing the folder while messages are renamed, if
// it serves the folder too: it takes one that its listing has missed for removed, and
// gives it another UID. The lock may be nil.
func (b *Mailbox) lockOutDovecot() (*dotlock.Lock, error) {
	if !b.besideDovecot() {
		return nil, nil
	}
	lock, err := uidlist.Lock(b.m)
	if errors.Is(err, dotlock.ErrBusy) {
		err = ErrBusy
	}
	return lock, err
}

// SyncFlags makes all that Store did durable. Call it when a session ends, idles
// or has gone on for five seconds; it does nothing if nothing was stored.
func (b *Mailbox) SyncFlags() error {
	if !b.loose {
		return nil
	}
	b.loose = false
	return b.m.Sync()
}

// Expunge removes the messages at positions for good. They stay in their places,
// gone, until Forget. Once it returns without error, no power cut brings one back,
// and every session learns of it as VANISHED.
//
// The order: remove the files, sync, and only then write that they are gone. A
// crash in between leaves messages that the next scan misses.
func (b *Mailbox) Expunge(positions []int) error {
	b.startWatch()
	return b.update(func(u *update) error {
		var was []index.Record
		var msgs []maildir.Message
		for _, pos := range positions {
			if r, msg, ok := b.named(pos); ok {
				was, msgs = append(was, r), append(msgs, msg)
			}
		}
		if len(msgs) == 0 {
			return nil
		}
		if err := b.m.Expunge(msgs); err != nil {
			b.doubt = true // some of them may be gone
			return err
		}
		for _, r := range was {
			u.expunge(r)
		}
		return nil
	})
}

// Take moves what lies in new to cur: a mail reader has seen it. Positions and
// Recent stay as they are.
func (b *Mailbox) Take() error {
	if b.img.Head().New == 0 {
		return nil
	}
	b.startWatch()
	return b.update(func(u *update) error {
		var was []index.Record
		var msgs []maildir.Message
		var flags []maildir.Flags
		for pos := range b.view.at {
			if r, ok := b.at(pos); !ok || !r.New {
				continue
			}
			if r, msg, ok := b.named(pos); ok {
				b.noteRecent(r.UID)
				was, msgs, flags = append(was, r), append(msgs, msg), append(flags, r.Flags)
			}
		}
		lost, err := u.refile(was, msgs, flags)
		b.doubt = b.doubt || len(lost) > 0
		return err
	})
}
