package mailbox

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// scan compares the directories with what the index says. What is as it was costs
// no memory.
type scan struct {
	b       *Mailbox
	present []uint64 // a bit for each position
	hidden  map[uint32]bool
	changed map[uint32]maildir.Message // by UID
	fresh   map[string]maildir.Message // by base
	damaged bool
	buf     [256]byte
}

// scan brings the update to what the directories are. If relist, the list of UIDs
// has changed and may disagree with the index.
func (u *update) scan(relist bool) (err error) {
	b := u.b
	b.events, b.doubt = nil, true
	defer func() {
		if err != nil {
			u.still, b.seen = false, maildir.Stamp{} // not all of it is in the index
		}
	}()
	s := &scan{b: b, present: make([]uint64, (len(b.view.at)+63)/64)}
	sight, err := b.m.Walk(s.see)
	if err != nil {
		return err
	}
	if s.damaged {
		return index.ErrDamaged
	}
	missing, err := s.missing()
	if err != nil {
		return err
	}
	gone, unsure := missing, []index.Record(nil)
	if !sight.Settled {
		gone, unsure = nil, missing
	}
	u.still = true
	u.head.Stamp, b.seen = maildir.Stamp{}, maildir.Stamp{}
	if sight.Settled {
		u.head.Stamp, b.seen = sight.Stamp, sight.Stamp
	}
	for _, r := range gone {
		u.expunge(r)
	}
	if relist {
		if err := s.relist(u, gone, unsure); err != nil {
			return err
		}
	}
	if err := u.changeAll(s.changed); err != nil {
		return err
	}
	if err := u.welcome(s.fresh, relist); err != nil {
		return err
	}
	b.doubt = !sight.Settled && (len(missing) > 0 || b.watch == nil)
	return nil
}

// see takes up one name of a directory.
func (s *scan) see(name []byte, inode uint64, new bool) {
	if bytes.IndexByte(name, '\n') >= 0 || s.damaged {
		return
	}
	base := maildir.BaseOf(name)
	r, pos, found, ok := s.b.lookUp(base)
	if !ok {
		s.damaged = true
		return
	}
	if !found {
		if s.fresh == nil {
			s.fresh = map[string]maildir.Message{}
		}
		s.fresh[string(base)] = message(name, inode, new)
		return
	}
	if pos >= 0 {
		s.present[pos/64] |= 1 << (pos % 64)
	} else {
		s.hidden = note(s.hidden, r.UID)
	}
	was, ok := s.b.img.AppendName(s.buf[:0], r)
	switch {
	case !ok:
		s.damaged = true
	case r.New == new && r.Inode == inode && bytes.Equal(was, name):
		if s.changed != nil {
			delete(s.changed, r.UID)
		}
	default:
		if s.changed == nil {
			s.changed = map[uint32]maildir.Message{}
		}
		s.changed[r.UID] = message(name, inode, new)
	}
}

func message(name []byte, inode uint64, new bool) maildir.Message {
	return maildir.Message{Name: maildir.ParseName(string(name)), New: new, Inode: inode}
}

func note(set map[uint32]bool, uid uint32) map[uint32]bool {
	if set == nil {
		set = map[uint32]bool{}
	}
	set[uid] = true
	return set
}

// lookUp is the newest record of the message with this base, and its position, -1
// if it is hidden. It is not ok if the index is damaged. A message that went and is
// there again under another UID has two records: the snapshot's table leads to the
// old one.
func (b *Mailbox) lookUp(base []byte) (r index.Record, pos int, found, ok bool) {
	i, ok := b.img.Find(base)
	if !ok {
		return r, 0, false, false
	}
	if i >= 0 {
		if r, pos, found, ok = b.lookUpSnapshot(i); found || !ok {
			return r, pos, found, ok
		}
	}
	uid, known := b.view.late[index.Key(base)]
	if !known {
		return r, 0, false, true
	}
	if pos, known = b.view.find(uid); !known || b.view.at[pos] == 0 {
		return b.lookUpHidden(uid)
	}
	r, ok = b.img.Record(b.view.at[pos])
	return r, pos, ok, ok
}

// lookUpSnapshot is lookUp for message i of the snapshot.
func (b *Mailbox) lookUpSnapshot(i int) (r index.Record, pos int, found, ok bool) {
	at, v := b.img.At(i), b.view
	if r, ok = b.img.Record(at); !ok {
		return r, 0, false, false
	}
	if i >= len(v.uids) || v.uids[i] != r.UID {
		if i, found = v.find(r.UID); !found {
			return b.lookUpHidden(r.UID)
		}
	}
	if v.at[i] == 0 {
		return b.lookUpHidden(r.UID)
	}
	if v.at[i] != at {
		if r, ok = b.img.Record(v.at[i]); !ok {
			return r, 0, false, false
		}
	}
	return r, i, true, true
}

