package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// broom is one run of sweep.
type broom struct {
	etc   control.Dir
	rules []control.Expire
	now   time.Time
	dry   bool
	fs    disk.FS

	out      io.Writer
	progress *progress
	failed   error
	tmp      int // files removed from tmp directories
	expired  int // messages removed from folders
}

func sweepCommand() *cobra.Command {
	var p place
	b := broom{fs: disk.OS}
	c := &cobra.Command{
		Use:   "sweep",
		Short: "remove what is old: debris in tmp, messages in folders with a rule",
		Long: `sweep is for cron, once a day. In the queue and in every user's Maildir and
folders it removes files in tmp that nobody has touched for 36 hours. In folders
that the control file expire names it removes messages older than it says,
counted from their arrival in the folder or their last change of flags; flagged
messages stay. In the configuration directory it removes what a change that was
killed left. It is quiet unless something is wrong.`,
		Example: `  echo Trash 30d >> rohrpost/etc/expire
  rohrpost sweep -n`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if b.etc, err = p.must(); err != nil {
				return err
			}
			if b.rules, err = b.etc.Expiry(); err != nil {
				return err
			}
			b.out, b.now, b.progress = c.OutOrStdout(), time.Now(), newProgress(os.Stderr, "swept")
			return b.sweep()
		},
	}
	p.flags(c)
	c.Flags().BoolVarP(&b.dry, "dry-run", "n", false, "only say what would be removed")
	return c
}

// sweep goes on after an error, and returns all of them.
func (b *broom) sweep() error {
	b.configuration()
	b.queue()
	mail, err := b.etc.Mail("")
	if err != nil {
		return err
	}
	err = users.Open(b.etc, mail).Each(func(u users.User, err error) error {
		if err != nil {
			b.fail(err)
			return nil
		}
		b.home(u.Maildir())
		return nil
	})
	b.fail(err)
	b.home(users.User{Home: users.DefaultHome(mail, "postmaster")}.Maildir())
	b.progress.end()
	if b.dry {
		fmt.Fprintf(b.out, "would remove %d files in tmp, %d messages\n", b.tmp, b.expired)
	}
	return b.failed
}

func (b *broom) fail(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.failed = errors.Join(b.failed, err)
	}
}

// configuration removes new files that never took their names.
func (b *broom) configuration() {
	unlock, err := b.etc.Lock()
	if err != nil {
		b.fail(err)
		return
	}
	defer unlock()
	for _, name := range control.Names() {
		path := b.etc.File("." + name + ".new")
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if b.dry {
			fmt.Fprintf(b.out, "would remove %s\n", path)
			continue
		}
		b.fail(os.Remove(path))
	}
}

// queue sweeps the queue's tmp: it is a Maildir. Beside it, drop/tmp is where
// sendmail of other users writes.
func (b *broom) queue() {
	path, err := b.etc.Queue("")
	if err != nil {
		b.fail(err)
		return
	}
	b.with(func() (*maildir.Maildir, error) { return maildir.OpenFollow(path, b.fs) }, b.debris)
	b.fail(b.drop(filepath.Join(path, "drop", "tmp")))
}

// dropLife is how long a file may lie in drop/tmp: as in any tmp.
const dropLife = 36 * time.Hour

// drop removes what nobody has written to for so long. The directory is
// everybody's to write, so only regular files go, and no link is followed.
func (b *broom) drop(path string) error {
	d, err := disk.OpenDir(path)
	if err != nil {
		return err
	}
	defer d.Close()
	var old []string
	err = d.Names(func(name []byte, _ uint64, _ byte) bool {
		st, err := d.Stat(string(name))
		if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && b.now.Sub(time.Unix(st.Mtim.Unix())) > dropLife {
			old = append(old, string(name))
		}
		return true
	})
	for _, name := range old {
		b.tmp++
		if b.dry {
			fmt.Fprintf(b.out, "would remove %s\n", printable(filepath.Join(path, name)))
			continue
		}
		err = errors.Join(err, b.fs.Remove(d, name))
	}
	return err
}

// with opens a Maildir, if it is there, and works on it.
func (b *broom) with(open func() (*maildir.Maildir, error), work func(*maildir.Maildir)) {
	m, err := open()
	if err != nil {
		b.fail(err)
		return
	}
	defer m.Close()
	work(m)
}

// home sweeps one user's Maildir and its folders.
func (b *broom) home(path string) {
	b.with(func() (*maildir.Maildir, error) { return maildir.OpenFollow(path, b.fs) }, func(m *maildir.Maildir) {
		b.debris(m)
		b.expire(m, "INBOX")
		folders, err := m.Folders()
		b.fail(err)
		for _, name := range folders {
			b.with(func() (*maildir.Maildir, error) { return m.Folder(name) }, func(f *maildir.Maildir) {
				b.debris(f)
				b.expire(f, name)
			})
		}
	})
	b.progress.step()
}

// debris sweeps tmp.
func (b *broom) debris(m *maildir.Maildir) {
	fs := b.fs
	if b.dry {
		fs = keepAll{fs}
	}
	n, err := sweepTmp(m, fs, b.now)
	b.fail(err)
	b.tmp += n
	if b.dry && n > 0 {
		fmt.Fprintf(b.out, "would remove %d files in %s/tmp\n", n, m.Path())
	}
}

// sweepTmp is Maildir.Sweep through another door to the file system.
func sweepTmp(m *maildir.Maildir, f disk.FS, now time.Time) (int, error) {
	again, err := maildir.OpenFollow(m.Path(), f)
	if err != nil {
		return 0, err
	}
	defer again.Close()
	return again.Sweep(now)
}

// keepAll is a file system on which nothing is removed.
type keepAll struct{ disk.FS }

func (keepAll) Remove(*disk.Dir, string) error { return nil }

// expire removes old messages from a folder that has a rule.
func (b *broom) expire(m *maildir.Maildir, folder string) {
	for _, r := range b.rules {
		if r.Folder != folder {
			continue
		}
		old, err := b.old(m, r.Age)
		if err != nil {
			b.fail(fmt.Errorf("%s: %w", m.Path(), err))
			return
		}
		b.expired += len(old)
		if b.dry && len(old) == 0 {
			continue
		}
		if b.dry {
			fmt.Fprintf(b.out, "would remove %d messages older than %s in %s (%s:%d)\n", len(old), span(r.Age), m.Path(), r.File, r.No)
			continue
		}
		b.fail(m.Expunge(old))
	}
}

// old are the messages that have been in the folder for longer than age.
func (b *broom) old(m *maildir.Maildir, age time.Duration) ([]maildir.Message, error) {
	l, err := m.Scan()
	if err != nil {
		return nil, err
	}
	var old []maildir.Message
	for i := range l.Len() {
		msg := l.At(i)
		if msg.Flags&maildir.Flagged != 0 {
			continue
		}
		since, err := arrived(m, msg)
		if errors.Is(err, maildir.ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if b.now.Sub(since) > age {
			old = append(old, msg)
		}
	}
	return old, nil
}

// arrived is when a message came into its folder: the time of its last change
// of names. The modification time will not do, since it is the message's own
// and travels with it: what came a year ago and was deleted today is new in
// Trash.
func arrived(m *maildir.Maildir, msg maildir.Message) (time.Time, error) {
	f, _, err := m.OpenMessage(msg)
	if err != nil {
		return time.Time{}, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(f.Fd(), &st); err != nil {
		return time.Time{}, err
	}
	return time.Unix(st.Ctim.Unix()), nil
}
