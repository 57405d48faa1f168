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
	"slices"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/watch"
)

// UID is a unique identifier (RFC 9051 section 2.3.1.1); 0 is none.
type UID uint32

// ErrBusy is the error when another process has kept a lock too long.
var ErrBusy = index.ErrBusy

// ErrLost is the error when the index was damaged before any position had been
// asked for, and the mailbox changed as well. The numbering that was told cannot
// be found again; Close it.
var ErrLost = errors.New("index of the mailbox is lost")

// ErrReborn is the error of Sync when the list of UIDs was made anew with another
// UIDVALIDITY. Nothing that this Mailbox has told holds any more; Close it.
var ErrReborn = errors.New("mailbox has a new UIDVALIDITY")

// Options are how a mailbox is opened. The zero value is fine.
type Options struct {
	// Watch has changes told by the kernel (package watch) once Fd was called or
	// something was changed, so that nothing has to be scanned for them.
	Watch bool
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Counts are sums over a mailbox: Messages; Unseen, without maildir.Seen; Trashed,
// with maildir.Trashed, IMAP's \Deleted; New, that lie in new since no mail reader
// has taken them; Size, the known wire sizes in bytes; Unsized, how many are not
// known.
type Counts = index.Counts

// Mailbox is an open folder.
type Mailbox struct {
	m     *maildir.Maildir
	now   func() time.Time
	lock  *index.Lock  // nil if the index cannot be written
	img   *index.Image // what all sessions agree on
	watch *watch.Watch // nil until it is of use

	mayWatch bool
	view     *view         // nil until a position is asked for
	told     index.Head    // what was told while there was no view
	events   happenings    // drained, and not looked at yet
	doubt    bool          // only a scan finds out
	seen     maildir.Stamp // of the directories when they were settled and known
	err      error         // the end of this session

	flagged  []int           // for Flagged, unsorted
	recent   map[uint32]bool // UIDs met in new, if Take has moved them since
	expunged []index.Expunge // of the tail
	loose    bool            // flags were stored and not synced

	cache   cache
	found   found
	unseen  unseen
	scratch [256]byte // for a name
}

// Open opens the folder m, which the Mailbox uses and does not close. If the
// index knows the directories as they are, nothing but its head is read.
// Otherwise they are scanned, and messages without a UID get one. Errors are
// ErrBusy and those of the file system; that an index cannot be written is none.
func Open(m *maildir.Maildir, o Options) (*Mailbox, error) {
	b := &Mailbox{m: m, now: o.Now}
	if b.now == nil {
		b.now = time.Now
	}
	b.lock, _ = index.OpenLock(m)
	b.mayWatch = o.Watch
	if err := b.open(); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// open finds an index that describes the directories, or makes it so.
func (b *Mailbox) open() error {
	img, err := index.Load(b.m)
	if err != nil {
		err = b.rebuild()
	} else {
		b.img = img
		b.doubt = !b.current()
	}
	if err != nil {
		return err
	}
	if b.doubt {
		err = b.catchUp()
	}
	b.told = b.img.Head()
	return err
}

// catchUp is the first Sync, after which there is no news: nobody has been told
// anything yet.
func (b *Mailbox) catchUp() error {
	b.told = b.img.Head()
	_, err := b.Sync()
	if errors.Is(err, ErrReborn) || errors.Is(err, ErrLost) {
		b.err, b.view = nil, nil
		err = b.rebuild()
	}
	if err == nil {
		b.view, b.flagged, b.recent = nil, nil, nil
		b.cache.reset()
	}
	return err
}

// current reports whether the index describes the directories as they are.
func (b *Mailbox) current() bool {
	h := b.img.Head()
	if !describes(h, b.m) {
		return false
	}
	b.seen = h.Stamp
	return true
}

// Close lets go of everything but the Maildir, and may be called again. It may wait
// for a tick of the file system's clock (20 ms) to leave an index that the next Open
// need not doubt.
func (b *Mailbox) Close() error {
	if b.img == nil {
		return nil
	}
	err := b.SyncFlags()
	if b.view != nil {
		b.FirstUnseen()
	}
	b.Flush()
	b.settle()
	b.release()
	return err
}

func (b *Mailbox) release() {
	b.img.Close()
	b.lock.Close()
	b.watch.Close()
	b.cache.close()
	b.img, b.lock, b.watch = nil, nil, nil
}

// Validity is the UIDVALIDITY.
func (b *Mailbox) Validity() uint32 { return b.img.Head().Validity }

// Next is the UID that the next message will have at least (UIDNEXT).
func (b *Mailbox) Next() UID { return UID(b.img.Head().Next) }

// HighestModSeq is the highest MODSEQ of the mailbox, expunges among them
// (HIGHESTMODSEQ).
func (b *Mailbox) HighestModSeq() uint64 { return b.img.Head().ModSeq }

// Len is the number of positions: messages, and those gone and not forgotten.
func (b *Mailbox) Len() int {
	if b.view == nil {
		return int(b.told.Messages)
	}
	return len(b.view.uids)
}

// Counts are the sums over the messages as of the last Sync; what is gone does
// not count.
func (b *Mailbox) Counts() Counts { return b.img.Head().Counts }

// UID is the UID at a position.
func (b *Mailbox) UID(pos int) UID {
	if !b.ready() {
		return 0
	}
	return UID(b.view.uids[pos])
}

// Find is the position of a UID; if it is at none, that of the next higher one,
// Len() if there is none.
func (b *Mailbox) Find(uid UID) (pos int, ok bool) {
	if !b.ready() {
		return 0, false
	}
	return b.view.find(uint32(uid))
}

// Gone is the positions whose messages are gone, ascending, until Forget.
func (b *Mailbox) Gone() []int {
	if b.view == nil || b.view.gone == 0 {
		return nil
	}
	list := make([]int, 0, b.view.gone)
	for pos, at := range b.view.at {
		if at == 0 {
			list = append(list, pos)
		}
	}
	return list
}

// Flagged is the positions whose flags or MODSEQ changed since the last call of
// Flagged, by whomever, ascending; those that Store changed are left out.
func (b *Mailbox) Flagged() []int {
	slices.Sort(b.flagged)
	list := slices.Compact(b.flagged)
	b.flagged = nil
	return list
}

// Forget takes what is gone out of the numbering, as Gone lists it. Positions
// above move down.
func (b *Mailbox) Forget() {
	if b.view == nil || b.view.gone == 0 {
		return
	}
	b.Flush()
	b.shiftFlagged()
	b.view.forget()
	b.cache.reset()
}

// shiftFlagged keeps Flagged right when positions move down.
func (b *Mailbox) shiftFlagged() {
	if len(b.flagged) == 0 {
		return
	}
	gone := b.Gone()
	kept := b.flagged[:0]
	for _, pos := range b.flagged {
		below, is := slices.BinarySearch(gone, pos)
		if !is {
			kept = append(kept, pos-below)
		}
	}
	b.flagged = kept
}

// Vanished is the UIDs that were expunged after the mailbox had the MODSEQ since,
// ascending. If known is false the mailbox does not remember so far back, and
// every UID below Next that no message has may have vanished since.
func (b *Mailbox) Vanished(since uint64) (uids []UID, known bool) {
	if !b.ready() || since < b.img.Head().Floor {
		return nil, false
	}
	old, ok := b.img.Expunges()
	if !ok {
		return nil, false
	}
	for _, list := range [][]index.Expunge{old, b.expunged} {
		for _, e := range list {
			if e.ModSeq > since {
				uids = append(uids, UID(e.UID))
			}
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids), true
}

// Fd is a descriptor that becomes readable when there may be something to Sync,
// for poll(2); -1 if there is none, and then Sync should be called each second.
// Call Sync once after the first call.
func (b *Mailbox) Fd() int {
	b.startWatch()
	if b.watch == nil {
		return -1
	}
	return b.watch.Fd()
}

// startWatch has events told from now on. A session that changes nothing and does
// not idle needs none, and there are not many to be had.
func (b *Mailbox) startWatch() {
	if b.watch != nil || !b.mayWatch {
		return
	}
	if b.watch, _ = watch.New(b.m); b.watch == nil {
		b.mayWatch = false
		return
	}
	if now, err := b.m.Stamp(); err != nil || now != b.seen {
		b.doubt = true
	}
}
