package mailbox

import (
	"rohrpost/maildir/index"
)

// Kind is a kind of data derived from a message, of the caller's choice.
type Kind uint8

// cache is what a session knows of the cache file.
type cache struct {
	file    *index.Cache
	of      uint64   // the generation that file is of
	blobs   []uint32 // by position: offset/8 of the newest entry that the record does not know
	late    int      // how many of them
	read    int64    // the file is known up to here
	asked   bool     // the file was looked at since Flush
	waiting []waiting
	text    []byte // of those waiting
	buf     []byte
}

// waiting is a blob that Flush will write.
type waiting struct {
	pos, start, end int
	kind            Kind
}

// maxWaiting is how much is kept in memory before it is written, in bytes.
const maxWaiting = 256 << 10

// Cached is what Cache was given for the message at this position, by any
// session. The bytes are valid until the next call of any other method.
func (b *Mailbox) Cached(pos int, kind Kind) (blob []byte, ok bool) {
	r, ok := b.at(pos)
	if !ok {
		return nil, false
	}
	c := &b.cache
	if w, ok := c.waits(pos, kind); ok {
		return c.text[w.start:w.end], true
	}
	if !c.asked {
		c.asked = true
		c.load(b)
	}
	at := c.newest(pos, r)
	if c.file == nil || at == 0 {
		return nil, false
	}
	if c.buf == nil {
		c.buf = make([]byte, 0, 4<<10)
	}
	return c.file.Find(at, r.UID, r.Inode, uint8(kind), c.buf)
}

// waits is the blob for a position that Flush will write. Positions mostly ascend.
func (c *cache) waits(pos int, kind Kind) (w waiting, ok bool) {
	for i := len(c.waiting) - 1; i >= 0; i-- {
		w := c.waiting[i]
		if w.pos == pos && w.kind == kind {
			return w, true
		}
		if i == len(c.waiting)-1 && w.pos < pos {
			break
		}
	}
	return w, false
}

// Cache keeps data derived from the message, at most 1 MB, for all sessions to
// come. It is written by Flush, or when it is much; that it cannot be is no error.
func (b *Mailbox) Cache(pos int, kind Kind, blob []byte) {
	if len(blob) > index.MaxBlob || !b.ready() || b.view.at[pos] == 0 {
		return
	}
	c := &b.cache
	start := len(c.text)
	c.text = append(c.text, blob...)
	c.waiting = append(c.waiting, waiting{pos, start, len(c.text), kind})
	if len(c.text) > maxWaiting {
		b.update(func(u *update) error {
			u.still = true
			u.writeBlobs()
			return nil
		})
	}
}

// load opens the file that the index names, and reads what is new in it.
func (c *cache) load(b *Mailbox) {
	h := b.img.Head()
	if h.Cache == 0 {
		return
	}
	if c.file == nil || c.of != h.Cache {
		c.close()
		c.file, _ = index.OpenCache(b.m, h.Cache)
		c.of = h.Cache
	}
	if c.file == nil {
		return
	}
	c.read = max(c.read, h.CacheEnd, index.CacheStart)
	for {
		e, next, ok := c.file.At(c.read, c.buf[:0])
		if !ok {
			return
		}
		if pos, ok := b.view.find(e.UID); ok {
			c.note(pos, c.read)
		}
		c.read = next
	}
}

// note notes the newest entry for a position.
func (c *cache) note(pos int, at int64) {
	for len(c.blobs) <= pos {
		c.blobs = append(c.blobs, 0)
	}
	if c.blobs[pos] == 0 {
		c.late++
	}
	c.blobs[pos] = uint32(at / 8)
}

// newest is where the newest entry for the message at pos is, 0 if there is none.
func (c *cache) newest(pos int, r index.Record) int64 {
	if pos < len(c.blobs) && c.blobs[pos] != 0 {
		return int64(c.blobs[pos]) * 8
	}
	return r.Blob
}

// end is the end of the file, as far as it is known.
func (c *cache) end() int64 {
	if c.file == nil {
		return 0
	}
	return c.read
}

// reset forgets what records know now, or other positions.
func (c *cache) reset() { c.blobs, c.late, c.read, c.asked = nil, 0, 0, false }

func (c *cache) close() {
	c.file.Close()
	c.file = nil
	c.reset()
}

// writeBlobs writes what is waiting to the cache file. What cannot be written is
// forgotten.
func (u *update) writeBlobs() {
	b, c := u.b, &u.b.cache
	list := c.waiting
	text := c.text
	c.waiting, c.text = nil, text[:0]
	if len(list) == 0 || b.lock == nil || !b.img.InFile() {
		return
	}
	c.load(b)
	if c.file == nil {
		file, err := index.MakeCache(b.m, random())
		if err != nil {
			return
		}
		c.file, c.of = file, file.Generation()
		u.head.Cache, u.head.CacheEnd = c.of, index.CacheStart
	}
	start := c.file.Size()
	at := start
	var out []byte
	for _, w := range list {
		r, ok := b.at(w.pos)
		if !ok {
			continue
		}
		e := index.Blob{UID: r.UID, Inode: r.Inode, Kind: uint8(w.kind), Before: c.newest(w.pos, r), Data: text[w.start:w.end]}
		c.note(w.pos, at)
		out = c.file.AppendBlob(out, e, at)
		at = start + int64(len(out))
	}
	if err := c.file.Append(out, start); err != nil {
		// Begin anew: what the failure left could hide what is written later.
		c.close()
		u.head.Cache, u.head.CacheEnd = 0, 0
		return
	}
	c.read = at
	u.snapshot = u.snapshot || c.late > 1024+len(b.view.uids)/4
}
