package maildir

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// SetFlags adds and removes flags of a message, which thereby moves to cur, and
// returns what it is called now. Flags that another program has set meanwhile
// stay. A kill does no harm at any time; a power cut may undo the change until
// Sync. The error is ErrGone if the message is nowhere.
func (m *Maildir) SetFlags(msg Message, add, remove Flags) (Message, error) {
	var now Message
	_, err := m.follow(msg, func(d *disk.Dir, name string) error {
		now = Message{Name: ParseName(name), Inode: msg.Inode}
		now.Name = now.WithFlags(now.Flags&^remove | add)
		if d == m.cur && now.String() == name {
			return nil
		}
		return m.rename(d, name, now.String())
	})
	return now, err
}

// rename moves a message to cur without replacing another.
func (m *Maildir) rename(from *disk.Dir, old, new string) error {
	err := m.fs.RenameNew(from, old, m.cur, new)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	// NFS and some FUSE file systems know no such rename. Whoever makes two
	// files of one base at this very moment has broken the rules of names.
	if _, err := m.cur.Stat(new); !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "rename", Path: m.cur.Path() + "/" + new, Err: fs.ErrExist}
	}
	return m.fs.Rename(from, old, m.cur, new)
}

// Sync makes the changes of names in cur and new durable.
func (m *Maildir) Sync() error {
	return errors.Join(m.fs.SyncDir(m.cur), m.fs.SyncDir(m.new))
}

// hunts is how often Expunge looks for messages under new names.
const hunts = 5

// Expunge removes messages, also those that other programs have renamed
// meanwhile. A message that is gone already counts as removed; one that is
// renamed faster than it can be removed is an error. When it returns without
// error, no power cut brings any of them back. After an error it has still
// removed what it could.
func (m *Maildir) Expunge(msgs []Message) error {
	var first error
	touched := map[bool]bool{} // by New
	seen := 0                  // of msgs, how many are still there
	for range hunts {
		var vanishing []Message
		twins := m.twinsPossible()
		for _, msg := range msgs {
			err := m.fs.Remove(m.sub(msg.New), msg.String())
			switch {
			case err == nil:
				touched[msg.New] = true
				if !msg.New && twins && m.removeTwin(msg) {
					touched[true] = true
				}
			case vanished(err):
				vanishing = append(vanishing, msg)
			case first == nil:
				first = err
			}
		}
		var err error
		if msgs, seen, err = m.relocate(vanishing); err != nil && first == nil {
			first = err
		}
		if len(msgs) == 0 {
			break
		}
	}
	if seen > 0 && first == nil {
		first = m.restless(seen)
	}
	for _, new := range []bool{true, false} {
		if touched[new] {
			if err := m.fs.SyncDir(m.sub(new)); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// twinsPossible reports whether messages in cur can have a second name in new. One
// that has, had it before it was in cur, so what comes into new later is none.
func (m *Maildir) twinsPossible() bool {
	any := false
	err := readMessages(m.new, func([]byte, uint64) bool {
		any = true
		return false
	})
	return any || err != nil
}

// removeTwin removes the name in new that a message in cur may still have from a
// Take that was killed, and reports whether it had one.
func (m *Maildir) removeTwin(msg Message) bool {
	return m.fs.Remove(m.new, msg.Base+msg.Fields) == nil
}

// relocate finds messages under their new names, all by one scan, and says how
// many it found. Those that are certainly gone are left out of rest; those that
// the scan may have missed stay as they were.
func (m *Maildir) relocate(msgs []Message) (rest []Message, found int, err error) {
	if len(msgs) == 0 {
		return nil, 0, nil
	}
	l, err := m.Scan()
	if err != nil {
		return nil, 0, err
	}
	for _, msg := range msgs {
		i := l.Find(msg.Base)
		if i >= 0 {
			found++
			msg = l.At(i)
		}
		if i >= 0 || !l.Settled {
			rest = append(rest, msg)
		}
	}
	return rest, found, nil
}
