package maildir

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Take moves messages from new to cur and adds flags to all of them, also to
// those that are in cur already. Messages that are gone are passed over.
//
// A rename between two directories is two changes to a disk, and a power cut may
// lose the new name and keep the loss of the old one. So the order is, with one
// sync for all messages:
//
//  1. link each from new into cur
//  2. sync cur
//  3. remove the names in new (not synced)
//
// A crash in between leaves a message under both names, which every listing
// takes for one.
func (m *Maildir) Take(msgs []Message, add Flags) error {
	var linked []Message
	var first error
	for _, msg := range msgs {
		ok, err := m.linkToCur(msg, add)
		if ok {
			linked = append(linked, msg)
		} else if !errors.Is(err, ErrGone) && first == nil {
			first = err
		}
	}
	if len(linked) == 0 {
		return first
	}
	if err := m.fs.SyncDir(m.cur); err != nil {
		return err
	}
	for _, msg := range linked {
		if _, err := m.leaveNew(msg, msg.WithFlags(msg.Flags|add).String()); first == nil {
			first = err
		}
	}
	return first
}

// leaveNew is step 3 for one message, whose name in cur is now. That it has no name
// in new any more may be the work of a mail reader that moved it to cur as well,
// which makes two files of one message there:
//
//  1. we link new/X to cur/X:2,
//  2. mutt renames new/X to cur/X:2,F
//  3. we find no new/X to remove
//
// Then ours is taken away again, and outdone says so. As long as no other name is
// seen nothing is: somebody may have done our step 3.
func (m *Maildir) leaveNew(msg Message, now string) (outdone bool, err error) {
	if err := m.fs.Remove(m.new, msg.String()); !vanished(err) {
		return false, err
	}
	var ours unix.Stat_t
	if ours, err = m.cur.Stat(now); err != nil {
		return false, ignoreVanished(err)
	}
	err = readMessages(m.cur, func(name []byte, ino uint64) bool {
		outdone = ino == ours.Ino && string(name) != now && string(BaseOf(name)) == msg.Base
		return !outdone
	})
	if outdone {
		err = ignoreVanished(m.fs.Remove(m.cur, now))
	}
	return outdone, err
}

func ignoreVanished(err error) error {
	if vanished(err) {
		return nil
	}
	return err
}

// linkToCur is step 1 for one message. linked is false for one that needs no
// other step, since it was not in new any more.
func (m *Maildir) linkToCur(msg Message, add Flags) (linked bool, err error) {
	if !msg.New {
		if msg.Flags&add != add {
			_, err = m.SetFlags(msg, add, 0)
		}
		return false, err
	}
	now := msg.WithFlags(msg.Flags | add).String()
	err = m.fs.Link(m.new, msg.String(), m.cur, now)
	switch {
	case err == nil || errors.Is(err, fs.ErrExist) && m.same(msg.String(), now):
		return true, nil
	case vanished(err):
		_, err = m.SetFlags(msg, add, 0)
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EMLINK):
		// No hard links here, or no more of them.
		err = m.rename(m.new, msg.String(), now)
	}
	return false, err
}

// same reports whether two names in new and cur are the same file: an earlier
// Take was killed behind step 1.
func (m *Maildir) same(inNew, inCur string) bool {
	a, err := m.new.Stat(inNew)
	if err != nil {
		return false
	}
	b, err := m.cur.Stat(inCur)
	return err == nil && a.Dev == b.Dev && a.Ino == b.Ino
}