func (b *Mailbox) lookUpHidden(uid uint32) (r index.Record, pos int, found, ok bool) {
	for _, at := range b.view.hidden {
		r, ok := b.img.Record(at)
		if !ok {
			return r, 0, false, false
		}
		if r.UID == uid {
			return r, -1, true, true
		}
	}
	return r, 0, false, true
}

// missing is the records of the messages that were not seen. One that its base does
// not lead to, since another has the same key, may have been seen without being known.
func (s *scan) missing() (list []index.Record, err error) {
	v := s.b.view
	add := func(at index.Ref) bool {
		r, ok := s.b.img.Record(at)
		name, named := s.b.img.AppendName(s.buf[:0], r)
		if !ok || !named {
			return false
		}
		found, _, known, ok := s.b.lookUp(r.Base(name))
		list = append(list, r)
		return ok && known && found.UID == r.UID
	}
	for pos, at := range v.at {
		if at != 0 && s.present[pos/64]&(1<<(pos%64)) == 0 && !add(at) {
			return nil, index.ErrDamaged
		}
	}
	for _, at := range v.hidden {
		r, ok := s.b.img.Record(at)
		if !ok || !s.hidden[r.UID] && !add(at) {
			return nil, index.ErrDamaged
		}
	}
	return list, nil
}

// record is the newest record of a UID.
func (b *Mailbox) record(uid uint32) (r index.Record, pos int, ok bool) {
	pos, ok = b.view.find(uid)
	if !ok || b.view.at[pos] == 0 {
		r, pos, found, ok := b.lookUpHidden(uid)
		return r, pos, found && ok
	}
	r, ok = b.img.Record(b.view.at[pos])
	return r, pos, ok
}

// changeAll writes the new names of messages.
func (u *update) changeAll(changed map[uint32]maildir.Message) error {
	for uid, msg := range changed {
		r, pos, ok := u.b.record(uid)
		if !ok {
			return index.ErrDamaged
		}
		u.change(r, pos, msg)
	}
	return nil
}

// change writes the new name of a message. What was learned of its file holds as
// long as that is the same one.
func (u *update) change(old index.Record, pos int, msg maildir.Message) {
	r := old
	r.New = msg.New
	if msg.Inode != old.Inode {
		r = index.NewRecord(old.UID, msg)
		r.ModSeq, r.Flags = old.ModSeq, old.Flags
	}
	if msg.Flags != old.Flags {
		r.Flags, r.ModSeq = msg.Flags, u.next()
		if pos >= 0 {
			u.b.flagged = append(u.b.flagged, pos)
		}
	}
	if !u.b.hasFields(old, msg.Fields) {
		u.renamed = append(u.renamed, msg.Name)
	}
	u.put(&old, r, []byte(msg.String()))
}

// hasFields reports whether the name in a record has these fields.
func (b *Mailbox) hasFields(r index.Record, fields string) bool {
	name, ok := b.img.AppendName(b.scratch[:0], r)
	if !ok {
		return false
	}
	rest, ok := bytes.CutPrefix(name[len(r.Base(name)):], []byte(fields))
	return ok && (len(rest) == 0 || rest[0] == ':')
}

// welcome gives UIDs to messages that the index does not know, and writes them. In
// the list of UIDs it notes those whose fields have changed: Dovecot makes other
// messages of them otherwise. always has the list looked at also if there are none
// of either.
func (u *update) welcome(fresh map[string]maildir.Message, always bool) error {
	if len(fresh) == 0 && len(u.renamed) == 0 && !always {
		return nil
	}
	names := make([]maildir.Name, 0, len(fresh))
	for _, msg := range fresh {
		names = append(names, msg.Name)
	}
	slices.SortFunc(names, maildir.CompareArrival)
	if len(u.renamed) == 0 {
		if done, err := u.extend(fresh, names); done || err != nil {
			return err
		}
	}
	names = append(names, u.renamed...)
	known := uidlist.Known{Validity: u.head.Validity, Next: u.head.Next, Expunged: u.expungedBefore()}
	list, err := assignUIDs(u.b.m, known, names, u.b.now())
	if err != nil {
		return err
	}
	if list.Validity != u.head.Validity {
		return ErrReborn
	}
	order := u.listed(list, fresh, names)
	if order, err = u.overtaken(order, list, known.Expunged); err != nil {
		return err
	}
	u.head.Appendable = list.Appendable() && u.knowsAll(list, order, known.Expunged)
	return u.arrive(order)
}

