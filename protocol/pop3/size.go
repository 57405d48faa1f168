package pop3

import "rohrpost/maildir/index"

// sizes finds the size in octets (RFC 1939 section 11) of every message that its
// name does not tell. One that cannot be read counts as empty: that is no reason
// to keep all the others from their owner, and RETR will say so.
func (s *session) sizes() {
	d := s.drop
	if d.sized {
		return
	}
	if err := index.Sizes(d.Box, d.list); err != nil {
		s.log("size-failed", "err", err)
	}
	d.sized = true
	d.octets, d.removed = 0, 0
	for i := range d.list.Len() {
		d.octets += d.size(i)
		if d.deleted.has(i) {
			d.removed += d.size(i)
		}
	}
}

// size is the size of message i once sizes has run.
func (d *maildrop) size(i int) int64 { return max(0, d.list.At(i).WireSize) }
