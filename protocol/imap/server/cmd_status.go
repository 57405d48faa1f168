package server

import (
	"errors"

	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// status is STATUS (RFC 9051 section 6.3.11).
func (s *Session) status(imap.Command) (reply, error) {
	args, err := imap.ParseStatus(s.d)
	if err != nil {
		return reply{}, err
	}
	if args.Atts&unknownStatus != 0 {
		return bad("unknown status data item"), nil
	}
	values, err := s.statusOf(args.Mailbox, args.Atts)
	if err != nil {
		return s.failed("STATUS", err), nil
	}
	s.w.Status(args.Mailbox, values)
	return ok("that is its status"), nil
}

// unknownStatus is the items of extensions that are not announced.
const unknownStatus = imap.StatusMailboxID // OBJECTID (RFC 8474)

// statusOf finds out what is asked of a mailbox.
func (s *Session) statusOf(name string, atts imap.StatusAtt) (imap.StatusValues, error) {
	if atts&imap.StatusHighestModSeq != 0 {
		s.enableCondstore() // RFC 7162 section 3.1
	}
	v, err := s.look(name, atts)
	if err != nil {
		return v, err
	}
	v.Atts, v.AppendLimit = atts, s.AppendLimit
	if v.AppendLimit == 0 {
		v.AppendLimit = -1
	}
	return v, nil
}

func (s *Session) look(name string, atts imap.StatusAtt) (imap.StatusValues, error) {
	if s.box != nil && s.box.name == name {
		return s.box.lookAt(atts)
	}
	m, err := s.open(name)
	if err != nil {
		return imap.StatusValues{}, err
	}
	defer s.shut(m)
	st, err := mailbox.StatusOf(m, wanted(atts), s.Now)
	if err != nil {
		return imap.StatusValues{}, err
	}
	v := countValues(st.Counts)
	v.Recent = st.New
	v.UIDValidity, v.UIDNext, v.HighestModSeq = st.Validity, imap.UID(st.Next), int64(st.ModSeq)
	if atts&imap.StatusDeletedStorage != 0 && st.Trashed > 0 {
		v.DeletedStorage, err = s.deletedStorage(m)
	}
	return v, err
}

// wanted is what package mailbox has to find out for some items.
func wanted(atts imap.StatusAtt) (want mailbox.Want) {
	for _, w := range []struct {
		atts imap.StatusAtt
		want mailbox.Want
	}{
		{imap.StatusUIDNext | imap.StatusUIDValidity, mailbox.WantUIDs},
		{imap.StatusSize, mailbox.WantSize},
		{imap.StatusHighestModSeq, mailbox.WantModSeq},
	} {
		if atts&w.atts != 0 {
			want |= w.want
		}
	}
	return want
}

func countValues(c mailbox.Counts) imap.StatusValues {
	return imap.StatusValues{Messages: c.Messages, Unseen: c.Unseen, Deleted: c.Trashed, Size: c.Size}
}

// deletedStorage is what an EXPUNGE of the folder would free.
func (s *Session) deletedStorage(m *maildir.Maildir) (int64, error) {
	b, err := mailbox.Open(m, mailbox.Options{Now: s.Now})
	if err != nil {
		return 0, err
	}
	defer b.Close()
	return sizeOf(b, maildir.Trashed)
}

// lookAt is the status of the selected mailbox. RFC 9051 section 6.3.11: a server
// must be able to tell it.
func (b *selected) lookAt(atts imap.StatusAtt) (imap.StatusValues, error) {
	if _, err := b.Sync(); err != nil {
		return imap.StatusValues{}, err
	}
	c := b.Counts()
	v := countValues(c)
	if atts&imap.StatusRecent != 0 {
		v.Recent = uint32(b.recentIn(0, b.Len()))
	}
	v.UIDValidity, v.UIDNext, v.HighestModSeq = b.Validity(), imap.UID(b.Next()), int64(b.HighestModSeq())
	var err error
	if atts&imap.StatusSize != 0 && c.Unsized > 0 {
		v.Size, err = sizeOf(b.Mailbox, 0)
	}
	if err == nil && atts&imap.StatusDeletedStorage != 0 && c.Trashed > 0 {
		v.DeletedStorage, err = sizeOf(b.Mailbox, maildir.Trashed)
	}
	return v, err
}

// sizeOf is the size on the wire of all messages that have these flags, in bytes. A
// message whose file is gone has none.
func sizeOf(b *mailbox.Mailbox, flags maildir.Flags) (sum int64, err error) {
	for pos := range b.Len() {
		m := b.At(pos)
		if m.Gone || m.Flags&flags != flags {
			continue
		}
		size := m.WireSize
		if size < 0 {
			if size, err = b.WireSize(pos); errors.Is(err, maildir.ErrGone) {
				continue
			} else if err != nil {
				return 0, err
			}
		}
		sum += size
	}
	b.Flush()
	return sum, nil
}
