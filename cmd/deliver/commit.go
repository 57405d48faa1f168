package main

import (
	"errors"

	"rohrpost/maildir"
	"rohrpost/maildir/quota"
)

// commit publishes a message that is written, if the quota of the inbox has room
// for it, and returns its name. rule is as in users(5); empty means that the
// Maildir's own quota holds, if it has one. over is the verdict if there is no
// room.
func commit(d *maildir.Delivery, inbox *maildir.Maildir, rule string, over verdict) (string, error) {
	size, _ := d.Size()
	room, err := quota.Reserve(inbox, rule, size)
	if errors.Is(err, quota.ErrOver) {
		return "", over.because("%w", err)
	}
	if err != nil {
		return "", err
	}
	name, err := d.Commit()
	if err != nil {
		room.Release()
	}
	return name, err
}
