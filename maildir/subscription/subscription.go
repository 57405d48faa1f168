// Package subscription is the list of folders that the user has subscribed to:
// subscriptions of Dovecot, or courierimapsubscribed of Courier.
package subscription

import (
	"errors"

	"rohrpost/maildir"
)

// Read is the names in the list of the inbox m, in its order, in UTF-8 with dots
// between levels.
func Read(m *maildir.Maildir) ([]string, error) { return nil, errors.New("not yet") }

// Set subscribes to a folder, or ends that, durably. Doing so twice is no error.
func Set(m *maildir.Maildir, name string, on bool) error { return errors.New("not yet") }
