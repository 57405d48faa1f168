package server

import (
	"rohrpost/maildir"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// selectBox is SELECT (RFC 9051 section 6.3.2).
func (s *Session) selectBox(imap.Command) (reply, error) { return s.selectAs("SELECT", false) }

// examine is EXAMINE (RFC 9051 section 6.3.3).
func (s *Session) examine(imap.Command) (reply, error) { return s.selectAs("EXAMINE", true) }

func (s *Session) selectAs(what string, readOnly bool) (reply, error) {
	args, err := imap.ParseSelect(s.d)
	if err != nil {
		return reply{}, err
	}
	if args.QResync != nil && !s.enabled.qresync {
		return bad("QRESYNC has not been enabled"), nil // RFC 7162 section 3.2.5
	}
	if s.box != nil {
		s.leave()
		// RFC 7162 section 3.2.11, RFC 9051 section 7.1: what follows is of the other.
		s.say("", okCode(imap.CodeClosed, "previous mailbox is closed"))
	}
	m, err := s.open(args.Mailbox)
	if err != nil {
		return s.failed(what, err), nil
	}
	if err := s.enter(m, args.Mailbox, readOnly); err != nil {
		s.shut(m)
		return s.failed(what, err), nil
	}
	s.enabled.condstore = s.enabled.condstore || args.CondStore
	s.tellSelected()
	if args.QResync != nil {
		s.resync(*args.QResync)
	}
	s.box.Flush()
	if readOnly {
		return okCode(imap.CodeReadOnly, "selected, to be read only"), nil
	}
	return okCode(imap.CodeReadWrite, "selected"), nil
}

// enter opens a mailbox as the selected one.
func (s *Session) enter(m *maildir.Maildir, name string, readOnly bool) error {
	keywords, err := keyword.Read(m.Dir())
	if err != nil {
		return err
	}
	b, err := mailbox.Open(m, mailbox.Options{Watch: true, Now: s.Now})
	if err != nil {
		return err
	}
	s.box = &selected{Mailbox: b, dir: m, name: name, readOnly: readOnly, exists: b.Len(), recent: int(b.Counts().New), keywords: keywords}
	s.state = selectedState
	s.bulk = s.bulk || b.Len() > bulky
	return nil
}

// tellSelected writes the untagged responses to SELECT.
func (s *Session) tellSelected() {
	b := s.box
	counts := b.Counts()
	s.tellFlags()
	s.w.Count(uint32(b.exists), "EXISTS")
	if !s.enabled.rev2 {
		s.w.Count(counts.New, "RECENT")
	}
	if pos, ok := b.FirstUnseen(); ok && !s.enabled.rev2 {
		s.say("", okCode(imap.UnseenCode(imap.SeqNum(pos+1)), "first message not seen"))
	}
	s.say("", okCode(imap.UIDValidityCode(b.Validity()), "UIDs are valid"))
	s.say("", okCode(imap.UIDNextCode(imap.UID(b.Next())), "next UID"))
	b.known = b.HighestModSeq()
	s.say("", okCode(imap.HighestModSeqCode(int64(b.known)), "highest mod-sequence"))
	if s.enabled.rev2 {
		s.tellList(b.name)
	}
	s.take()
}
