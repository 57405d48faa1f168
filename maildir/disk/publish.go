package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// ErrNotRegular is the error for a name that is a FIFO, a device, a directory
// or a symbolic link where a file of mail belongs.
var ErrNotRegular = errors.New("not a regular file")

// Publish gives the file tmp/name, which the caller has written, synced and
// closed, its final name in the directory to, and returns once that name
// survives a power cut. The order is the durability contract:
//
//  1. link tmp/name to to/final
//  2. sync the directory to
//  3. remove tmp/name (not synced: a leftover in tmp is debris, not a loss)
//
// A crash between 1 and 2 leaves the file under its final name or not at all,
// whole in both cases. If final is taken by another file, the error is
// fs.ErrExist and nothing has changed; if it is taken by this very file, an
// earlier try has published it and Publish goes on from step 2. After another
// error the file may be there under its final name: nothing is taken back.
func Publish(f FS, tmp *Dir, name string, to *Dir, final string) error {
	moved, err := Place(f, tmp, name, to, final)
	if err != nil {
		return err
	}
	if err := f.SyncDir(to); err != nil {
		return err
	}
	if moved {
		return f.SyncDir(tmp)
	}
	f.Remove(tmp, name) // debris at worst
	return nil
}

// Place is step 1 of Publish alone, for who publishes several files and syncs
// once. On file systems without hard links, FAT and several of FUSE, the file is
// moved without replacing another, and then tmp has to be synced too.
func Place(f FS, tmp *Dir, name string, to *Dir, final string) (moved bool, err error) {
	err = f.Link(tmp, name, to, final)
	switch {
	case err == nil:
		return false, nil
	case sameFile(tmp, name, to, final):
		// An NFS server did the link and lost the answer, or we crashed here
		// once before.
		return false, nil
	case NoHardLinks(err):
		return true, f.RenameNew(tmp, name, to, final)
	}
	return false, err
}

// NoHardLinks reports whether err says that a file cannot have another name
// here: the file system knows none, or this file has too many.
func NoHardLinks(err error) bool {
	for _, e := range []unix.Errno{unix.EXDEV, unix.EPERM, unix.EMLINK, unix.EOPNOTSUPP, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func sameFile(a *Dir, aname string, b *Dir, bname string) bool {
	x, err := a.Stat(aname)
	if err != nil {
		return false
	}
	y, err := b.Stat(bname)
	return err == nil && x.Dev == y.Dev && x.Ino == y.Ino
}
