package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// Free space below which check warns, in bytes, and free inodes.
const (
	minFree   = 256 << 20
	minInodes = 10_000
)

// queue looks at the queue as relay and smtpd use it.
func (i *inspection) queue() {
	path, err := i.etc.Queue("")
	if err != nil {
		i.wrong(err)
		return
	}
	q, err := queue.Open(path, disk.OS)
	if err != nil {
		i.wrong(fmt.Errorf("%w; relay makes a queue when it starts, and so does 'rohrpost up'", err))
		return
	}
	defer q.Close()
	if err := q.Probe(); err != nil {
		i.wrong(finding(path, 0, "see that the mail uid may write there and that there is room", "%v", err))
		return
	}
	if listing, err := q.Scan(); err != nil {
		i.wrong(finding(path, 0, "see that the mail uid may write there and that there is room", "%v", err))
	} else if n := len(listing.Strangers); n > 0 {
		i.warn(finding(path, 0, "move them away", "%d files are no entries of ours, as %q", n, listing.Strangers[0]))
	}
	i.fileSystem(path, "tmp", "new")
}

// mail looks at the directory of homes.
func (i *inspection) mail() {
	path, err := i.etc.Mail("")
	if err != nil {
		i.wrong(err)
		return
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		i.wrong(finding(path, 0, "make it, owned by the mail uid, mode 700", "there is no such directory for mail"))
	case err != nil:
		i.wrong(err)
	case !st.IsDir():
		i.wrong(finding(path, 0, "make it a directory", "is not a directory"))
	case st.Mode().Perm()&0o002 != 0:
		i.wrong(finding(path, 0, "chmod o-w "+path, "everybody may write into it"))
	default:
		i.fileSystem(path, "", "")
	}
}

// fileSystem tries what a delivery does between two directories, and looks at
// what is left of the file system.
func (i *inspection) fileSystem(path, from, to string) {
	if err := tryLink(path, from, to); errors.Is(err, errNoLinks) {
		i.warn(finding(path, 0, "deliveries rename instead, which is slower; ext4, xfs, btrfs and NFS have links", "the file system has no hard links"))
	} else if err != nil {
		i.wrong(finding(path, 0, "see that the mail uid may write there and that there is room", "%v", err))
	}
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return
	}
	if free := st.Bavail * uint64(st.Bsize); free < minFree {
		i.warn(finding(path, 0, "make room", "only %d MB are free", free>>20))
	}
	if st.Files > 0 && st.Ffree < minInodes {
		i.warn(finding(path, 0, "every message needs one; make room", "only %d inodes are free", st.Ffree))
	}
}

var errNoLinks = errors.New("no hard links")

// tryLink makes a file, links it, and removes both.
func tryLink(path, from, to string) error {
	a, err := disk.OpenDirFollow(path + "/" + from)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := disk.OpenDirFollow(path + "/" + to)
	if err != nil {
		return err
	}
	defer b.Close()
	one, two := fmt.Sprintf(".check.%d", os.Getpid()), fmt.Sprintf(".check.%d.link", os.Getpid())
	f, err := disk.OS.Create(a, one)
	if err != nil {
		return err
	}
	defer disk.OS.Remove(a, one)
	if err := f.Close(); err != nil {
		return err
	}
	if err := disk.OS.Link(a, one, b, two); err != nil {
		return fmt.Errorf("%w: %w", errNoLinks, err)
	}
	return disk.OS.Remove(b, two)
}

// programs looks for the programs that up starts.
func (i *inspection) programs() {
	var missing []string
	var last error
	for _, name := range []string{"listen", "smtpd", "relay", "deliver", "pop3d", "checkpw", "login-ok"} {
		if _, err := frame.Libexec(name); err != nil {
			missing, last = append(missing, name), err
		}
	}
	if last != nil {
		i.wrong(fmt.Errorf("missing programs: %s (%w)", strings.Join(missing, ", "), last))
	}
}

// wantInstances is how many inotify instances a busy host needs: one for each
// session that watches a mailbox.
const wantInstances = 1024

// system looks at settings of the kernel.
func (i *inspection) system() {
	const name = "fs.inotify.max_user_instances"
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n < wantInstances {
		i.warn(finding("sysctl "+name, 0, fmt.Sprintf("sysctl -w %s=%d", name, 8*wantInstances),
			"%d sessions of one uid can watch a mailbox; those beyond look each second", n))
	}
}
