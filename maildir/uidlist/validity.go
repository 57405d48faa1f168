package uidlist

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// The UIDVALIDITYs of a tree are counted in the name of an empty file in its
// root, dovecot-uidvalidity.HHHHHHHH with the last one in hexadecimal, so that a
// folder that is made again under an old name gets a greater one even if the
// clock was set back. A rename is what decides between two who count at once.
// Dovecot keeps a copy of the number in dovecot-uidvalidity, to find the name
// without reading the directory; it does without if the two differ.
const counterName = "dovecot-uidvalidity"

// counts is how often the counter is tried again when others count too.
const counts = 20

// nextValidity takes a UIDVALIDITY for a folder that had at most known: greater
// than that and than all that the counter has given, and not less than the time in
// seconds. It is durable that it was taken before it is returned. Where damage has
// brought either to the largest number there is, the time must do: it is another
// number, which is what clients look at.
func nextValidity(m *maildir.Maildir, known uint32, now time.Time) (uint32, error) {
	root, err := m.OpenRoot()
	if err != nil {
		return 0, err
	}
	defer root.Close()
	for range counts {
		last, name, err := counted(root)
		if err != nil {
			return 0, err
		}
		next := max(int64(last)+1, int64(known)+1, now.Unix())
		if next > 1<<32-1 {
			return uint32(now.Unix()), nil
		}
		err = count(m.FS(), root, name, fmt.Sprintf("%s.%08x", counterName, next))
		if err == nil {
			return uint32(next), m.FS().SyncDir(root)
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%s: %s changes again and again", m.Path(), counterName)
}

// count gives the counter its next name, or makes it if it has none.
func count(f disk.FS, root *disk.Dir, old, next string) error {
	if old != "" {
		err := f.RenameNew(root, old, root, next)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
			return f.Rename(root, old, root, next) // NFS knows no other
		}
		return err
	}
	file, err := f.Create(root, next)
	if err != nil {
		return err
	}
	return file.Close()
}

// counted is the last UIDVALIDITY that was given, and the name of the counter, if
// it has one. Several can be there after a race; the highest counts.
func counted(root *disk.Dir) (last uint32, name string, err error) {
	err = root.Names(func(n []byte, _ uint64, _ byte) bool {
		digits, ok := strings.CutPrefix(string(n), counterName+".")
		if !ok || len(digits) != 8 {
			return true
		}
		if v, err := strconv.ParseUint(digits, 16, 32); err == nil && (uint32(v) > last || name == "") {
			last, name = uint32(v), string(n)
		}
		return true
	})
	return max(last, counterCopy(root)), name, err
}

// counterCopy is the number in Dovecot's copy, or 0.
func counterCopy(root *disk.Dir) uint32 {
	f, err := root.Open(counterName)
	if err != nil {
		return 0
	}
	defer f.Close()
	var b [8]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return 0
	}
	v, err := strconv.ParseUint(string(b[:]), 16, 32)
	if err != nil {
		return 0
	}
	return uint32(v)
}
