package server

import (
	"errors"

	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// tell looks what has happened to the selected mailbox and tells the client as much
// of it as it may hear now. Numbers in FETCH responses are always those that the
// client knows, so EXPUNGE comes first and EXISTS before FETCH.
func (s *Session) tell(which news, uid bool) error {
	if which == nothingNew {
		return nil
	}
	if uid && !s.numbered {
		// RFC 9051 section 7.5.1 forbids it only without UID, RFC 7162 section 3.2.10.2
		// for "a UID SEARCH command that contains message numbers" too.
		which = allNews
	}
	s.numbered = false
	b := s.box
	if _, err := b.Sync(); errors.Is(err, mailbox.ErrReborn) {
		s.bye("", "the mailbox was made anew, select it again")
		return err
	} else if errors.Is(err, mailbox.ErrBusy) {
		s.failed("sync", err)
		return nil // the client goes on with what it knows
	} else if err != nil {
		s.failed("sync", err)
		s.bye(imap.CodeUnavailable, "cannot read the mailbox any more, try again later")
		return err
	}
	if which == allNews {
		s.tellGone()
	}
	s.tellExists()
	s.tellFlagged()
	s.tellKnown()
	b.Flush()
	return nil
}

// tellKnown tells up to which MODSEQ a client with QRESYNC knows all, where it has
// been told higher ones while expunges wait (RFC 7162 section 3.2: "the server MUST
// send the HIGHESTMODSEQ response code with a lower value than the EXPUNGE's").
func (s *Session) tellKnown() {
	b := s.box
	if len(b.Gone()) == 0 {
		b.known = b.HighestModSeq()
	} else if s.enabled.qresync {
		s.say("", okCode(imap.HighestModSeqCode(int64(b.known)), "expunges wait"))
	}
}

// tellGone tells of messages that are gone, and takes them out of the numbering.
// RFC 7162 section 3.2.10: VANISHED in place of EXPUNGE, to who has enabled QRESYNC.
func (s *Session) tellGone() {
	b := s.box
	gone := b.Gone()
	known := 0 // of those gone, the ones that the client has heard of
	for known < len(gone) && gone[known] < b.exists {
		known++
	}
	if s.enabled.qresync {
		s.w.Vanished(false, b.uidSet(gone[:known]))
	} else {
		for i := known - 1; i >= 0; i-- { // from the last: the others' numbers stay
			s.w.Count(uint32(gone[i]+1), "EXPUNGE")
		}
	}
	if len(gone) > 0 {
		b.Forget()
		b.exists -= known
		if b.recent > 0 {
			b.recent = -1 // which of them is not known any more
		}
	}
}

// tellExists tells of new messages (RFC 9051 section 7.4.1).
func (s *Session) tellExists() {
	b := s.box
	if b.Len() == b.exists {
		return
	}
	from := b.exists
	b.exists = b.Len()
	s.take()
	b.countRecent(from)
	s.w.Count(uint32(b.exists), "EXISTS")
	if !s.enabled.rev2 {
		s.w.Count(uint32(b.recent), "RECENT")
	}
}

// take moves new mail to cur, as a program that shows it does.
func (s *Session) take() {
	if b := s.box; !b.readOnly && b.Counts().New > 0 {
		if err := b.Take(); err != nil {
			s.failed("take new mail", err)
		}
	}
}

// countRecent counts those that this session met first among the messages from a
// position on, or among all of them if some have gone.
func (b *selected) countRecent(from int) {
	if b.recent < 0 {
		b.recent, from = 0, 0
	}
	b.recent += b.recentIn(from, b.exists)
}

// recentIn is how many of the messages at these positions this session met first.
func (b *selected) recentIn(from, to int) (n int) {
	for pos := from; pos < to; pos++ {
		if m := b.At(pos); m.Recent && !m.Gone {
			n++
		}
	}
	return n
}

// tellFlagged tells of flags that others have changed.
func (s *Session) tellFlagged() {
	b := s.box
	flagged := b.Flagged()
	if len(flagged) == 0 {
		return
	}
	s.rereadKeywords()
	for _, pos := range flagged {
		if pos < b.exists && !b.At(pos).Gone {
			s.tellMessage(pos, s.enabled.qresync)
		}
	}
}

// tellMessage writes the flags of one message, with MODSEQ for who has enabled
// that (RFC 7162 section 3.2.4: and with the UID, for QRESYNC).
func (s *Session) tellMessage(pos int, uid bool) {
	m := s.box.At(pos)
	list := s.flagList(m.Flags, m.Recent)
	s.w.Extend(func(p []byte) []byte {
		p = imap.AppendFetch(p, imap.SeqNum(pos+1))
		if uid {
			p = imap.AppendFetchUID(p, imap.UID(m.UID))
		}
		p = imap.AppendFetchFlags(p, list)
		if s.enabled.condstore {
			p = imap.AppendFetchModSeq(p, int64(m.ModSeq))
		}
		return imap.AppendFetchEnd(p)
	})
}

// rereadKeywords takes up keywords that others have made.
func (s *Session) rereadKeywords() {
	b := s.box
	t, err := keyword.Read(b.dir.Dir())
	if err != nil {
		s.failed("read keywords", err)
		return
	}
	b.keywords = t
	if len(b.mailboxFlags()) != b.told {
		s.tellFlags()
	}
}
