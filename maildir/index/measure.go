package index

import (
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

const (
	// readBuffer is how much of a message is read at once, in bytes: most
	// messages whole, and little enough to stay in a processor's cache.
	readBuffer = 64 << 10
	// batch is how many messages a reader takes at a time.
	batch = 32
	// rounds is how often messages that were renamed meanwhile are looked for.
	rounds = 3
)

// measure reads the messages and sets their sizes. Those that are gone are
// returned.
func measure(m *maildir.Maildir, l *maildir.Listing, list []uint32) (gone map[uint32]bool, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	byInode(l, list)
	l.SetWireSize(int(list[0]), -1) // makes room, before several write
	missing, err := readAll(m, list, l, l)
	for range rounds {
		if len(missing) == 0 {
			break
		}
		now, serr := m.Scan()
		if serr != nil {
			return nil, serr
		}
		var again error
		missing, again = readAll(m, missing, l, now)
		err = errors.Join(err, again)
	}
	gone = map[uint32]bool{}
	for _, i := range missing {
		gone[i] = true
		l.SetWireSize(int(i), 0)
	}
	return gone, err
}

// byInode puts the messages in the order of their inodes, in which a disk has
// most of what is wanted next already read.
func byInode(l *maildir.Listing, list []uint32) {
	type place struct {
		inode uint64
		i     uint32
	}
	places := make([]place, len(list))
	for n, i := range list {
		places[n] = place{l.Inode(int(i)), i}
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.inode < b.inode:
			return -1
		case a.inode > b.inode:
			return 1
		}
		return 0
	})
	for n, p := range places {
		list[n] = p.i
	}
}

// readAll reads the messages of the list, under the names that the listing now
// has for them, and sets their sizes in l. Those without a file of that name
// are returned.
func readAll(m *maildir.Maildir, list []uint32, l, now *maildir.Listing) (missing []uint32, err error) {
	// Servers of one connection run with one processor; this is the moment for
	// all of them.
	workers := min(runtime.NumCPU(), (len(list)+batch-1)/batch)
	if old := runtime.GOMAXPROCS(0); workers > old {
		runtime.GOMAXPROCS(workers)
		defer runtime.GOMAXPROCS(old)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	readers := make([]reader, workers)
	for w := range readers {
		r := &readers[w]
		*r = reader{m: m, l: l, now: now}
		all.Go(func() {
			for {
				end := int(next.Add(batch))
				if end-batch >= len(list) {
					return
				}
				for _, i := range list[end-batch : min(end, len(list))] {
					r.message(i)
				}
			}
		})
	}
	all.Wait()
	for _, r := range readers {
		missing = append(missing, r.missing...)
		if err == nil {
			err = r.err
		}
	}
	return missing, err
}

// reader is one of several that read messages at once.
type reader struct {
	m       *maildir.Maildir
	l, now  *maildir.Listing
	missing []uint32
	err     error // the first
	path    [256]byte
	buf     []byte
}

// message sets the size of message i.
func (r *reader) message(i uint32) {
	msg := r.l.At(int(i))
	if r.now != r.l {
		at := r.now.Find(msg.Base)
		if at < 0 {
			r.missing = append(r.missing, i)
			return
		}
		msg = r.now.At(at)
	}
	wire, err := r.count(msg)
	switch {
	case err == nil:
		r.l.SetWireSize(int(i), wire)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESTALE):
		r.missing = append(r.missing, i)
	case r.err == nil:
		r.err = &fs.PathError{Op: "read", Path: r.m.DirOf(msg).Path() + "/" + msg.String(), Err: err}
	}
}

// count reads one message and allocates nothing.
func (r *reader) count(msg maildir.Message) (int64, error) {
	if r.buf == nil {
		r.buf = make([]byte, readBuffer)
	}
	fd, err := r.open(msg)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var c maildir.Counter
	for {
		n, err := unix.Read(fd, r.buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case n == 0:
			return c.Wire, nil
		default:
			c.Add(r.buf[:n])
		}
	}
}

// open opens a message as disk.Dir.Open does, without a copy of its name on the
// heap and without an os.File. That it was a regular file the directory said; a
// FIFO that took its place does not block, and has no bytes.
func (r *reader) open(msg maildir.Message) (int, error) {
	n := copy(r.path[:len(r.path)-1], msg.Base)
	n += copy(r.path[n:len(r.path)-1], msg.Fields)
	n += copy(r.path[n:len(r.path)-1], msg.Info)
	r.path[n] = 0
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(r.m.DirOf(msg).Fd()),
			uintptr(unsafe.Pointer(&r.path[0])), flags, 0, 0, 0)
		switch errno {
		case 0:
			return int(fd), nil
		case unix.EINTR:
		default:
			return -1, errno
		}
	}
}
