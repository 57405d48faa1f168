package uidlist

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// Stamp identifies the state of a list's file: as long as it is the same, so are
// the bytes. The zero Stamp is that of no file.
type Stamp struct {
	Inode uint64
	Size  int64 // bytes
	Mtime int64 // nanoseconds since 1970
}

// StampOf is the Stamp of the list as it is now; zero if there is none.
func StampOf(m *maildir.Maildir) (Stamp, error) {
	st, err := m.Dir().Stat(Name)
	if errors.Is(err, fs.ErrNotExist) {
		return Stamp{}, nil
	}
	if err != nil {
		return Stamp{}, err
	}
	return toStamp(&st), nil
}

// Stamp is the Stamp of the file that l was read from, or written to.
func (l *List) Stamp() Stamp { return l.stamp }

func stampOf(f *os.File) (Stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Stamp{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return toStamp(&st), nil
}

func toStamp(st *unix.Stat_t) Stamp {
	return Stamp{Inode: st.Ino, Size: st.Size, Mtime: st.Mtim.Nano()}
}

// settled is how old a file is when no doubt is left that its name is durable,
// though whoever gave it that name did not sync: file systems commit names within
// seconds, 30 at most.
const settled = 5 * time.Minute

// young reports whether the list's name in dir may not be durable yet. Dovecot
// replaces the list by rename without a sync of the directory.
func young(dir *disk.Dir) bool {
	var st unix.Statx_t
	err := unix.Statx(dir.Fd(), Name, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return true
	}
	return time.Since(time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))) < settled
}
