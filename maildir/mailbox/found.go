package mailbox

import "rohrpost/maildir/index"

// found is what was found out about messages and shall be kept.
type found []finding

type finding struct {
	value int64
	pos   int32
	what  foundKind
}

type foundKind uint8

const (
	foundDate foundKind = iota
	foundSize
	foundWire
)

func (f *found) add(pos int, what foundKind, value int64) {
	*f = append(*f, finding{value, int32(pos), what})
}

// set writes the finding into a record.
func (f finding) set(r *index.Record) {
	switch f.what {
	case foundDate:
		r.Date = f.value
	case foundSize:
		r.Size = f.value
	case foundWire:
		r.Wire = f.value
	}
}

// Flush writes what Cache, WireSize, InternalDate and FirstUnseen have found out. Call it at
// the end of a command.
func (b *Mailbox) Flush() {
	b.cache.asked = false
	if len(b.found) == 0 && len(b.cache.waiting) == 0 && b.unseen.uid == 0 || b.err != nil {
		return
	}
	b.update(func(u *update) error {
		u.still = true
		u.writeUnseen()
		u.writeFound()
		u.writeBlobs()
		// A command that derived much from many messages will not come soon again, but
		// sessions that read all entries which no record knows will.
		u.snapshot = u.snapshot || b.cache.late > 64+len(b.view.uids)/16
		return nil
	})
	b.cache.text = nil
}

// writeFound writes the records of the messages that something was found out
// about.
func (u *update) writeFound() {
	b := u.b
	list := b.found
	b.found = nil
	var buf [256]byte
	for i := 0; i < len(list); {
		pos := list[i].pos
		old, ok := b.at(int(pos))
		r := old
		for ; i < len(list) && list[i].pos == pos; i++ {
			list[i].set(&r)
		}
		if name, ok2 := b.img.AppendName(buf[:0], r); ok && ok2 && r != old {
			u.put(&old, r, name)
		}
	}
}
