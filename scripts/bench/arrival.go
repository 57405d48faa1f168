package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arrivals counts messages as they appear in mailboxes, without looking into
// directories while the contender works.
type arrivals struct {
	fd    int
	boxes []string
}

func watch(boxes []string) (*arrivals, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	for _, b := range boxes {
		if _, err := unix.InotifyAddWatch(fd, filepath.Join(b, "new"), unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
			return nil, fmt.Errorf("watch %s: %w", b, err)
		}
	}
	return &arrivals{fd, boxes}, nil
}

// wait returns once n messages have arrived since watch.
func (a *arrivals) wait(n int, limit time.Duration) error {
	defer unix.Close(a.fd)
	buf := make([]byte, 1<<16)
	seen := 0
	for end := time.Now().Add(limit); seen < n; {
		left := time.Until(end)
		if left <= 0 {
			return fmt.Errorf("%d of %d messages arrived within %v", seen, n, limit)
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(a.fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1); err != nil && err != unix.EINTR {
			return err
		}
		k, err := unix.Read(a.fd, buf)
		if err != nil {
			continue
		}
		for off := 0; off < k; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[off]))
			if e.Mask&unix.IN_Q_OVERFLOW != 0 {
				return fmt.Errorf("inotify lost events: raise fs.inotify.max_queued_events")
			}
			off += unix.SizeofInotifyEvent + int(e.Len)
			seen++
		}
	}
	return nil
}

// stored checks that n messages lie in the mailboxes, none of them shorter than
// size bytes.
func stored(boxes []string, n int, size int64) error {
	found := 0
	for _, b := range boxes {
		for _, d := range []string{"new", "cur"} {
			es, err := os.ReadDir(filepath.Join(b, d))
			if err != nil {
				return err
			}
			for _, e := range es {
				info, err := e.Info()
				if err != nil {
					return err
				}
				if info.Size() < size {
					return fmt.Errorf("%s/%s/%s has %d bytes, sent were %d", b, d, e.Name(), info.Size(), size)
				}
				found++
			}
		}
	}
	if found != n {
		return fmt.Errorf("%d messages in the mailboxes, sent were %d", found, n)
	}
	return nil
}
