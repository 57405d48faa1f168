package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/queue"
)

// lookEvery is how often the directories' times are looked at where the kernel
// has no inotify for us: 128 instances a user is its default bound.
const lookEvery = time.Second

// news is what happened in the queue since the last news. The zero value says:
// read the directories.
type news struct {
	entries []queue.Entry // names that appeared in new or cur
	drop    bool          // something appeared in drop/new
}

// watcher tells what appears in the queue.
type watcher struct {
	news chan news
	stop chan struct{}
	file *os.File
	// watches are the directories by the kernel's number.
	watches map[int32]watched
}

type watched int

const (
	watchNew  watched = queue.InNew
	watchCur  watched = queue.InCur
	watchDrop watched = -1
)

// appears are the events of a name that comes into being.
const appears = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR

// watch starts to watch. err is why it has to look each second instead; the
// watcher works in any case.
func watch(q *queue.Queue) (w *watcher, err error) {
	w = &watcher{news: make(chan news, 16), stop: make(chan struct{}), watches: map[int32]watched{}}
	if err := w.open(q); err != nil {
		go w.look(q)
		return w, err
	}
	go w.read()
	return w, nil
}

func (w *watcher) close() {
	close(w.stop)
	if w.file != nil {
		w.file.Close()
	}
}

func (w *watcher) open(q *queue.Queue) error {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	for _, d := range []struct {
		path string
		is   watched
	}{{q.Path() + "/new", watchNew}, {q.Path() + "/cur", watchCur}, {q.Path() + "/drop/new", watchDrop}} {
		n, err := unix.InotifyAddWatch(fd, d.path, appears)
		if err == unix.ENOENT && d.is == watchDrop {
			continue
		}
		if err != nil {
			file.Close()
			return &os.PathError{Op: "watch", Path: d.path, Err: err}
		}
		w.watches[int32(n)] = d.is
	}
	w.file = file
	return nil
}

// read passes on what the kernel tells.
func (w *watcher) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		w.tell(w.parse(buf[:n]))
	}
}

func (w *watcher) tell(n news) {
	select {
	case w.news <- n:
	case <-w.stop:
	}
}

// inotifyHeader is the size of struct inotify_event without the name, in bytes.
const inotifyHeader = 16

// parse reads a batch of struct inotify_event.
func (w *watcher) parse(b []byte) news {
	var n news
	for len(b) >= inotifyHeader {
		wd := int32(binary.NativeEndian.Uint32(b))
		mask := binary.NativeEndian.Uint32(b[4:])
		size := inotifyHeader + int(binary.NativeEndian.Uint32(b[12:]))
		if mask&unix.IN_Q_OVERFLOW != 0 || size > len(b) {
			return news{} // some names are lost
		}
		name, _, _ := bytes.Cut(b[inotifyHeader:size], []byte{0})
		b = b[size:]
		switch at, ok := w.watches[wd]; {
		case !ok || mask&(unix.IN_CREATE|unix.IN_MOVED_TO) == 0:
		case at == watchDrop:
			n.drop = true
		default:
			if e, ok := queue.ParseName(string(name), int(at)); ok {
				n.entries = append(n.entries, e)
			}
		}
	}
	if n.entries == nil && !n.drop {
		// Nothing for us: an empty batch must not be taken for lost names.
		n.entries = []queue.Entry{}
	}
	return n
}

// look looks at the directories' times.
func (w *watcher) look(q *queue.Queue) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := q.Changed()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		now := q.Changed()
		// Two changes within a tick of the file system's clock look like one, so
		// what changed lately is read again.
		if now != last || now.Recent(time.Now()) {
			w.tell(news{})
		}
		last = now
	}
}
