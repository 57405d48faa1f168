package server

import (
	"errors"
	"io/fs"
	"slices"

	"rohrpost/maildir/quota"
	"rohrpost/protocol/imap"
)

// delete is DELETE (RFC 9051 section 6.3.5). Mailboxes below it stay, and so does the
// subscription. Sessions that have it selected go on with what they know of it.
func (s *Session) delete(imap.Command) (reply, error) {
	name, err := imap.ParseMailbox(s.d)
	if err != nil {
		return reply{}, err
	}
	if name == imap.Inbox {
		return no(imap.CodeCannot, "INBOX cannot be deleted"), nil
	}
	m, err := s.open(name)
	if errors.Is(err, fs.ErrNotExist) && s.isParent(name) {
		return no(imap.CodeHasChildren, "there are only mailboxes below this name"), nil
	} else if err != nil {
		return s.failed("DELETE", err), nil
	}
	var held quota.Usage
	if quota.Kept(s.Inbox) {
		held, err = quota.Count(m)
	}
	s.shut(m)
	if err != nil {
		return s.failed("DELETE", err), nil
	}
	if s.box != nil && s.box.name == name {
		s.leave()
		// The client may not know that it has left the selected state thereby.
		s.say("", okCode(imap.CodeClosed, "the deleted mailbox is closed"))
	}
	if err := s.Inbox.DeleteFolder(name); err != nil {
		return s.failed("DELETE", err), nil
	}
	s.freed(held)
	s.followUses(name, "")
	return ok("deleted"), nil
}

// isParent reports whether there are mailboxes below a name.
func (s *Session) isParent(name string) bool {
	names, err := s.Inbox.Folders()
	return err == nil && slices.ContainsFunc(names, func(n string) bool { return isBelow(n, name) })
}
