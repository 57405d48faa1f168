// Package dotlock is the lock files that Dovecot takes to change its files of a
// Maildir: NAME.lock beside NAME, with "pid:host" in it.
package dotlock

import "errors"

// ErrBusy is the error for a lock that somebody else held for ten seconds. An
// IMAP server says NO [INUSE].
var ErrBusy = errors.New("locked by another program")
