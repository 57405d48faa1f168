package mailbox

import (
	"rohrpost/maildir"
	"rohrpost/maildir/index"
)

// unseen is what FirstUnseen has found out and the index does not know: in a mailbox
// with this head, the first unseen message and how many are before it.
type unseen struct {
	head        index.Head
	uid, before uint32
}

// FirstUnseen is the position of the first message that is not seen. In a mailbox
// that has not changed since the last session, the index knows it.
func (b *Mailbox) FirstUnseen() (pos int, ok bool) {
	h := b.img.Head()
	if h.Unseen == 0 {
		return 0, false
	}
	if b.view == nil && h.BeforeUnseen != index.UnknownCount {
		return int(h.BeforeUnseen), true
	}
	if !b.ready() {
		return 0, false
	}
	h = b.img.Head()
	pos, _ = b.view.find(h.FirstUnseen)
	for ; pos < b.Len(); pos++ {
		if m := b.At(pos); !m.Gone && m.Flags&maildir.Seen == 0 {
			b.noteUnseen(h, pos)
			return pos, true
		}
	}
	return 0, false
}

// noteUnseen keeps the answer of FirstUnseen for the sessions to come, if they will
// have the numbering that this one has.
func (b *Mailbox) noteUnseen(h index.Head, pos int) {
	if v := b.view; h.BeforeUnseen == index.UnknownCount && h == b.img.Head() && v.gone == 0 && len(v.hidden) == 0 {
		b.unseen = unseen{h, v.uids[pos], uint32(pos)}
	}
}

// writeUnseen writes what FirstUnseen has found out, if nothing has changed since.
func (u *update) writeUnseen() {
	if b := u.b; b.unseen.uid != 0 && b.unseen.head == b.img.Head() {
		u.head.FirstUnseen, u.head.BeforeUnseen = b.unseen.uid, b.unseen.before
	}
	u.b.unseen = unseen{}
}

// moveUnseen keeps the first unseen message right when a record becomes another one;
// old is nil for a new message, and now for one that goes.
func (u *update) moveUnseen(old, now *index.Record) {
	h := &u.head
	if now != nil && now.Flags&maildir.Seen == 0 && (h.FirstUnseen == 0 || now.UID < h.FirstUnseen) {
		h.FirstUnseen, h.BeforeUnseen = now.UID, index.UnknownCount
	}
	switch {
	case h.BeforeUnseen == index.UnknownCount:
	case old == nil && now.UID < h.FirstUnseen:
		h.BeforeUnseen++
	case now == nil && old.UID < h.FirstUnseen:
		h.BeforeUnseen--
	case old != nil && old.UID == h.FirstUnseen && (now == nil || now.Flags&maildir.Seen != 0):
		h.BeforeUnseen = index.UnknownCount
	}
}
