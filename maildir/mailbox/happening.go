package mailbox

import (
	"bytes"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/watch"
)

// happening is what events say last of one message.
type happening struct {
	name    string
	new     bool
	present bool
	moved   bool // it is not present under that name because of a rename
}

// happenings are by base.
type happenings map[string]happening

// maxEvents is how many messages events are kept for before a scan is cheaper.
const maxEvents = 1000

// drain takes up the events that have come.
func (b *Mailbox) drain() {
	if b.watch.Drain(b.event) || len(b.events) > maxEvents {
		b.doubt = true
	}
}

// event takes up one event. A name that goes says nothing of a message that has
// come under another one since.
func (b *Mailbox) event(e watch.Event) {
	if maildir.Ignored(e.Name) || bytes.IndexByte(e.Name, '\n') >= 0 || len(b.events) > maxEvents {
		return
	}
	if b.events == nil {
		b.events = happenings{}
	}
	base := string(maildir.BaseOf(e.Name))
	h, known := b.events[base]
	switch {
	case e.Present:
		h = happening{name: string(e.Name), new: e.New, present: true}
	case !known:
		h = happening{name: string(e.Name), new: e.New, moved: e.Moved}
	case h.name == string(e.Name) && h.new == e.New:
		h.present, h.moved = false, e.Moved
	}
	b.events[base] = h
}

// explain forgets the events whose outcome the index has already: our own renames,
// and those of other sessions. It reports whether none is left.
func (b *Mailbox) explain() bool {
	for base, h := range b.events {
		r, _, found, ok := b.lookUp([]byte(base))
		if !ok {
			b.doubt = true
			return false
		}
		if b.explains(r, found, h) {
			delete(b.events, base)
		}
	}
	return len(b.events) == 0
}

// explains reports whether a record, if there is one, is what an event led to.
func (b *Mailbox) explains(r index.Record, found bool, h happening) bool {
	if !found {
		return !h.present
	}
	name, ok := b.img.AppendName(b.scratch[:0], r)
	same := ok && r.New == h.new && string(name) == h.name
	return same == h.present
}

// happened brings the update to what the events say that are left. If they do not
// say enough, there is doubt, and the next update has to scan.
func (u *update) happened() error {
	b := u.b
	if b.explain() {
		return nil
	}
	fresh := map[string]maildir.Message{}
	for base, h := range b.events {
		r, pos, found, ok := b.lookUp([]byte(base))
		switch {
		case !ok:
			return index.ErrDamaged
		case !h.present && found:
			if !u.removed(r, h) {
				b.doubt = true
				return nil
			}
		case h.present:
			msg, err := b.look(h)
			if err != nil {
				b.doubt = true // it has gone on already, and events will say where
				return nil
			}
			if found {
				u.change(r, pos, msg)
			} else if msg.Inode != 0 {
				fresh[base] = msg
			}
		}
	}
	err := u.welcome(fresh, false)
	b.events, b.doubt = nil, err != nil
	return err
}

// removed writes the end of a message whose name was removed. It is not sure of a
// name that was moved away, and of a message that has a second name in new.
func (u *update) removed(r index.Record, h happening) bool {
	if h.moved {
		return false
	}
	n := maildir.ParseName(h.name)
	if _, err := u.b.m.DirOf(maildir.Message{New: true}).Stat(n.Base + n.Fields); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	u.expunge(r)
	return true
}

// look is the file that an event told of; its inode is 0 if it is no message.
func (b *Mailbox) look(h happening) (maildir.Message, error) {
	msg := maildir.Message{Name: maildir.ParseName(h.name), New: h.new}
	st, err := b.m.DirOf(msg).Stat(h.name)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
		msg.Inode = st.Ino
	}
	return msg, err
}
