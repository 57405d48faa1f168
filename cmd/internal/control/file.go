package control

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of a large table, in bytes: what is kept in memory, and one line with
// its line end.
const (
	maxKept = 1 << 20
	MaxLine = 8 << 10
)

// bufferSize is how much of a large file is read at a time, in bytes.
const bufferSize = 64 << 10

// maxTick is how long, at most, two changes of a file may bear the same time.
// A file that changed within it is read again on the next use.
const maxTick = time.Second

// File is a table that may be large and may change while we run: users,
// aliases, lists of domains. Up to 1 MiB it is kept in memory as long as it
// stays the same; beyond, it is read through on each use (a million lines take
// well under half a second). A File is safe for several goroutines.
type File struct {
	Path string
	// Private says that the file holds secrets, so it is refused if everybody
	// may read it.
	Private bool

	mu   sync.Mutex
	kept []byte
	from State // whose content kept is; the zero State if nothing is kept
}

// Row is one line of a File as it stands there, without its LF.
type Row struct {
	Text []byte // valid until the visitor returns
	No   int    // from 1
	// Torn says that the file ends within this line: somebody is writing it, or
	// could not finish.
	Torn bool
}

// State tells one state of a file from another. The zero State is that of a
// file which does not exist.
type State struct {
	dev, ino           uint64
	size, mtime, ctime int64
}

// State looks at the file now. settled is false if it changed so recently that
// another change might not show.
func (f *File) State() (s State, settled bool, err error) {
	var st unix.Stat_t
	if err := unix.Stat(f.Path, &st); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return State{}, true, nil
	} else if err != nil {
		return State{}, false, &Error{File: f.Path, What: "cannot be looked at: " + err.Error()}
	}
	s = stateOf(&st)
	return s, s.settled(time.Now()), nil
}

func stateOf(st *unix.Stat_t) State {
	return State{dev: uint64(st.Dev), ino: st.Ino, size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano()}
}

func (s State) settled(now time.Time) bool {
	return now.UnixNano()-max(s.mtime, s.ctime) > int64(maxTick)
}

// Each calls visit for every line, until it says stop or fails. exists is false
// if there is no such file.
func (f *File) Each(visit func(Row) (stop bool, err error)) (exists bool, err error) {
	kept, large, err := f.open()
	if err != nil || kept == nil && large == nil {
		return false, err
	}
	next := inMemory(kept)
	if large != nil {
		defer large.Close()
		next = readThrough(large)
	}
	for no := 1; ; no++ {
		text, err := next()
		switch {
		case len(text) >= MaxLine:
			return true, &Error{File: f.Path, Line: no, What: fmt.Sprintf("is longer than %d bytes", MaxLine), Remedy: "shorten the line"}
		case err != nil && err != io.EOF:
			return true, &Error{File: f.Path, Line: no, What: "cannot be read: " + err.Error()}
		case len(text) == 0:
			return true, nil
		case bytes.IndexByte(text, 0) >= 0:
			return true, &Error{File: f.Path, Line: no, What: "contains a NUL byte", Remedy: "write it anew as plain text"}
		}
		text, ended := bytes.CutSuffix(text, []byte("\n"))
		if stop, err := visit(Row{Text: text, No: no, Torn: !ended}); stop || err != nil {
			return true, err
		}
	}
}

// inMemory gives a text line by line, with line ends, and then nothing.
func inMemory(text []byte) func() ([]byte, error) {
	return func() (line []byte, err error) {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		line, text = text[:end], text[end:]
		return line, nil
	}
}

// readThrough gives a file line by line, with line ends, and then nothing. A
// line that is too long is cut.
func readThrough(file *os.File) func() ([]byte, error) {
	in := bufio.NewReaderSize(file, bufferSize)
	return func() ([]byte, error) {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		return line, err
	}
}

// open is the content as it is now: from memory if the file is small, else the
// file to be read through. Both are nil if there is no such file.
func (f *File) open() (kept []byte, large *os.File, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, _, err := f.State()
	if err == nil && now == f.from && now != (State{}) {
		return f.kept, nil, nil
	}
	f.kept, f.from = nil, State{}
	if err != nil || now == (State{}) {
		return nil, nil, err
	}
	file, err := openRegular(f.Path, f.Private)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if now.size > maxKept {
		return nil, file, nil
	}
	defer file.Close()
	kept, err = f.keep(file)
	return kept, nil, err
}

// keep reads a small file whole, and keeps it if no change can go unseen.
func (f *File) keep(file *os.File) ([]byte, error) {
	var before, after unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &before); err != nil {
		return nil, &Error{File: f.Path, What: "cannot be looked at: " + err.Error()}
	}
	b, err := io.ReadAll(io.LimitReader(file, before.Size))
	if err != nil {
		return nil, &Error{File: f.Path, What: "cannot be read: " + err.Error()}
	}
	state := stateOf(&before)
	if unix.Fstat(int(file.Fd()), &after) == nil && stateOf(&after) == state && state.settled(time.Now()) {
		f.kept, f.from = b, state
	}
	return b, nil
}

// openRegular opens a file of the configuration: never a FIFO that would block
// us, and never one that everybody may write, or read if it is private.
func openRegular(path string, private bool) (*os.File, error) {
	file, err := openQuietly(path)
	if err != nil {
		return nil, err
	}
	st, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, &Error{File: path, What: "cannot be looked at: " + err.Error()}
	}
	switch mode := st.Mode(); {
	case !mode.IsRegular():
		err = &Error{File: path, What: "is not a regular file", Remedy: "put a plain text file there"}
	case mode.Perm()&0o002 != 0:
		err = &Error{File: path, What: "can be written by everybody", Remedy: "chmod o-w " + path}
	case private && mode.Perm()&0o024 != 0:
		err = &Error{File: path, What: "holds secrets, and others than its owner may write or everybody may read it", Remedy: "chmod 640 " + path}
	default:
		return file, nil
	}
	file.Close()
	return nil, err
}

// openQuietly opens a file that may be a FIFO without waiting for a writer. The
// flag is taken off again before Go sees the file: for a descriptor that does
// not block it would set up its poller, which costs each process that only ever
// reads a few small files two descriptors and some pages of memory.
func openQuietly(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	for err == unix.EINTR {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	unix.SetNonblock(fd, false)
	return os.NewFile(uintptr(fd), path), nil
}
