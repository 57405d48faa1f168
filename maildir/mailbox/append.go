package mailbox

import (
	"errors"
	"fmt"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/dotlock"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// Append is one or several messages on their way into a folder, for all of which
// there is one answer (RFC 3502). End it with Commit or Abort.
type Append struct {
	m     *maildir.Maildir
	now   func() time.Time
	batch *maildir.Batch
}

// NewAppend begins an Append to m, which need not be open as a Mailbox.
func NewAppend(m *maildir.Maildir, now func() time.Time) *Append {
	return &Append{m, now, m.Batch()}
}

// Begin begins the next message. A zero date is now. The message is what is
// written until the next Begin or Commit, with LF line ends.
func (a *Append) Begin(flags maildir.Flags, date time.Time) error { return a.batch.Begin(flags, date) }

// Write appends to the message that was begun last.
func (a *Append) Write(p []byte) (int, error) { return a.batch.Write(p) }

// Size is what was written of this message so far, in bytes as stored.
func (a *Append) Size() int64 {
	stored, _ := a.batch.Size()
	return stored
}

// Commit publishes all messages and returns their UIDs in order (APPENDUID). When
// it returns without error, no power cut loses one of them. After an error none
// of them is there; only a crash can leave some of them, without a yes.
func (a *Append) Commit() (validity uint32, uids []UID, err error) {
	before := headOf(a.m)
	msgs, err := a.batch.Commit()
	if err != nil {
		return 0, nil, err
	}
	return assign(a.m, before, msgs, a.now())
}

// Abort gives everything up. After Commit it does nothing.
func (a *Append) Abort() { a.batch.Abort() }

// headOf is the head of the index of m, the zero Head if there is none. What appends to
// the list of UIDs by it must have taken it before its messages could be seen:
//
//  1. Append links a message into cur
//  2. a session lists cur, gives it UID 7, and notes in the index how the list is now
//  3. Append would find the list as that says, and give it UID 8
func headOf(m *maildir.Maildir) index.Head {
	h, err := index.ReadHead(m)
	if err != nil {
		return index.Head{}
	}
	return h
}

// assign gives UIDs to messages that were just put into m, of which before was the head
// until then; if it fails, they are removed again.
func assign(m *maildir.Maildir, before index.Head, msgs []maildir.Message, now time.Time) (validity uint32, uids []UID, err error) {
	names := make([]maildir.Name, len(msgs))
	for i, msg := range msgs {
		names[i] = msg.Name
	}
	list, err := assignNew(m, before, names, now)
	if err != nil {
		m.Expunge(msgs)
		return 0, nil, err
	}
	uids = make([]UID, len(names))
	for i, n := range names {
		uids[i] = UID(list.UID(n.Base))
	}
	return list.Validity, uids, nil
}

// assignNew gives UIDs to messages with new names.
func assignNew(m *maildir.Maildir, before index.Head, names []maildir.Name, now time.Time) (*uidlist.List, error) {
	if before.Appendable {
		list, err := uidlist.Extend(m, uidlist.Stamp(before.List), before.Validity, before.Next, names)
		if list != nil || err != nil {
			return list, busy(err)
		}
	}
	return assignUIDs(m, uidlist.Known{Validity: before.Validity, Next: before.Next}, names, now)
}

// assignUIDs is uidlist.AssignAfter with ErrBusy for its kind of it.
func assignUIDs(m *maildir.Maildir, known uidlist.Known, names []maildir.Name, now time.Time) (*uidlist.List, error) {
	list, err := uidlist.AssignAfter(m, known, names, now)
	return list, busy(err)
}

// busy is ErrBusy for package uidlist's kind of it.
func busy(err error) error {
	if errors.Is(err, dotlock.ErrBusy) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
