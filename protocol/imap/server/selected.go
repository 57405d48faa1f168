package server

import (
	"slices"

	"rohrpost/maildir"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// selected is the mailbox that is selected. A message's sequence number is its
// position in the mailbox.Mailbox plus one: positions move only when the client is
// told so.
type selected struct {
	*mailbox.Mailbox
	dir      *maildir.Maildir
	name     string
	readOnly bool // EXAMINE, or a file system that is
	exists   int  // messages that the client has heard of: Len, at most
	recent   int  // those of them that this session met first; -1 to count them again
	keywords *keyword.Table
	told     int         // keywords in the last FLAGS response
	saved    imap.NumSet // UIDs that SEARCH has saved (RFC 5182)
	known    uint64      // HIGHESTMODSEQ when the client had been told all
}

// leave ends the selected state. Flags are made durable.
func (s *Session) leave() {
	b := s.box
	if b == nil {
		return
	}
	s.syncFlags("leave " + b.name)
	if err := b.Close(); err != nil {
		s.failed("leave "+b.name, err)
	}
	s.shut(b.dir)
	s.box, s.state = nil, authenticated
}

// highest is the largest UID there is, 0 in an empty mailbox.
func (b *selected) highest() uint32 {
	if b.exists == 0 {
		return 0
	}
	return uint32(b.UID(b.exists - 1))
}

// positions is the messages of a set that the client knows, ascending, without
// those whose files are gone. A sequence number above the last message is an error
// of the client (RFC 9051 section 9); a UID that no message has is none.
func (s *Session) positions(set imap.NumSet, uids bool) ([]int, error) {
	b := s.box
	if set.Saved() {
		set, uids = b.saved, true
	}
	if !uids && int64(set.Highest()) > int64(b.exists) || !uids && set.Star() && b.exists == 0 {
		return nil, s.d.Fail("no message has this number")
	}
	var out []int
	gone := b.Gone()
	add := func(from, to int) {
		for pos := from; pos < to; pos++ {
			if _, is := slices.BinarySearch(gone, pos); !is {
				out = append(out, pos)
			}
		}
	}
	if !uids {
		out = make([]int, 0, set.Count(uint32(b.exists)))
		for r := range set.Ranges(uint32(b.exists)) {
			add(int(r.First)-1, int(r.Last))
		}
		s.bulk = s.bulk || len(out) > bulky
		return out, nil
	}
	for r := range set.Ranges(b.highest()) {
		from, _ := b.Find(mailbox.UID(r.First))
		to, found := b.Find(mailbox.UID(r.Last))
		if found {
			to++
		}
		to = min(to, b.exists)
		out = slices.Grow(out, max(to-from, 0))
		add(from, to)
	}
	s.bulk = s.bulk || len(out) > bulky
	return out, nil
}

// uidSet is the UIDs of messages at ascending positions.
func (b *selected) uidSet(positions []int) (set imap.NumSet) {
	for _, pos := range positions {
		set.Add(uint32(b.UID(pos)))
	}
	return set
}
