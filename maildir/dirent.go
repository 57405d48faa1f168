package maildir

import (
	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// readMessages calls each for every name in d that may be a message's, with the
// number of its inode. The name is valid during the call only. It stops when
// each returns false. Several readers of one directory do not disturb each
// other.
func readMessages(d *disk.Dir, each func(name []byte, ino uint64) bool) error {
	return d.Names(func(name []byte, ino uint64, typ byte) bool {
		if Ignored(name) || !regular(d, name, typ) {
			return true
		}
		return each(name, ino)
	})
}

// Ignored reports whether a name is certainly no message's: hidden files, among
// them what NFS leaves of a file that was removed while open, and what editors
// and synchronizers keep beside a file.
func Ignored(name []byte) bool {
	switch name[0] {
	case '.', '#', '~':
		return true
	}
	return name[len(name)-1] == '~'
}

// regular reports whether the entry is a regular file. Not every file system
// says so in the entry.
func regular(d *disk.Dir, name []byte, typ byte) bool {
	if typ != unix.DT_UNKNOWN {
		return typ == unix.DT_REG
	}
	st, err := d.Stat(string(name))
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG
}
