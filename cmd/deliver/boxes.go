package main

import (
	"container/list"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// maxBoxes is how many Maildirs deliver --lmtp keeps open, each with four
// descriptors.
const maxBoxes = 64

// boxes are the open Maildirs of deliver --lmtp. They stay open because opening
// one costs more than storing a small message, and because deliveries share the
// sync of a directory only if it is the same open directory.
//
// Each use looks at the path again: a Maildir that was moved, replaced, or made
// writable for others meanwhile is opened, and checked, anew.
type boxes struct {
	fs   disk.FS
	mail string // homes below it are made on demand

	mu   sync.Mutex
	open map[string]*list.Element // of *box
	used list.List                // front: last used
}

// box is an open Maildir and how many deliveries hold it.
type box struct {
	*maildir.Maildir
	key      string
	dir, new identity
	bases    bases
	users    int
	gone     bool // no longer in boxes: the last user closes it
}

// identity tells whether a path still leads to the same directory.
type identity struct{ dev, ino uint64 }

func identityOf(st unix.Stat_t) identity { return identity{uint64(st.Dev), st.Ino} }

func newBoxes(f disk.FS, mail string) *boxes {
	return &boxes{fs: f, mail: mail, open: map[string]*list.Element{}}
}

// inbox is the Maildir at path, made if need be. Release it.
func (b *boxes) inbox(path string) (*box, error) {
	return b.get(path, func() (*maildir.Maildir, error) {
		if err := b.checkHome(filepath.Dir(path)); err != nil {
			return nil, err
		}
		return maildir.Create(path, b.fs)
	})
}

// checkHome is the check of a single delivery, but a home below the mail
// directory need not exist: its user may never have had mail. Other homes are
// not ours to make, they may just not be mounted.
func (b *boxes) checkHome(home string) error {
	err := checkHome(home)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(home, b.mail+"/") {
		return checkHome(b.mail)
	}
	return err
}

// folder is the folder of an inbox that ext names. The error is that of
// findFolder. Release it.
func (b *boxes) folder(inbox *box, ext string) (*box, error) {
	return b.get(inbox.key+"\x00"+ext, func() (*maildir.Maildir, error) {
		m, _, err := findFolder(inbox.Maildir, ext)
		return m, err
	})
}

// get is the box of a key: the open one if its path still leads there, else a
// new one.
func (b *boxes) get(key string, open func() (*maildir.Maildir, error)) (*box, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.open[key]; e != nil {
		x := e.Value.(*box)
		if x.current() {
			x.users++
			b.used.MoveToFront(e)
			return x, nil
		}
		b.remove(e)
	}
	m, err := open()
	if err != nil {
		return nil, err
	}
	x := &box{Maildir: m, key: key, users: 1}
	if err := x.identify(); err != nil {
		m.Close()
		return nil, err
	}
	b.open[key] = b.used.PushFront(x)
	if b.used.Len() > maxBoxes {
		b.remove(b.used.Back())
	}
	return x, nil
}

// identify notes what the box is, and refuses one that is not safe.
func (x *box) identify() error {
	if err := checkMaildir(x.Maildir); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(x.Dir().Fd(), &st); err != nil {
		return fmt.Errorf("stat %s: %w", x.Path(), err)
	}
	x.dir = identityOf(st)
	st, err := x.Dir().Stat("new")
	x.new = identityOf(st)
	return err
}

// current reports whether the path still leads to this box, and it is safe.
func (x *box) current() bool {
	var st unix.Stat_t
	if unix.Stat(x.Path(), &st) != nil || identityOf(st) != x.dir || checkMaildir(x.Maildir) != nil {
		return false
	}
	st, err := x.Dir().Stat("new")
	return err == nil && identityOf(st) == x.new && checkHome(filepath.Dir(x.Path())) == nil
}

// release gives a box back. After a failure it is not used again: what went
// wrong may be the directories themselves.
func (b *boxes) release(x *box, failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x.users--
	if e := b.open[x.key]; failed && e != nil && e.Value == x {
		b.remove(e)
	} else if x.gone && x.users == 0 {
		x.Close()
	}
}

// remove takes a box out, and closes it unless somebody still uses it.
func (b *boxes) remove(e *list.Element) {
	x := b.used.Remove(e).(*box)
	delete(b.open, x.key)
	x.gone = true
	if x.users == 0 {
		x.Close()
	}
}
