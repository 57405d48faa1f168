package maildir

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// ErrGone is the error for a message that is in the Maildir no more: another
// program removed it. That is news, not a failure.
var ErrGone = errors.New("message file is gone")

// looks is how often a name that has vanished is looked for by its base in vain
// before the message counts as gone, chases how often it is followed from name to
// name while it is there.
const (
	looks  = 3
	chases = 20
)

// OpenMessage opens a message for reading, by two system calls. If another program has renamed the
// file or moved it to cur meanwhile, it is found again; the Message returned
// says where it lies now. The error is ErrGone if it is nowhere, and wraps
// fs.ErrPermission for a file that we may not read.
func (m *Maildir) OpenMessage(msg Message) (*disk.Reader, Message, error) {
	var f *disk.Reader
	msg, err := m.follow(msg, func(d *disk.Dir, name string) (err error) {
		f, err = d.OpenReader(name)
		return err
	})
	return f, msg, err
}

// follow calls do with the directory and the name of the message, and again as
// long as the answer is that there is no such file and the message is found
// under another name.
func (m *Maildir) follow(msg Message, do func(d *disk.Dir, name string) error) (Message, error) {
	missed := 0
	for range chases {
		err := do(m.sub(msg.New), msg.String())
		if !vanished(err) {
			return msg, err
		}
		found, ok, err := m.find(msg.Base)
		if err != nil {
			return msg, err
		}
		if ok {
			msg = found
		} else if missed++; missed == looks {
			return msg, ErrGone
		}
	}
	return msg, m.restless(1)
}

// restless is the error for messages that are there under ever new names.
func (m *Maildir) restless(n int) error {
	return fmt.Errorf("%s: somebody renames %d messages again and again", m.Path(), n)
}

// vanished reports whether err says that a name is no longer there. A server of
// NFS says ESTALE.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESTALE)
}

// DirOf is the directory in which a message was when it was listed: new or cur.
func (m *Maildir) DirOf(msg Message) *disk.Dir { return m.sub(msg.New) }

func (m *Maildir) sub(new bool) *disk.Dir {
	if new {
		return m.new
	}
	return m.cur
}

// find looks for a base in new and cur.
func (m *Maildir) find(base string) (msg Message, ok bool, err error) {
	for _, d := range []*disk.Dir{m.new, m.cur} {
		err := readMessages(d, func(name []byte, ino uint64) bool {
			if end, _ := split(name); string(name[:end]) != base {
				return true
			}
			msg, ok = Message{Name: ParseName(string(name)), New: d == m.new, Inode: ino}, true
			return false
		})
		if ok || err != nil {
			return msg, ok, err
		}
	}
	return Message{}, false, nil
}

// Has reports whether a message with this base is in new or cur, durably: if an
// earlier delivery was killed before its sync, Has makes up for it. It reads the
// directories, so ask only where an earlier delivery is possible.
func (m *Maildir) Has(base string) (bool, error) {
	_, ok, err := m.find(base)
	if !ok || err != nil {
		return false, err
	}
	// Somebody may have moved it from new to cur without a sync: cur first.
	for _, d := range []*disk.Dir{m.cur, m.new} {
		if err := m.fs.SyncDir(d); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Stat is the state of a message's file, which is found again if it was renamed.
// The error is ErrGone if it is nowhere.
func (m *Maildir) Stat(msg Message) (unix.Stat_t, error) {
	var st unix.Stat_t
	_, err := m.follow(msg, func(d *disk.Dir, name string) (err error) {
		st, err = d.Stat(name)
		return err
	})
	return st, err
}
