package server

import (
	"rohrpost/maildir/subscription"
	"rohrpost/protocol/imap"
)

// subscribe is SUBSCRIBE (RFC 9051 section 6.3.7). The mailbox need not exist: one
// that comes and goes stays subscribed.
func (s *Session) subscribe(imap.Command) (reply, error) { return s.setSubscribed("SUBSCRIBE", true) }

// unsubscribe is UNSUBSCRIBE (RFC 9051 section 6.3.8).
func (s *Session) unsubscribe(imap.Command) (reply, error) {
	return s.setSubscribed("UNSUBSCRIBE", false)
}

func (s *Session) setSubscribed(what string, on bool) (reply, error) {
	name, err := imap.ParseMailbox(s.d)
	if err != nil {
		return reply{}, err
	}
	if err := subscription.Set(s.Inbox, name, on); err != nil {
		return s.failed(what, err), nil
	}
	return ok("done"), nil
}
