package mailbox

import (
	"io"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/index"
)

// Message is what is known of a message without a look at its file.
type Message struct {
	UID    UID
	Flags  maildir.Flags // keywords too: their letters are dovecot-keywords' affair
	ModSeq uint64
	Gone   bool // its file is nowhere, and nothing else is known but UID
	Recent bool // it lay in new when this Mailbox met it (RFC 3501 section 2.3.2)
	// Size is the size as stored and WireSize with every line end as CRLF, both in
	// bytes, -1 if not known yet. Both are hints: never announce a literal by them.
	Size     int64
	WireSize int64
}

// At is the message at a position. It allocates nothing. If the session has come
// to its end, as the next Sync will say, the message is Gone.
func (b *Mailbox) At(pos int) Message {
	r, ok := b.at(pos)
	if !ok {
		m := Message{Gone: true, Size: -1, WireSize: -1}
		if b.view != nil {
			m.UID = UID(b.view.uids[pos])
		}
		return m
	}
	return Message{
		UID: UID(r.UID), Flags: r.Flags, ModSeq: r.ModSeq, Size: r.Size, WireSize: r.Wire,
		Recent: r.New || b.recent != nil && b.recent[r.UID],
	}
}

// at is the record at a position, if it is there. An index that turns out to be
// damaged is made anew.
func (b *Mailbox) at(pos int) (r index.Record, ok bool) {
	for range 2 {
		if !b.ready() || b.view.at[pos] == 0 {
			return index.Record{}, false
		}
		if r, ok = b.img.Record(b.view.at[pos]); ok && r.UID == b.view.uids[pos] {
			return r, true
		}
		if err := b.rebuild(); err != nil {
			b.err = err
			break
		}
	}
	return index.Record{}, false
}

// named is the record at a position and the name of its file.
func (b *Mailbox) named(pos int) (r index.Record, msg maildir.Message, ok bool) {
	for range 2 {
		if r, ok = b.at(pos); !ok {
			return r, msg, false
		}
		if name, ok := b.img.AppendName(b.scratch[:0], r); ok {
			return r, message(name, r.Inode, r.New), true
		}
		if err := b.rebuild(); err != nil {
			b.err = err
			break
		}
	}
	return r, msg, false
}

// Name is the name of its file as last seen.
func (b *Mailbox) Name(pos int) maildir.Name {
	_, msg, _ := b.named(pos)
	return msg.Name
}

// OpenMessage opens the message for reading, under whatever name it has now. The
// error is maildir.ErrGone if it is nowhere.
func (b *Mailbox) OpenMessage(pos int) (*disk.Reader, error) {
	_, msg, ok := b.named(pos)
	if !ok {
		return nil, b.goneOr()
	}
	f, now, err := b.m.OpenMessage(msg)
	if err == nil && now != msg {
		b.doubt = b.doubt || b.watch == nil
	}
	return f, err
}

// goneOr is why there is no message.
func (b *Mailbox) goneOr() error {
	if b.err != nil {
		return b.err
	}
	return maildir.ErrGone
}

// InternalDate is when the message was received: the time of its file (RFC 9051
// section 2.3.3). It is asked of the file system once, and kept in the index.
func (b *Mailbox) InternalDate(pos int) (time.Time, error) {
	r, ok := b.at(pos)
	if !ok {
		return time.Time{}, b.goneOr()
	}
	if r.Date == index.NoDate {
		_, msg, ok := b.named(pos)
		if !ok {
			return time.Time{}, b.goneOr()
		}
		st, err := b.m.Stat(msg)
		if err != nil {
			return time.Time{}, err
		}
		r.Date = st.Mtim.Nano()
		b.found.add(pos, foundDate, r.Date)
		if r.Size < 0 {
			b.found.add(pos, foundSize, st.Size)
		}
	}
	return time.Unix(0, r.Date), nil
}

// SaveDate is when the message came into this mailbox (RFC 8514): the time in its
// file's name, else that of its file.
func (b *Mailbox) SaveDate(pos int) (time.Time, error) {
	_, msg, ok := b.named(pos)
	if !ok {
		return time.Time{}, b.goneOr()
	}
	if t, ok := maildir.ArrivalTime(msg.Name); ok {
		return t, nil
	}
	return b.InternalDate(pos)
}

// ObjectID identifies the content of the message (EMAILID, RFC 8474): Copy and
// Move keep it. It is derived from names of files, so it outlives the index.
func (b *Mailbox) ObjectID(pos int) uint64 {
	_, msg, _ := b.named(pos)
	return maildir.ObjectID(msg.Base)
}

// WireSize is the size of the message with every line end as CRLF (RFC822.SIZE).
// The message is read if nothing tells it; the index keeps it.
func (b *Mailbox) WireSize(pos int) (int64, error) {
	r, ok := b.at(pos)
	if !ok {
		return 0, b.goneOr()
	}
	if r.Wire >= 0 {
		return r.Wire, nil
	}
	f, err := b.OpenMessage(pos)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var c maildir.Counter
	if err := count(&c, f); err != nil {
		return 0, err
	}
	b.found.add(pos, foundWire, c.Wire)
	if r.Size < 0 {
		b.found.add(pos, foundSize, c.Stored)
	}
	return c.Wire, nil
}

// count counts the bytes of a file.
func count(c *maildir.Counter, f io.Reader) error {
	var buf [16 << 10]byte
	for {
		n, err := f.Read(buf[:])
		c.Add(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
