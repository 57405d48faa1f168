package server

import (
	"rohrpost/maildir"
	"rohrpost/protocol/imap"
)

// expunge is EXPUNGE (RFC 9051 section 6.4.3) and UID EXPUNGE (section 6.4.9). What
// went is told with the answer.
func (s *Session) expunge(c imap.Command) (reply, error) {
	b := s.box
	var only *imap.NumSet
	if c.UID {
		set, err := imap.ParseSet(s.d)
		if err != nil {
			return reply{}, err
		}
		if set.Saved() {
			set = b.saved
		}
		only = &set
	} else if err := s.d.End(); err != nil {
		return reply{}, err
	}
	if b.readOnly {
		return s.failed("EXPUNGE", errReadOnly), nil
	}
	if err := s.remove(b.deleted(only)); err != nil {
		return s.failed("EXPUNGE", err), nil
	}
	if s.enabled.condstore {
		// RFC 7162 section 3.2.7.
		return okCode(imap.HighestModSeqCode(int64(b.HighestModSeq())), "expunged"), nil
	}
	return ok("expunged"), nil
}

// remove expunges messages and notes the room that they leave.
func (s *Session) remove(positions []int) error {
	held, err := s.usage(positions)
	if err != nil {
		return err
	}
	if err := s.box.Expunge(positions); err != nil {
		return err
	}
	s.freed(held)
	return nil
}

// deleted is the positions of messages that are flagged \Deleted, of a set of UIDs
// or of all.
func (b *selected) deleted(only *imap.NumSet) (positions []int) {
	highest := b.highest()
	for pos := range b.exists {
		m := b.At(pos)
		if m.Flags&maildir.Trashed != 0 && !m.Gone && (only == nil || only.Contains(uint32(m.UID), highest)) {
			positions = append(positions, pos)
		}
	}
	return positions
}
