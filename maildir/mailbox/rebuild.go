package mailbox

import (
	"math"
	"slices"
	"strings"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// rebuild makes the index anew from the directories and the list of UIDs, unless
// another session has just done so. Messages that the view has keep their
// positions.
func (b *Mailbox) rebuild() error {
	if b.lock != nil {
		if err := b.lock.Lock(); err != nil {
			return err
		}
		defer b.lock.Unlock()
	}
	if img := b.rebuiltByOther(); img != nil {
		b.doubt = true
		return b.become(img)
	}
	img, settled, err := b.build()
	if err != nil {
		return err
	}
	b.doubt = !settled && b.watch == nil
	b.seen = img.Head().Stamp
	b.events = nil
	return b.turnTo(img)
}

// rebuiltByOther is a good index that was not there when this one was opened.
func (b *Mailbox) rebuiltByOther() *index.Image {
	img, err := index.Load(b.m)
	if err != nil {
		return nil
	}
	if b.img == nil || img.Generation() != b.img.Generation() && img.Head().Validity == b.img.Head().Validity {
		if v, err := load(img); err == nil && uint32(len(v.uids)) == img.Head().Messages {
			return img
		}
	}
	img.Close()
	return nil
}

// build makes a snapshot in memory.
func (b *Mailbox) build() (img *index.Image, settled bool, err error) {
	var known uidlist.Known
	var last uint64
	if b.img != nil {
		h := b.img.Head()
		known.Validity, known.Next, last = h.Validity, h.Next, h.ModSeq
	}
	l, err := b.settled()
	if err != nil {
		return nil, false, err
	}
	list, was, err := b.assigned(l, known)
	if err != nil {
		return nil, false, err
	}
	if known.Validity != 0 && list.Validity != known.Validity && b.view != nil {
		return nil, false, ErrReborn
	}
	order, names := b.byUID(l, list, was)
	modseq := nextModSeq(last, b.now())
	w, err := index.NewBuilder(len(order), names, nil, random())
	if err != nil {
		return nil, false, err
	}
	var name []byte
	for _, key := range order {
		msg := l.At(int(uint32(key)))
		r := index.NewRecord(uint32(key>>32), msg)
		r.ModSeq = modseq
		name = append(append(append(name[:0], msg.Base...), msg.Fields...), msg.Info...)
		w.Add(r, name)
	}
	h := index.Head{Folder: index.Folder(b.m), Validity: list.Validity, Next: list.Next, ModSeq: modseq, Floor: modseq, List: index.FileStamp(list.Stamp())}
	h.Appendable = list.Appendable() && list.Len() == len(order)
	if l.Settled {
		h.Stamp = l.Stamp
	}
	return w.Image(h), l.Settled, nil
}

// settled is a listing. A session that has a numbering must not lose a message
// that a scan has missed, so it waits for a settled one.
func (b *Mailbox) settled() (*maildir.Listing, error) {
	for range settleTries {
		l, err := b.m.Scan()
		if err != nil || l.Settled || b.view == nil {
			return l, err
		}
		time.Sleep(settleWait)
	}
	return nil, ErrBusy
}

// settleTries is how often: a second's worth.
const settleTries = 40

// assigned is the list of UIDs when it has one for each message of l that can have
// one. From was on, it may be we who gave them; if there was no list, nobody has
// removed one from it.
func (b *Mailbox) assigned(l *maildir.Listing, known uidlist.Known) (list *uidlist.List, was uint32, err error) {
	list, err = uidlist.Read(b.m.Dir())
	if was = math.MaxUint32; err == nil {
		was = list.Next
	}
	if err == nil && list.Validity >= known.Validity && list.Next >= known.Next && !lacks(list, l) {
		return list, was, uidlist.Sync(b.m)
	}
	l.Sort()
	if list, err = assignUIDs(b.m, known, lacking(list, l), b.now()); err != nil || !lacks(list, l) {
		return list, was, err
	}
	// It has no room for more UIDs, or was replaced meanwhile: a list that is made anew
	// knows only those that were asked for.
	list, err = assignUIDs(b.m, known, lacking(list, l), b.now())
	return list, was, err
}

// lacking is the messages of l that have no UID in the list, which may be nil, or
// another name there.
func lacking(list *uidlist.List, l *maildir.Listing) (names []maildir.Name) {
	for i := range l.Len() {
		if n := l.At(i).Name; (list == nil || !list.Has(n)) && nameable(n.Base) {
			names = append(names, n)
		}
	}
	return names
}

// lacks reports whether a message of l has no UID, or is in the list under another
// name.
func lacks(list *uidlist.List, l *maildir.Listing) bool {
	for i := range l.Len() {
		if n := l.At(i).Name; !list.Has(n) && nameable(n.Base) {
			return true
		}
	}
	return false
}

// nameable reports whether a list of UIDs can hold a name. What it cannot hold is
// not served.
func nameable(name string) bool { return strings.IndexByte(name, '\n') < 0 }

// byUID is the messages of l that have a UID, in its order: UID<<32 | number in l.
// names is how long their names are together. Those with a UID from was on must be
// there still.
func (b *Mailbox) byUID(l *maildir.Listing, list *uidlist.List, was uint32) (order []uint64, names int64) {
	order = make([]uint64, 0, l.Len())
	for i := range l.Len() {
		if uid := list.UID(l.Base(i)); uid != 0 && (uid < was || b.there(l.At(i))) {
			order = append(order, uint64(uid)<<32|uint64(i))
			names += int64(l.NameLen(i))
		}
	}
	slices.Sort(order)
	return order, names
}
