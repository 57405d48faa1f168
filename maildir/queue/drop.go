package queue

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// The drop takes entries from every user of the host, without any right of
// theirs on the queue itself: drop/tmp and drop/new have mode 1733. A program
// writes a file of the queue's format into drop/tmp, syncs it, renames it into
// drop/new and syncs that. Whoever works the queue copies it durably, notes its
// owner in a Received line, and removes it. A file there is a stranger's: it is
// opened without following links, copied whatever it holds, and never trusted
// with more than its sender and recipients.

// maxDrops bounds the names that are listed of the drop at a time.
const maxDrops = 10_000

// ErrDropLink is a dropped file with a second name, which may be anybody's.
var ErrDropLink = errors.New("file has another name, so it may be somebody else's")

// ErrDropSize is a dropped file above the bound.
var ErrDropSize = errors.New("file is too large")

// Drops are the names in drop/new, at most ten thousand at a time.
func (q *Queue) Drops() ([]string, error) {
	if q.dropFresh == nil {
		return nil, nil
	}
	var names []string
	err := q.dropFresh.Names(func(name []byte, _ uint64, _ byte) bool {
		if name[0] != '.' {
			names = append(names, string(name))
		}
		return len(names) < maxDrops
	})
	return names, err
}

// Dropped is an entry that came through the drop.
type Dropped struct {
	Entry    Entry
	Envelope Envelope
	UID      uint32 // of the file's owner
}

// TakeDrop moves a dropped file into the queue. host becomes part of its Received
// line, now its time of arrival; limit is the largest message in bytes, 0 for
// none. again says that a crash may have come between the copy and the removal
// before. The error wraps fs.ErrNotExist if the file is gone, and is ErrDropLink,
// ErrDropSize, an *EnvelopeError or disk.ErrNotRegular for a file that is left
// where it is.
func (q *Queue) TakeDrop(name, host string, now time.Time, limit int64, again bool) (Dropped, error) {
	f, err := q.dropFresh.Open(name)
	if err != nil {
		return Dropped{}, err
	}
	defer f.Close()
	d, err := q.copyDrop(f, name, host, now, limit, again)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return d, err
	}
	if err := q.fs.Remove(q.dropFresh, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	return d, nil
}

func (q *Queue) copyDrop(f *os.File, name, host string, now time.Time, limit int64, again bool) (d Dropped, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return d, err
	}
	d.UID = st.Uid
	switch {
	case st.Nlink != 1:
		return d, ErrDropLink
	case limit > 0 && st.Size > limit+maxBlock:
		return d, ErrDropSize
	}
	_, env, body, err := readEnvelope(f, make([]byte, firstRead), st.Size)
	if err != nil {
		return d, err
	}
	if limit > 0 && st.Size-body > limit {
		return d, ErrDropSize
	}
	owner := "uid " + strconv.FormatUint(uint64(st.Uid), 10)
	env.Arrived, env.Client, env.Auth = now, owner, ""
	d.Envelope = env
	p, err := q.BeginDerived(dropID(name, &st), again, env)
	if err != nil {
		return d, err
	}
	d.Entry = p.Entry()
	fmt.Fprintf(p, "Received: by %s (rohrpost, from %s)\n\tid %s; %s\n", host, owner, p.ID(), now.Format(dateFormat))
	if err := copyLF(p, io.NewSectionReader(f, body, st.Size-body)); err != nil {
		p.Abort()
		return d, err
	}
	return d, p.Commit()
}

// dropID is the ID of a dropped file: the same after a crash, and no other
// entry's, whatever name its owner gave it.
func dropID(name string, st *unix.Stat_t) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d %s", st.Dev, st.Mtim.Nsec, name)
	host := "localhost"
	if base, err := maildir.SystemNamer().Next(); err == nil {
		// The host stands behind the second dot.
		if parts := strings.SplitN(base, ".", 3); len(parts) == 3 {
			host = parts[2]
		}
	}
	return fmt.Sprintf("%d.I%dU%dR%x.%s", max(st.Mtim.Sec, 0), st.Ino, st.Uid, h.Sum64(), host)
}

// copyLF copies a message and makes each CRLF an LF.
func copyLF(w io.Writer, r io.Reader) error {
	buf := make([]byte, putBuffer)
	kept := 0 // a CR at the end of a piece waits for the next one
	for {
		n, err := r.Read(buf[kept:])
		n += kept
		kept = 0
		if err == nil && n > 0 && buf[n-1] == '\r' {
			n, kept = n-1, 1
		}
		piece := bytes.ReplaceAll(buf[:n], []byte("\r\n"), []byte("\n"))
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if kept == 1 {
			buf[0] = '\r'
		}
	}
}
