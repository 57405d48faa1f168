package mailbox

import (
	"cmp"
	"slices"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// arrival is a message on its way into the index.
type arrival struct {
	uid uint32
	msg maildir.Message
}

// overtaken sorts arrivals by UID, and adds messages that have got a lower UID than
// one of them and that what led to these has missed:
//
//  1. a scan passes the place in cur where a name is about to appear
//  2. Copy puts message a there and gives it UID 7
//  3. the scan comes upon message b, a later one, which gets UID 8
//
// A session that has been told of 8 can show no 7 behind it. A name is there before
// its UID, so another look finds it, except while it is renamed.
func (u *update) overtaken(order []arrival, list *uidlist.List, expunged func(uid uint32) bool) ([]arrival, error) {
	byUID := func(a, b arrival) int { return cmp.Compare(a.uid, b.uid) }
	slices.SortFunc(order, byUID)
	absent := u.absent(order, list, expunged)
	if len(absent) == 0 {
		return order, nil
	}
	late := map[uint32]maildir.Message{}
	_, err := u.b.m.Walk(func(name []byte, inode uint64, new bool) {
		if uid, ok := absent[string(maildir.BaseOf(name))]; ok {
			late[uid] = message(name, inode, new)
		}
	})
	for uid, msg := range late {
		order = append(order, arrival{uid, msg})
	}
	slices.SortFunc(order, byUID)
	return order, err
}

// absent is the messages of the list, by base, that are new to the index, have a
// lower UID than the last of order, are not in it, and nobody was told are gone.
func (u *update) absent(order []arrival, list *uidlist.List, expunged func(uid uint32) bool) map[string]uint32 {
	if len(order) == 0 {
		return nil
	}
	last := uint32(0)
	if v := u.b.view; len(v.uids) > 0 {
		last = v.uids[len(v.uids)-1]
	}
	var absent map[string]uint32
	k := len(order) - 1
	for i := list.Len() - 1; i >= 0; i-- {
		r := list.Record(i)
		if r.UID <= last {
			break
		}
		for k > 0 && order[k].uid > r.UID {
			k--
		}
		if r.UID >= order[len(order)-1].uid || order[k].uid == r.UID || expunged(r.UID) {
			continue
		}
		base := maildir.BaseOf([]byte(r.Name))
		if old, _, found, _ := u.b.lookUp(base); found && !expunged(old.UID) {
			u.head.List = index.FileStamp{} // it has got another UID just now: hold all to the list
			continue
		}
		if absent == nil {
			absent = map[string]uint32{}
		}
		absent[string(base)] = r.UID
	}
	return absent
}

// knowsAll reports whether each message that the list has a record of is in the index,
// arrives now, or was expunged.
func (u *update) knowsAll(list *uidlist.List, order []arrival, expunged func(uid uint32) bool) bool {
	uids, k := u.b.view.uids, 0
	for i := range list.Len() {
		uid := list.UIDAt(i)
		for len(uids) > 0 && uids[0] < uid {
			uids = uids[1:]
		}
		for k < len(order) && order[k].uid < uid {
			k++
		}
		switch {
		case len(uids) > 0 && uids[0] == uid, k < len(order) && order[k].uid == uid, expunged(uid):
		default:
			return false
		}
	}
	return true
}
