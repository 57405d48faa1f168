package pop3

import (
	"errors"
	"io"

	"rohrpost/maildir"
)

// maxSize bounds what is believed of a size in a file's name, in octets: sums of
// them must not wrap.
const maxSize = 1 << 40

// credible reports whether a size in a name is believed.
func credible(n int64) bool { return n >= 0 && n <= maxSize }

// sizes finds the size in octets (RFC 1939 section 11) of every message. It
// answers itself if that is impossible.
func (s *session) sizes() bool {
	d := s.drop
	for i := 0; d.unknown > 0 && i < d.list.Len(); i++ {
		if credible(d.size(i)) {
			continue
		}
		if err := d.measure(i); err != nil {
			s.log("size-failed", "err", err)
			s.no("[SYS/TEMP] cannot read the mailbox now, try again later")
			return false
		}
		d.unknown--
		d.octets += d.size(i)
		if d.deleted.has(i) {
			d.removed += d.size(i)
		}
	}
	return true
}

// size is the size of message i, not credible before it is measured.
func (d *maildrop) size(i int) int64 { return d.list.At(i).WireSize }

// measure finds the size of message i by a look into it. A message that is gone
// has none; RETR will say so.
func (d *maildrop) measure(i int) error {
	m := d.list.At(i)
	f, _, err := d.Box.OpenMessage(m)
	if errors.Is(err, maildir.ErrGone) {
		d.list.SetWireSize(i, 0)
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var c maildir.Counter
	b := d.buffer()
	for {
		n, err := f.Read(b)
		c.Add(b[:n])
		if err == io.EOF {
			d.list.SetWireSize(i, c.Wire)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// chunkSize is how much of a message is read at once, in bytes: most messages
// whole.
const chunkSize = 32 << 10

// buffer is room for one chunk.
func (d *maildrop) buffer() []byte {
	if d.chunk == nil {
		d.chunk = make([]byte, chunkSize)
	}
	return d.chunk
}
