package server

import (
	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
)

// move is MOVE and UID MOVE (RFC 6851). What went is told with the answer.
func (s *Session) move(c imap.Command) (reply, error) {
	return s.transfer(c, func(positions []int, to *maildir.Maildir) (mailbox.Copied, error) {
		if s.box.readOnly {
			return mailbox.Copied{}, errReadOnly
		}
		return s.box.Move(positions, to)
	})
}
