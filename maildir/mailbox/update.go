package mailbox

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
)

// update is a change of the index under its lock.
type update struct {
	b       *Mailbox
	batch   *index.Batch
	head    index.Head
	modseq  uint64 // of all that this update changes; 0 until something does
	steps   []step
	renamed []maildir.Name // whose fields, which Dovecot tells them apart by, have changed
	still   bool           // the directories were not changed, or were scanned since

	snapshot bool // it is time for one
}

// step is a record that was written, or an expunge if at is 0.
type step struct {
	at      index.Ref
	expunge index.Expunge
}

// update takes the lock, takes up what other sessions wrote, and writes what do
// has changed, also if do failed then. If the index is damaged, it is made anew,
// and do is called again.
func (b *Mailbox) update(do func(u *update) error) error {
	if !b.ready() {
		return b.err
	}
	err := b.tryUpdate(do)
	if errors.Is(err, index.ErrDamaged) {
		if err = b.rebuild(); err == nil {
			err = b.tryUpdate(do)
		}
	}
	if errors.Is(err, ErrReborn) || errors.Is(err, index.ErrDamaged) {
		b.err = err
	}
	return err
}

func (b *Mailbox) tryUpdate(do func(u *update) error) error {
	if b.lock != nil {
		if err := b.lock.Lock(); err != nil {
			return err
		}
		defer b.lock.Unlock()
	}
	if err := b.refresh(); err != nil {
		return err
	}
	u := &update{b: b, batch: b.img.Batch(), head: b.img.Head()}
	err := do(u)
	if errors.Is(err, index.ErrDamaged) {
		return err
	}
	if cerr := u.commit(); err == nil {
		err = cerr
	}
	return err
}

// next is the MODSEQ of this update.
func (u *update) next() uint64 {
	if u.modseq == 0 {
		u.modseq = nextModSeq(u.head.ModSeq, u.b.now())
		u.head.ModSeq = u.modseq
	}
	return u.modseq
}

// nextModSeq is the rule for MODSEQ: one that was lost with an index is not given
// again, since time has passed.
func nextModSeq(last uint64, now time.Time) uint64 {
	return max(last+1, uint64(max(0, now.UnixMicro())))
}

// put writes a new state of a message.
func (u *update) put(old *index.Record, r index.Record, name []byte) {
	if old != nil {
		u.head.Counts.Sub(*old)
	}
	u.head.Counts.Add(r)
	u.moveUnseen(old, &r)
	u.steps = append(u.steps, step{at: u.batch.Record(r, name)})
}

// expunge writes the end of a message.
func (u *update) expunge(r index.Record) {
	u.head.Counts.Sub(r)
	u.moveUnseen(&r, nil)
	e := index.Expunge{ModSeq: u.next(), UID: r.UID}
	u.batch.Expunge(e)
	u.steps = append(u.steps, step{expunge: e})
}

// commit writes the batch and takes it up in the view.
func (u *update) commit() error {
	b := u.b
	if u.batch.Empty() && u.head == b.img.Head() {
		if u.snapshot { // blobs have been written, which no record knows
			return b.compact()
		}
		return nil
	}
	if !u.still {
		u.head.Stamp = maildir.Stamp{}
	}
	err := u.batch.Append(u.head)
	full := err == index.ErrFull
	if full {
		if err := b.img.Detach(u.batch); err != nil {
			return err
		}
		if err := u.batch.Append(u.head); err != nil {
			return err
		}
	}
	for _, s := range u.steps {
		if s.at == 0 {
			b.expunged = append(b.expunged, s.expunge)
			b.vanish(s.expunge.UID)
		} else if r, ok := b.img.Record(s.at); ok {
			b.place(index.Frame{At: s.at, Record: r}, false)
		}
	}
	if full || u.snapshot {
		return b.compact()
	}
	return nil // what could not be written is in memory
}

// maxExpunged bounds how many expunges an index remembers.
const maxExpunged = 16 << 10

// A cache file that has more than this for each message and in all, in bytes, is
// mostly about messages of the past, and is begun anew.
const (
	cachePerMessage = 16 << 10
	cacheRoom       = 4 << 20
)

// compact writes a snapshot of what the image says, under the lock.
func (b *Mailbox) compact() error {
	head := b.img.Head()
	expunged, err := b.allExpunged(&head)
	if err != nil {
		return err
	}
	order, names, err := b.live()
	if err != nil {
		return err
	}
	w, err := index.NewBuilder(len(order), names, expunged, random())
	if err != nil {
		return err
	}
	b.cache.load(b)
	anew := b.cache.end() > cacheRoom+int64(len(order))*cachePerMessage
	var buf [256]byte
	for _, at := range order {
		r, ok := b.img.Record(at)
		name, ok2 := b.img.AppendName(buf[:0], r)
		if !ok || !ok2 {
			return index.ErrDamaged
		}
		if pos, ok := b.view.find(r.UID); ok {
			r.Blob = b.cache.newest(pos, r)
		}
		if anew {
			r.Blob = 0
		}
		w.Add(r, name)
	}
	if head.CacheEnd = b.cache.end(); anew {
		head.Cache, head.CacheEnd = 0, 0
		b.cache.close()
	}
	return b.turnTo(w.Image(head))
}

// turnTo makes a snapshot in memory the index, and the file if it can.
func (b *Mailbox) turnTo(img *index.Image) error {
	if b.lock != nil {
		if saved, err := img.Save(b.m); err == nil {
			img = saved
		}
	}
	return b.become(img)
}

// become makes img the index of this session.
func (b *Mailbox) become(img *index.Image) error {
	if b.view == nil {
		b.img.Close()
		b.img = img
		return nil
	}
	return b.adopt(img)
}

// allExpunged is the expunges that a snapshot shall remember.
func (b *Mailbox) allExpunged(head *index.Head) ([]index.Expunge, error) {
	old, ok := b.img.Expunges()
	if !ok {
		return nil, index.ErrDamaged
	}
	all := append(old, b.expunged...)
	if drop := len(all) - maxExpunged; drop > 0 {
		head.Floor = all[drop-1].ModSeq
		all = all[drop:]
	}
	return all, nil
}

// live is the records of all messages there are, by UID, and the length of their
// names together.
func (b *Mailbox) live() (order []index.Ref, names int64, err error) {
	v := b.view
	order = make([]index.Ref, 0, len(v.at)-v.gone+len(v.hidden))
	for _, at := range v.at {
		if at != 0 {
			order = append(order, at)
		}
	}
	uid := func(at index.Ref) uint32 {
		r, _ := b.img.Record(at)
		return r.UID
	}
	for _, at := range v.hidden {
		i, _ := slices.BinarySearchFunc(order, uid(at), func(a index.Ref, u uint32) int {
			return int(int64(uid(a)) - int64(u))
		})
		order = slices.Insert(order, i, at)
	}
	for _, at := range order {
		r, ok := b.img.Record(at)
		if !ok {
			return nil, 0, index.ErrDamaged
		}
		names += int64(r.NameLen())
	}
	return order, names, nil
}

// random is a generation.
func random() uint64 {
	var b [8]byte
	for {
		if _, err := unix.Getrandom(b[:], 0); err != unix.EINTR {
			return binary.NativeEndian.Uint64(b[:]) | 1
		}
	}
}
