// Package subscription is the list of folders that the user has subscribed to:
// the file subscriptions of Dovecot, in the inbox. Where there is none, the list
// of Courier is read, and taken over with the first change.
//
// Names are those of maildir.Folder: UTF-8, with dots between levels, and INBOX.
// A name may be in the list without a folder of that name (RFC 9051 section
// 6.3.7), so nothing here looks for folders.
//
// Reading takes no lock, since the file is replaced by rename. Writing takes
// subscriptions.lock, as Dovecot does.
//
// Start reading at Read and Set; format.go has the files.
package subscription

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/dotlock"
)

// The files of Dovecot and Courier, and the bound for either, in bytes.
const (
	Name        = "subscriptions"
	courierName = "courierimapsubscribed"
	maxFile     = 4 << 20
)

// lockLife is how long Dovecot believes in a lock of the list.
const lockLife = 30 * time.Second

// Read is the names in the list of the inbox m, in its order, each once. Lines
// that can be no folder's name are left out.
func Read(m *maildir.Maildir) ([]string, error) {
	l, err := read(m.Dir())
	if err != nil {
		return nil, fmt.Errorf("subscriptions of %s: %w", m.Path(), err)
	}
	return l.names(), nil
}

// Set subscribes to a folder or ends that, durably. What is so already is no
// error. The error wraps maildir.ErrFolderName for what can be no folder's name,
// and dotlock.ErrBusy if another program holds the lock.
func Set(m *maildir.Maildir, name string, on bool) error {
	if name != inbox {
		if err := maildir.CheckFolderName(name); err != nil {
			return err
		}
	}
	err := set(m, name, on)
	if err != nil {
		return fmt.Errorf("subscriptions of %s: %w", m.Path(), err)
	}
	return nil
}

func set(m *maildir.Maildir, name string, on bool) error {
	lock, err := dotlock.Take(m.FS(), m.Dir(), Name, lockLife)
	if err != nil {
		return err
	}
	defer lock.Release()
	l, err := read(m.Dir())
	if err != nil || !l.set(name, on) {
		return err
	}
	return lock.Replace(Name, l.text(), time.Time{})
}

// read reads Dovecot's list, or else Courier's.
func read(dir *disk.Dir) (*list, error) {
	for _, file := range []struct {
		name  string
		parse func(b []byte) *list
	}{{Name, parse}, {courierName, parseCourier}} {
		b, err := readFile(dir, file.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return file.parse(b), nil
	}
	return &list{version: 2}, nil
}

func readFile(dir *disk.Dir, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", f.Name(), maxFile)
	}
	return b, err
}
