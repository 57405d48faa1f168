package pop3

import (
	"rohrpost/maildir"
	"rohrpost/maildir/index"
)

// maildrop is the Maildir as the session sees it. Messages are numbered from 0
// here, from 1 on the wire.
type maildrop struct {
	*Transaction
	list      *index.Inventory
	deleted   set
	retrieved set
	removed   int64 // octets of the messages that are marked as deleted
	ids       *uniqueIDs
	chunk     []byte // for RETR and TOP, from the first one on
}

// openDrop lists the messages, oldest first as their names tell it, which is the
// order that clients expect where messages have no numbers of their own.
func openDrop(t *Transaction) (*maildrop, error) {
	l, err := index.TakeInventory(t.Box)
	if err != nil {
		return nil, err
	}
	if err := l.Unread(); err != nil {
		// One that cannot be read counts as empty: no reason to keep all the
		// others from their owner, and RETR will say so.
		t.Log("size-failed", "err", err)
	}
	return &maildrop{Transaction: t, list: l}, nil
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

// count is the number of messages not marked as deleted.
func (d *maildrop) count() int { return d.list.Len() - d.deleted.len }

// set is a set of message numbers. It takes no memory until it has a member.
type set struct {
	bits []uint64
	len  int
}

func (s *set) has(i int) bool { return s.bits != nil && s.bits[i/64]&(1<<(i%64)) != 0 }

// add adds i to a set of numbers below n.
func (s *set) add(i, n int) {
	if s.bits == nil {
		s.bits = make([]uint64, (n+63)/64)
	}
	if !s.has(i) {
		s.bits[i/64] |= 1 << (i % 64)
		s.len++
	}
}

func (s *set) clear() { *s = set{} }

// message is the message that an argument names. It answers itself if there is
// none, or none any more.
func (s *session) message(arg string) (i int, ok bool) {
	n, ok := number(arg)
	switch {
	case !ok || n < 1 || n > s.drop.list.Len():
		s.no("no such message")
	case s.drop.deleted.has(n - 1):
		s.no("message is deleted")
	default:
		return n - 1, true
	}
	return 0, false
}

// at is message i. If that is lost, which takes somebody who damages our files, the
// session is over: no number means anything any more.
func (s *session) at(i int) (msg maildir.Message, ok bool) {
	msg, err := s.drop.list.At(i)
	if err != nil {
		s.end(err)
	}
	return msg, err == nil
}

// size is the size of message i in octets (RFC 1939 section 11), or the end of the
// session as in at.
func (s *session) size(i int) (octets int64, ok bool) {
	octets, err := s.drop.list.WireSize(i)
	if err != nil {
		s.end(err)
	}
	return octets, err == nil
}
