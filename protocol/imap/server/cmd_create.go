package server

import (
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/text/unicode/norm"

	"rohrpost/maildir"
	"rohrpost/protocol/imap"
)

// create is CREATE (RFC 9051 section 6.3.4), with special uses (RFC 6154). Levels
// above the mailbox are not made: they need not exist.
func (s *Session) create(imap.Command) (reply, error) {
	args, err := imap.ParseCreate(s.d)
	if err != nil {
		return reply{}, err
	}
	// RFC 9051 section 6.3.4: a separator at the end only says what is to come.
	name := strings.TrimSuffix(args.Mailbox, maildir.Separator)
	uses, failure := checkUses(args.Use)
	if failure.condition != "" {
		return failure, nil
	}
	if err := s.checkNew(name); err != nil {
		return s.failed("CREATE", err), nil
	}
	m, err := s.Inbox.CreateFolder(name)
	if err != nil {
		return s.failed("CREATE", err), nil
	}
	m.Close()
	if err := s.assignUses(uses, name); err != nil {
		r := s.failed("CREATE", err)
		if err := s.Inbox.DeleteFolder(name); err != nil {
			s.failed("CREATE", err)
		}
		return r, nil
	}
	return ok("created"), nil
}

// checkNew says why a mailbox cannot get this name: fs.ErrExist if it has one, or
// maildir.ErrFolderName. RFC 9051 section 5.1: names that are not Net-Unicode, and so
// in normalization form C, must not be made; those that others made keep working.
func (s *Session) checkNew(name string) error {
	if !norm.NFC.IsNormalString(name) {
		return fmt.Errorf("%q: %w: not in normalization form C", name, maildir.ErrFolderName)
	}
	there, err := s.exists(name)
	if err == nil && there {
		err = fmt.Errorf("%q: %w", name, fs.ErrExist)
	}
	return err
}
