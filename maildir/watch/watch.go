// Package watch tells what happens in the directories of a Maildir while it
// happens, by inotify(7).
//
// The events name the files, so a session needs no scan to learn of one delivery
// in a folder of 100,000 messages, and none at all after its own renames. There is
// one descriptor, which poll(2) can wait for together with a client's socket.
//
// Where the kernel does not know all changes (NFS and its like), or has no
// instance left (128 for a uid by default), there is no Watch, and its user looks
// at the Stamp of the Maildir each second.
//
// Start reading at New and Watch.Drain.
package watch

import (
	"bytes"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// ErrRemote is the error for a Maildir that other machines may change unseen.
var ErrRemote = errors.New("file system does not tell of all changes")

// events are what may change a listing: names that come and go. A directory that
// is moved or removed itself ends the watch.
const events = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// Watch is a watch of the directories new and cur of one Maildir.
type Watch struct {
	fd       int
	new, cur int32 // watch descriptors
	buf      []byte
}

// Event is that a name came or went. The name is valid during the call only.
type Event struct {
	Name    []byte
	New     bool // in new, not in cur
	Present bool // it came
	// Moved says that the name came or went by a rename: of one that went, the
	// new name follows, unless it left the Maildir.
	Moved bool
}

// New watches m. Changes after it has returned are not missed. Errors are
// ErrRemote and the kernel's, EMFILE and ENOSPC among them.
func New(m *maildir.Maildir) (*Watch, error) {
	if m.Dir().Remote() {
		return nil, ErrRemote
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	w := &Watch{fd: fd}
	for _, d := range []struct {
		new bool
		wd  *int32
	}{{true, &w.new}, {false, &w.cur}} {
		wd, err := unix.InotifyAddWatch(fd, m.DirOf(maildir.Message{New: d.new}).ProcPath(), events)
		if err != nil {
			w.Close()
			return nil, err
		}
		*d.wd = int32(wd)
	}
	return w, nil
}

// Fd becomes readable when there is something to Drain.
func (w *Watch) Fd() int { return w.fd }

// Close ends the watch.
func (w *Watch) Close() {
	if w != nil && w.fd >= 0 {
		unix.Close(w.fd)
		w.fd = -1
	}
}

// readBuffer is how much is read at once, in bytes: some 60 events.
const readBuffer = 4 << 10

// Drain calls each for what happened since the last call, in order. If lost, some
// of it is not known, and only a scan finds out.
func (w *Watch) Drain(each func(Event)) (lost bool) {
	if w.buf == nil {
		w.buf = make([]byte, readBuffer)
	}
	for {
		n, err := unix.Read(w.fd, w.buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return lost
		case err != nil || n <= 0:
			return true
		default:
			lost = w.parse(w.buf[:n], each) || lost
		}
	}
}

// parse takes up one reading: structs inotify_event, and names behind them.
func (w *Watch) parse(b []byte, each func(Event)) (lost bool) {
	for len(b) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(b))
		mask := binary.NativeEndian.Uint32(b[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		if end > len(b) {
			return true
		}
		name := b[unix.SizeofInotifyEvent:end]
		b = b[end:]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		if mask&(unix.IN_Q_OVERFLOW|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_UNMOUNT|unix.IN_IGNORED) != 0 {
			lost = true
			continue
		}
		if len(name) == 0 || mask&unix.IN_ISDIR != 0 {
			continue
		}
		each(Event{
			Name: name, New: wd == w.new,
			Present: mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0,
			Moved:   mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0,
		})
	}
	return lost
}
