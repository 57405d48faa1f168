package server

import (
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// resync answers the QRESYNC parameter of SELECT (RFC 7162 section 3.2.5): what has
// vanished, and what has changed, since the client was here.
func (s *Session) resync(q imap.QResync) {
	b := s.box
	if q.UIDValidity != b.Validity() {
		return // RFC 7162 section 3.2.5.1: then the client has to begin anew
	}
	var known *imap.NumSet
	if !q.KnownUIDs.Empty() {
		known = &q.KnownUIDs
	}
	s.tellVanished(uint64(q.ModSeq), known)
	for pos := range b.exists {
		m := b.At(pos)
		if m.ModSeq > uint64(q.ModSeq) && !m.Gone && (known == nil || known.Contains(uint32(m.UID), b.highest())) {
			s.tellMessage(pos, true)
		}
	}
}

// tellVanished writes VANISHED (EARLIER): those UIDs of a set, of all UIDs if it is
// nil, that are gone since the mailbox had a MODSEQ. If the mailbox does not
// remember so far back, it is all that no message has (RFC 7162 section 3.2.5.2
// allows for UIDs that the client never knew). What has gone so lately that it has a
// sequence number still is left out: it is told without EARLIER, and then loses that.
func (s *Session) tellVanished(since uint64, of *imap.NumSet) {
	b := s.box
	var gone imap.NumSet
	uids, remembered := b.Vanished(since)
	highest := max(b.highest(), uint32(b.Next())-1)
	if remembered {
		for _, u := range uids {
			_, numbered := b.Find(u)
			if !numbered && (of == nil || of.Contains(uint32(u), highest)) {
				gone.Add(uint32(u))
			}
		}
	} else {
		gone = b.unused(highest, of)
	}
	s.w.Vanished(true, gone)
}

// unused is the UIDs up to highest that have no sequence number, of a set or of all.
func (b *selected) unused(highest uint32, of *imap.NumSet) (free imap.NumSet) {
	all := imap.NumSet{}
	if of == nil {
		all.AddRange(1, max(highest, 1))
		of = &all
	}
	for r := range of.Ranges(highest) {
		next := r.First
		pos, _ := b.Find(mailbox.UID(r.First))
		for ; pos < b.Len() && uint32(b.UID(pos)) <= r.Last; pos++ {
			if u := uint32(b.UID(pos)); u > next {
				free.AddRange(next, u-1)
			}
			next = uint32(b.UID(pos)) + 1
		}
		if last := min(r.Last, highest); next <= last {
			free.AddRange(next, last)
		}
	}
	return free
}
