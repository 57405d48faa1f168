package maildir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// direntBuffer is how much of a directory the kernel gives us at a time, in
// bytes: some 400 names.
const direntBuffer = 32 << 10

// Offsets in the kernel's struct linux_dirent64.
const (
	direntIno    = 0  // 8 bytes
	direntReclen = 16 // 2 bytes
	direntType   = 18 // 1 byte
	direntName   = 19 // to a NUL
)

// readMessages calls each for every name in d that may be a message's, with the
// number of its inode. The name is valid during the call only. It stops when
// each returns false. Several readers of one directory do not disturb each
// other.
func readMessages(d *disk.Dir, each func(name []byte, ino uint64) bool) error {
	return readDir(d, func(name []byte, ino uint64, typ byte) bool {
		if ignored(name) || !regular(d, name, typ) {
			return true
		}
		return each(name, ino)
	})
}

// readDir calls each for every name in d.
func readDir(d *disk.Dir, each func(name []byte, ino uint64, typ byte) bool) error {
	// A descriptor of its own: its position in the directory is nobody else's.
	own, err := d.OpenDir(".")
	if err != nil {
		return err
	}
	defer own.Close()
	buf := make([]byte, direntBuffer)
	for {
		n, err := unix.Getdents(own.Fd(), buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return &fs.PathError{Op: "read directory", Path: d.Path(), Err: err}
		}
		if n == 0 {
			return nil
		}
		for b := buf[:n]; len(b) > direntName; {
			size := int(binary.NativeEndian.Uint16(b[direntReclen:]))
			name := b[direntName:size]
			if i := bytes.IndexByte(name, 0); i >= 0 {
				name = name[:i]
			}
			if !each(name, binary.NativeEndian.Uint64(b[direntIno:]), b[direntType]) {
				return nil
			}
			b = b[size:]
		}
	}
}

// ignored reports whether a name is certainly no message's: hidden files, among
// them what NFS leaves of a file that was removed while open, and what editors
// and synchronizers keep beside a file.
func ignored(name []byte) bool {
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
