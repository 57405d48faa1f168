package maildir

import (
	"errors"
	"io/fs"
	"slices"

	"rohrpost/maildir/disk"
)

// Refile gives each of msgs the flags of the same number, and moves those that are
// in new to cur. It looks for nothing: the numbers of those that are not there
// under the name they have are returned, and the others have their new names in
// msgs. Moves from new take one sync, in the order of Take; flags alone take none,
// and a power cut may undo them until Sync. It goes on after an error and returns
// the first.
func (m *Maildir) Refile(msgs []Message, flags []Flags) (missing []int, err error) {
	var linked []Message
	var which []int // of msgs, by linked
	for i, msg := range msgs {
		now := msg.WithFlags(flags[i])
		isLink, e := m.refile(msg, now.String())
		switch {
		case e == nil:
			msgs[i].Name, msgs[i].New = now, false
		case vanished(e):
			missing = append(missing, i)
		case err == nil:
			err = e
		}
		if isLink {
			linked, which = append(linked, msg), append(which, i)
		}
	}
	if len(linked) == 0 {
		return missing, err
	}
	if e := m.fs.SyncDir(m.cur); e != nil {
		return missing, e
	}
	for k, msg := range linked {
		outdone, e := m.leaveNew(msg, msgs[which[k]].String())
		if outdone {
			msgs[which[k]] = msg
			missing = append(missing, which[k])
		}
		if err == nil {
			err = e
		}
	}
	slices.Sort(missing)
	return missing, err
}

// refile gives one message its name in cur. If linked, it still has the one in new.
func (m *Maildir) refile(msg Message, now string) (linked bool, err error) {
	old := msg.String()
	if !msg.New {
		return false, m.rename(m.cur, old, now)
	}
	err = m.fs.Link(m.new, old, m.cur, now)
	switch {
	case err == nil || errors.Is(err, fs.ErrExist) && m.same(old, now):
		return true, nil
	case disk.NoHardLinks(err):
		return false, m.rename(m.new, old, now)
	}
	return false, err
}
