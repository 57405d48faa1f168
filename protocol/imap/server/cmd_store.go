package server

import (
	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// store is STORE and UID STORE (RFC 9051 section 6.4.6), with UNCHANGEDSINCE of
// RFC 7162 section 3.1.3.
func (s *Session) store(c imap.Command) (reply, error) {
	args, err := imap.ParseStore(s.d)
	if err != nil {
		return reply{}, err
	}
	positions, err := s.positions(args.Set, c.UID)
	if err != nil {
		return reply{}, err
	}
	b := s.box
	if b.readOnly {
		return s.failed("STORE", errReadOnly), nil
	}
	if args.Conditional {
		s.enableCondstore()
	}
	flags, err := flagsOf(b.dir, &b.keywords, args.Flags)
	if err != nil {
		return s.failed("STORE", err), nil
	}
	if len(b.mailboxFlags()) != b.told {
		s.tellFlags()
	}
	done, err := b.Store(positions, changeOf(args, flags))
	s.noteStored(done)
	s.tellStored(args, c.UID, positions, done)
	switch {
	case err != nil:
		return s.failed("STORE", err), nil
	case len(done.Modified) > 0:
		return okCode(imap.ModifiedCode(s.numbers(done.Modified, c.UID)), "some were changed since"), nil
	case len(done.Gone) > 0 && len(done.Changed) == 0:
		return no(imap.CodeExpungeIssued, "messages are gone"), nil
	}
	return ok("stored"), nil
}

// noteStored begins the time after which flags are made durable.
func (s *Session) noteStored(done mailbox.Stored) {
	if len(done.Changed) > 0 && s.stored.IsZero() {
		s.stored = s.Now()
	}
}

// changeOf is a STORE as the mailbox takes it.
func changeOf(args imap.Store, flags maildir.Flags) mailbox.Store {
	st := mailbox.Store{Conditional: args.Conditional, UnchangedSince: uint64(args.UnchangedSince)}
	switch args.Mode {
	case imap.StoreReplace:
		st.Remove, st.Add = ^maildir.Flags(0), flags
	case imap.StoreAdd:
		st.Add = flags
	case imap.StoreRemove:
		st.Remove = flags
	}
	return st
}

// tellStored answers with the new flags, of all messages that were named, unless the
// client wants silence. RFC 7162 section 3.1.3: then still with the MODSEQ of what
// has changed, if the client knows MODSEQ.
func (s *Session) tellStored(args imap.Store, uid bool, positions []int, done mailbox.Stored) {
	skip := done.Modified
	tell := positions
	if args.Silent {
		if !s.enabled.condstore {
			return
		}
		tell, skip = done.Changed, nil
	}
	for _, pos := range tell {
		for len(skip) > 0 && skip[0] < pos {
			skip = skip[1:]
		}
		if len(skip) > 0 && skip[0] == pos || s.box.At(pos).Gone {
			continue
		}
		if args.Silent {
			s.tellModSeq(pos, uid)
		} else {
			s.tellMessage(pos, uid || s.enabled.qresync)
		}
	}
}

// tellModSeq writes the MODSEQ of one message, and its UID if that was how it was
// named.
func (s *Session) tellModSeq(pos int, uid bool) {
	m := s.box.At(pos)
	s.w.Extend(func(p []byte) []byte {
		p = imap.AppendFetch(p, imap.SeqNum(pos+1))
		if uid || s.enabled.qresync {
			p = imap.AppendFetchUID(p, imap.UID(m.UID))
		}
		return imap.AppendFetchEnd(imap.AppendFetchModSeq(p, int64(m.ModSeq)))
	})
}

// numbers is a set of messages as the client named them: UIDs or sequence numbers.
func (s *Session) numbers(positions []int, uid bool) (set imap.NumSet) {
	for _, pos := range positions {
		n := uint32(pos + 1)
		if uid {
			n = uint32(s.box.UID(pos))
		}
		set.Add(n)
	}
	return set
}
