package mailbox

import (
	"slices"

	"rohrpost/maildir/index"
)

// view is the numbering of one session: which message is at which position. It
// takes eight bytes for each.
type view struct {
	uids []uint32
	at   []index.Ref // where the record is; 0 for a message that is gone
	gone int         // how many are

	// hidden are messages below the last UID that came back into being while this
	// session had its numbering. It does not show them.
	hidden []index.Ref
	// late are the messages that the snapshot's table does not know: UIDs by the
	// keys of their bases.
	late map[uint64]uint32
}

// find is the position of a UID, or where it would be.
func (v *view) find(uid uint32) (int, bool) { return slices.BinarySearch(v.uids, uid) }

// load makes the view that a new session has of an image.
func load(x *index.Image) (*view, error) {
	v := &view{late: map[uint64]uint32{}}
	n := x.Len()
	v.uids = make([]uint32, n, n+n/16+16)
	v.at = make([]index.Ref, n, cap(v.uids))
	last := uint32(0)
	for i := range n {
		r, ok := x.Record(x.At(i))
		if !ok || r.UID <= last {
			return nil, index.ErrDamaged
		}
		last = r.UID
		v.uids[i], v.at[i] = r.UID, x.At(i)
	}
	damaged := false
	err := x.Replay(func(f index.Frame) {
		if f.At == 0 {
			v.drop(f.Expunge.UID)
		} else if !v.insert(x, f) {
			damaged = true
		}
	})
	if damaged {
		err = index.ErrDamaged
	}
	v.forget()
	return v, err
}

// drop takes the record of a UID away.
func (v *view) drop(uid uint32) {
	if pos, ok := v.find(uid); ok && v.at[pos] != 0 {
		v.at[pos] = 0
		v.gone++
	}
}

// insert takes up a record wherever it belongs; nobody has seen the numbering yet.
func (v *view) insert(x *index.Image, f index.Frame) bool {
	pos, ok := v.find(f.Record.UID)
	if ok {
		if v.at[pos] == 0 {
			v.gone--
		}
		v.at[pos] = f.At
		return true
	}
	v.uids = slices.Insert(v.uids, pos, f.Record.UID)
	v.at = slices.Insert(v.at, pos, f.At)
	return v.noteLate(x, f.Record)
}

// noteLate makes a new message known by its base.
func (v *view) noteLate(x *index.Image, r index.Record) bool {
	var buf [256]byte
	name, ok := x.AppendName(buf[:0], r)
	if ok {
		v.late[index.Key(r.Base(name))] = r.UID
	}
	return ok
}

// forget takes what is gone out of the numbering.
func (v *view) forget() {
	if v.gone == 0 {
		return
	}
	kept := 0
	for i, at := range v.at {
		if at != 0 {
			v.uids[kept], v.at[kept] = v.uids[i], at
			kept++
		}
	}
	v.uids, v.at, v.gone = v.uids[:kept], v.at[:kept], 0
}
