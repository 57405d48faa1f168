package server

import (
	"errors"
	"io/fs"

	"rohrpost/maildir"
	"rohrpost/protocol/imap"
)

// The hierarchy separator (RFC 9051 section 5.1.1), which is Maildir++'s, and the
// one namespace, which has no prefix.
const separator = '.'

// open opens the folder that a mailbox name means; INBOX is the Maildir itself.
// Close what it returns by shut.
func (s *Session) open(name string) (*maildir.Maildir, error) {
	if name == imap.Inbox {
		return s.Inbox, nil
	}
	return s.Inbox.Folder(name)
}

// shut closes what open returned.
func (s *Session) shut(m *maildir.Maildir) {
	if m != s.Inbox {
		m.Close()
	}
}

// exists reports whether there is a mailbox of this name.
func (s *Session) exists(name string) (bool, error) {
	m, err := s.open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	s.shut(m)
	return true, nil
}
