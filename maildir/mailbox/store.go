package mailbox

import "rohrpost/maildir"

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

// Store changes flags of the messages at positions. Flags that another program
// set meanwhile stay. Those that have the flags already are not touched and in no
// list. All changed messages get one MODSEQ. After an error, what was done so far
// is in Stored. A power cut may undo it until SyncFlags.
func (b *Mailbox) Store(positions []int, s Store) (Stored, error) { panic("being written") }

// SyncFlags makes all that Store did durable. Call it when a session ends, idles
// or has gone on for five seconds; it does nothing if nothing was stored.
func (b *Mailbox) SyncFlags() error { panic("being written") }

// Expunge removes the messages at positions for good. They stay in their places,
// gone, until Forget. Once it returns without error, no power cut brings one back,
// and every session learns of it as VANISHED.
func (b *Mailbox) Expunge(positions []int) error { panic("being written") }

// Take moves what lies in new to cur: a mail reader has seen it. Positions and
// Recent stay as they are.
func (b *Mailbox) Take() error { panic("being written") }
