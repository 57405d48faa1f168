// Package mailbox is one folder of a Maildir as an IMAP server needs it: its
// messages in ascending order of their UIDs, with sequence positions, flags,
// MODSEQ (RFC 7162), sizes and dates, and what is dear to derive from them.
//
// It knows no IMAP. UIDs are those of dovecot-uidlist (package uidlist); all else
// that names of files do not tell lies in rohrpost.index and rohrpost.cache
// (package index), from which a fresh process starts without a parse. Removing
// those two files changes no answer but MODSEQ, which only grows.
//
// Invariants of a Mailbox:
//  1. A position stays the same message until Forget: messages that went stay in
//     their places, and new ones come behind the last.
//  2. A UID is told only when the list of UIDs that has it is durable.
//  3. A message is gone only by a settled scan, by an event of its removal, or by
//     our own record of an expunge; otherwise it stays, and is looked for again.
//  4. MODSEQ never falls: it is the last one plus one, or the microseconds since
//     1970, whichever is more.
//  5. No lock is held between two calls.
//  6. What the index says counts only as far as its checksums are right. If they
//     are not, it is made anew from the directories and the list of UIDs.
//
// A Mailbox belongs to one goroutine. Positions count from 0; sequence numbers
// are positions plus one.
//
// Start reading at Open and Mailbox.Sync.
package mailbox

import (
	"errors"
	"time"

	"rohrpost/maildir"
)

// UID is a unique identifier (RFC 9051 section 2.3.1.1); 0 is none.
type UID uint32

// ErrBusy is the error when another process has kept a lock too long.
var ErrBusy = errors.New("mailbox is in use by another process")

// ErrReborn is the error of Sync when the list of UIDs was made anew with another
// UIDVALIDITY. Nothing that this Mailbox has told holds any more; Close it.
var ErrReborn = errors.New("mailbox has a new UIDVALIDITY")

// Options are how a mailbox is opened. The zero value is fine.
type Options struct {
	// Watch has changes told by the kernel (package watch), so that Sync costs
	// nothing while there are none. It needs a descriptor.
	Watch bool
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Counts are sums over a mailbox.
type Counts struct {
	Messages uint32
	Unseen   uint32 // without maildir.Seen
	Trashed  uint32 // with maildir.Trashed, IMAP's \Deleted
	New      uint32 // that lie in new: no mail reader has taken them
	// Size is the sum of the wire sizes that are known, in bytes; Unsized is the
	// number of messages whose wire size is not.
	Size    int64
	Unsized uint32
}

// Mailbox is an open folder.
type Mailbox struct {
}

// Open opens the folder m, which the Mailbox uses and does not close. If the
// index knows the directories as they are, nothing but its head is read.
// Otherwise they are scanned, and messages without a UID get one. Errors are
// ErrBusy and those of the file system; that an index cannot be written is none.
func Open(m *maildir.Maildir, o Options) (*Mailbox, error) { panic("being written") }

// Close lets go of everything but the Maildir. It may wait for a tick of the file
// system's clock (20 ms) to leave an index that the next Open need not doubt.
func (b *Mailbox) Close() error { panic("being written") }

// Validity is the UIDVALIDITY.
func (b *Mailbox) Validity() uint32 { panic("being written") }

// Next is the UID that the next message will have at least (UIDNEXT).
func (b *Mailbox) Next() UID { panic("being written") }

// HighestModSeq is the highest MODSEQ of the mailbox, expunges among them
// (HIGHESTMODSEQ).
func (b *Mailbox) HighestModSeq() uint64 { panic("being written") }

// Len is the number of positions: messages, and those gone and not forgotten.
func (b *Mailbox) Len() int { panic("being written") }

// Counts are the sums over the messages as of the last Sync; what is gone does
// not count.
func (b *Mailbox) Counts() Counts { panic("being written") }

// FirstUnseen is the position of the first message that is not seen.
func (b *Mailbox) FirstUnseen() (pos int, ok bool) { panic("being written") }

// UID is the UID at a position.
func (b *Mailbox) UID(pos int) UID { panic("being written") }

// Find is the position of a UID; if it is at none, that of the next higher one,
// Len() if there is none.
func (b *Mailbox) Find(uid UID) (pos int, ok bool) { panic("being written") }

// Sync learns what happened to the mailbox since the last call: by other
// sessions, by other programs, by ours. Positions stay; new messages are appended.
// Changed reports whether there is anything in Flagged or Gone, or Len has grown.
func (b *Mailbox) Sync() (changed bool, err error) { panic("being written") }

// Flagged is the positions whose flags or MODSEQ changed since the last call of
// Flagged, by whomever, ascending; those that Store changed are left out. The
// slice is valid until the next Sync.
func (b *Mailbox) Flagged() []int { panic("being written") }

// Gone is the positions whose messages are gone, ascending, until Forget.
func (b *Mailbox) Gone() []int { panic("being written") }

// Forget takes what is gone out of the numbering, as Gone lists it. Positions
// above move down.
func (b *Mailbox) Forget() { panic("being written") }

// Vanished is the UIDs that were expunged after the mailbox had the MODSEQ since,
// ascending. If known is false the mailbox does not remember so far back, and
// every UID below Next that no message has may have vanished since.
func (b *Mailbox) Vanished(since uint64) (uids []UID, known bool) { panic("being written") }

// Fd is a descriptor that becomes readable when there may be something to Sync,
// for poll(2); -1 if there is none, and then Sync should be called each second.
func (b *Mailbox) Fd() int { panic("being written") }
