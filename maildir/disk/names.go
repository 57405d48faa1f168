package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
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

// Names calls each for every name in d, . and .. among them, with the number of
// its inode and its type (unix.DT_REG and sisters; unix.DT_UNKNOWN where the
// file system does not say). The name is valid during the call only. It stops
// when each returns false. Several readers of one directory do not disturb each
// other.
func (d *Dir) Names(each func(name []byte, ino uint64, typ byte) bool) error {
	// A descriptor of its own: its position in the directory is nobody else's.
	own, err := d.OpenDir(".")
	if err != nil {
		return err
	}
	defer own.Close()
	buf := make([]byte, direntBuffer)
	for {
		n, err := unix.Getdents(own.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return &fs.PathError{Op: "read directory", Path: d.path, Err: err}
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
