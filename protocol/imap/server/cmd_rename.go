package server

import (
	"errors"
	"fmt"
	"io/fs"

	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// rename is RENAME (RFC 9051 section 6.3.6). Mailboxes below follow. A session that
// has one of them selected keeps it, this one under its new name. Subscriptions stay
// as they are.
func (s *Session) rename(imap.Command) (reply, error) {
	from, to, err := imap.ParseRename(s.d)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkNew(to); err != nil {
		return s.failed("RENAME", err), nil
	}
	if from == imap.Inbox {
		err = s.renameInbox(to)
	} else {
		err = s.renameFolder(from, to)
	}
	if err != nil {
		return s.failed("RENAME", err), nil
	}
	return ok("renamed"), nil
}

func (s *Session) renameFolder(from, to string) error {
	err := s.Inbox.RenameFolder(from, to)
	if errors.Is(err, maildir.ErrFolderExists) {
		return fmt.Errorf("%w: %w", fs.ErrExist, err)
	} else if err != nil {
		return err
	}
	if b := s.box; b != nil && (b.name == from || isBelow(b.name, from)) {
		b.name = to + b.name[len(from):]
	}
	s.followUses(from, to)
	return nil
}

// renameInbox moves all messages of INBOX to a new mailbox. What is below INBOX, and
// what comes into it meanwhile, stays. A new mailbox that got none is taken back.
func (s *Session) renameInbox(to string) error {
	m, err := s.Inbox.CreateFolder(to)
	if err != nil {
		return err
	}
	defer m.Close()
	if err = s.emptyInbox(m); err == nil {
		return nil
	}
	if l, e := m.Scan(); e == nil && l.Len() == 0 {
		e = s.Inbox.DeleteFolder(to)
		err = errors.Join(err, e)
	}
	return err
}

// emptyInbox moves the messages. If INBOX is selected, its own news will tell so.
func (s *Session) emptyInbox(to *maildir.Maildir) error {
	if s.box != nil && s.box.name == imap.Inbox {
		if _, err := s.box.Sync(); err != nil {
			return err
		}
		return moveAll(s.box.Mailbox, to)
	}
	b, err := mailbox.Open(s.Inbox, mailbox.Options{Now: s.Now})
	if err != nil {
		return err
	}
	return errors.Join(moveAll(b, to), b.Close())
}

func moveAll(b *mailbox.Mailbox, to *maildir.Maildir) error {
	var all []int
	for pos := range b.Len() {
		if !b.At(pos).Gone {
			all = append(all, pos)
		}
	}
	_, err := b.Move(all, to)
	return err
}
