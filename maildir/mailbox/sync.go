package mailbox

import (
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// Sync learns what happened to the mailbox since the last call: by other
// sessions, by other programs, by ours. Positions stay; new messages are appended.
// Changed reports whether there is anything in Flagged or Gone, or Len has grown.
// After an error but ErrBusy the session is at its end.
func (b *Mailbox) Sync() (changed bool, err error) {
	if b.err != nil {
		return false, b.err
	}
	if !b.stirred() {
		return b.news(b.Len()), nil
	}
	if !b.ready() {
		return false, b.err
	}
	before := len(b.view.uids)
	err = b.learn()
	return b.news(before), err
}

// news reports whether there is something to tell, in a view that had so many
// positions before.
func (b *Mailbox) news(before int) bool {
	return b.view != nil && (len(b.view.uids) > before || b.view.gone > 0 || len(b.flagged) > 0)
}

// stirred reports whether anything may have changed. It costs a few system calls.
func (b *Mailbox) stirred() bool {
	if b.watch != nil {
		b.drain()
	} else if now, err := b.m.Stamp(); err != nil || now != b.seen {
		b.doubt = true
	}
	return b.doubt || len(b.events) > 0 || b.img.Stale() || !b.listed()
}

// learn brings index and view to what the directories are.
func (b *Mailbox) learn() error {
	if err := b.refresh(); err != nil {
		return err
	}
	if b.listed() && !b.doubt && b.explain() {
		return nil
	}
	if b.listed() && !b.doubt {
		if err := b.update((*update).happened); err != nil || !b.doubt {
			return err
		}
	}
	return b.update(func(u *update) error {
		// Another session may have scanned while we waited for the lock.
		if b.current() {
			b.doubt = false
			return nil
		}
		return u.scan(!b.listed())
	})
}

// listed reports whether the index agrees with the list of UIDs.
func (b *Mailbox) listed() bool { return b.img.Head().List == index.StampFile(b.m, uidlist.Name) }

// ready makes the view, if there is none yet. False says that the session is at
// its end; b.err has the reason.
func (b *Mailbox) ready() bool {
	if b.err != nil {
		return false
	}
	if b.view != nil {
		return true
	}
	v, err := load(b.img)
	if err == nil && uint32(len(v.uids)) != b.img.Head().Messages {
		err = index.ErrDamaged
	}
	if err == nil {
		err = b.rememberTail(b.img)
	}
	if err != nil {
		b.err = b.recover()
		return b.err == nil
	}
	b.view = v
	return true
}

// rememberTail takes up the expunges that an image's tail tells of.
func (b *Mailbox) rememberTail(x *index.Image) error {
	b.expunged = nil
	return x.Replay(func(f index.Frame) {
		if f.At == 0 {
			b.expunged = append(b.expunged, f.Expunge)
		}
	})
}

// recover makes a view when the index turned out to be damaged after its head was
// told. As long as the same number of messages is there and all have UIDs that were
// given before, they are the same messages.
func (b *Mailbox) recover() error {
	told := b.told
	if err := b.rebuild(); err != nil {
		return err
	}
	v, err := load(b.img)
	if err != nil {
		return err
	}
	n := len(v.uids)
	if b.Validity() != told.Validity || uint32(n) != told.Messages || n > 0 && v.uids[n-1] >= told.Next {
		return ErrLost
	}
	b.view = v
	return nil
}

// refresh takes up what other sessions have written.
func (b *Mailbox) refresh() error {
	replaced, err := b.img.Refresh(b.apply)
	if err == nil && !replaced {
		return nil
	}
	if err == nil {
		var img *index.Image
		if img, err = index.Load(b.m); err == nil {
			if err = b.adopt(img); err == nil {
				return nil
			}
			img.Close()
		}
	}
	if err == ErrReborn {
		b.err = err
		return err
	}
	if b.err = b.rebuild(); b.err != nil {
		return b.err
	}
	return nil
}

// apply takes up one frame of another session.
func (b *Mailbox) apply(f index.Frame) {
	if f.At == 0 {
		b.expunged = append(b.expunged, f.Expunge)
		b.vanish(f.Expunge.UID)
		return
	}
	b.place(f, true)
}

// place puts a record into the view. If tell, a change of its flags is told.
func (b *Mailbox) place(f index.Frame, tell bool) {
	v, r := b.view, f.Record
	pos, ok := v.find(r.UID)
	switch {
	case ok && v.at[pos] != 0:
		if old, ok := b.img.Record(v.at[pos]); tell && (!ok || old.Flags != r.Flags || old.ModSeq != r.ModSeq) {
			b.flagged = append(b.flagged, pos)
		}
		v.at[pos] = f.At
	case !ok && pos == len(v.uids):
		v.uids, v.at = append(v.uids, r.UID), append(v.at, f.At)
		b.meet(r)
		v.noteLate(b.img, r)
	default:
		b.hide(f)
		v.noteLate(b.img, r)
	}
}

// hide notes a message that this session does not show.
func (b *Mailbox) hide(f index.Frame) {
	for i, at := range b.view.hidden {
		if old, ok := b.img.Record(at); ok && old.UID == f.Record.UID {
			b.view.hidden[i] = f.At
			return
		}
	}
	b.view.hidden = append(b.view.hidden, f.At)
}

// vanish takes a message that is gone out of the view's records.
func (b *Mailbox) vanish(uid uint32) {
	v := b.view
	if pos, ok := v.find(uid); ok && v.at[pos] != 0 {
		v.drop(uid)
		return
	}
	for i, at := range v.hidden {
		if r, ok := b.img.Record(at); ok && r.UID == uid {
			v.hidden = append(v.hidden[:i], v.hidden[i+1:]...)
			return
		}
	}
}

// adopt goes over to a newer image, whose messages keep their positions.
func (b *Mailbox) adopt(img *index.Image) error {
	if img.Head().Validity != b.img.Head().Validity {
		return ErrReborn
	}
	next, err := load(img)
	if err != nil {
		return err
	}
	if err := b.rememberTail(img); err != nil {
		return err
	}
	v, old := b.view, b.img
	b.img, v.late, v.hidden = img, next.late, nil
	b.cache.reset()
	told := len(v.uids)
	k := 0
	for pos := range told {
		for k < len(next.uids) && next.uids[k] < v.uids[pos] {
			v.hidden = append(v.hidden, next.at[k])
			k++
		}
		if k == len(next.uids) || next.uids[k] != v.uids[pos] {
			v.drop(v.uids[pos])
			continue
		}
		if v.at[pos] == 0 {
			v.hidden = append(v.hidden, next.at[k])
		} else {
			b.compare(old, pos, next.at[k])
			v.at[pos] = next.at[k]
		}
		k++
	}
	for ; k < len(next.uids); k++ {
		v.uids, v.at = append(v.uids, next.uids[k]), append(v.at, next.at[k])
		if r, ok := img.Record(next.at[k]); ok {
			b.meet(r)
		}
	}
	old.Close()
	return nil
}

// compare tells of a change between the record at pos and its successor.
func (b *Mailbox) compare(old *index.Image, pos int, now index.Ref) {
	was, ok := old.Record(b.view.at[pos])
	is, ok2 := b.img.Record(now)
	if !ok || !ok2 || was.Flags != is.Flags || was.ModSeq != is.ModSeq {
		b.flagged = append(b.flagged, pos)
	}
}

// meet notes whether a message that this session has not seen before is recent.
func (b *Mailbox) meet(r index.Record) {
	if r.New {
		b.noteRecent(r.UID)
	}
}

func (b *Mailbox) noteRecent(uid uint32) {
	if b.recent == nil {
		b.recent = map[uint32]bool{}
	}
	b.recent[uid] = true
}