// extend is welcome where the list of UIDs need not be read. It reports whether that
// was so. Beside Dovecot it has to be: that moves messages away and back under the same
// name, of which the list may have a line from before, and it takes a message with two
// lines for another one.
func (u *update) extend(fresh map[string]maildir.Message, names []maildir.Name) (done bool, err error) {
	if !u.head.Appendable || len(names) == 0 || u.b.besideDovecot() {
		return false, nil
	}
	list, err := uidlist.Extend(u.b.m, uidlist.Stamp(u.head.List), u.head.Validity, u.head.Next, names)
	if list == nil || err != nil {
		return false, busy(err)
	}
	return true, u.arrive(u.listed(list, fresh, names))
}

// listed takes up a list of UIDs, and is the arrivals that have one, ascending if
// the list gave them now.
func (u *update) listed(list *uidlist.List, fresh map[string]maildir.Message, names []maildir.Name) []arrival {
	was := u.head.Next
	u.head.Next, u.head.List = max(u.head.Next, list.Next), index.FileStamp(list.Stamp())
	order := make([]arrival, 0, len(names))
	for _, n := range names {
		msg, ok := fresh[n.Base]
		uid := list.UID(n.Base)
		if !ok || uid == 0 {
			continue
		}
		if uid >= was && !u.b.there(msg) {
			u.head.Appendable = false // the list has a record that the index has not
			continue
		}
		order = append(order, arrival{uid, msg})
	}
	return order
}

// arrive writes new messages, by ascending UID.
func (u *update) arrive(order []arrival) error {
	for _, a := range order {
		if _, _, known := u.b.record(a.uid); known {
			return index.ErrDamaged // or its base would have led to it
		}
		r := index.NewRecord(a.uid, a.msg)
		r.ModSeq = u.next()
		u.put(nil, r, []byte(a.msg.String()))
	}
	return nil
}

// there reports whether a message that has just got its UID is where it was seen. While
// that waited for the lock, Dovecot may have removed it with the UID that it had given
// it; nobody needs to hear of another one. If it was renamed, it will be seen again.
func (b *Mailbox) there(msg maildir.Message) bool {
	_, err := b.m.DirOf(msg).Stat(msg.String())
	return !errors.Is(err, fs.ErrNotExist)
}

// expungedBefore tells whether clients were told that a UID is gone.
func (u *update) expungedBefore() func(uid uint32) bool {
	var set map[uint32]bool
	return func(uid uint32) bool {
		if set == nil {
			old, _ := u.b.img.Expunges()
			set = map[uint32]bool{}
			for _, e := range append(old, u.b.expunged...) {
				set[e.UID] = true
			}
			for _, s := range u.steps {
				set[s.expunge.UID] = true
			}
		}
		return set[uid]
	}
}

// relist holds the index to a list of UIDs that another program wrote: a message
// that has another UID there, or none, is one that went, and perhaps a new one. The
// end of those in gone is written already; those in missing may be somewhere.
//
// Dovecot removes a file first and then takes it from the list: a name that was seen
// before may have none any more, and must not get a UID then. And it keeps the base
// when it moves a message away and back again, so that one which is missing under its
// old UID is found under another.
func (s *scan) relist(u *update, gone, missing []index.Record) error {
	b := u.b
	list, err := uidlist.Read(b.m.Dir())
	if err != nil || list.Validity != u.head.Validity {
		return nil // welcome sees to it
	}
	isGone, isMissing := uidsOf(gone), uidsOf(missing)
	for _, at := range b.view.at {
		if at == 0 {
			continue
		}
		r, ok := b.img.Record(at)
		name, ok2 := b.img.AppendName(s.buf[:0], r)
		if !ok || !ok2 {
			return index.ErrDamaged
		}
		if isGone[r.UID] || list.UID(string(r.Base(name))) == r.UID {
			continue
		}
		if isMissing[r.UID] {
			u.expunge(r)
			continue
		}
		msg, is := s.changed[r.UID]
		if !is {
			msg = message(name, r.Inode, r.New)
		}
		delete(s.changed, r.UID)
		u.expunge(r)
		if !b.there(msg) {
			continue
		}
		if s.fresh == nil {
			s.fresh = map[string]maildir.Message{}
		}
		s.fresh[msg.Base] = msg
	}
	return nil
}

func uidsOf(list []index.Record) map[uint32]bool {
	uids := map[uint32]bool{}
	for _, r := range list {
		uids[r.UID] = true
	}
	return uids
}
