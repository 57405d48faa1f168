package index

import (
	"io"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
)

// Sizes finds the size on the wire of every message of l whose name does not
// tell it, and sets it: from rohrpost.sizes, else by reading the message, on all
// processors at once. A message that is gone gets the size 0. One that cannot be
// read keeps -1; the error is that of the first such message.
//
// If it had to read many, it writes rohrpost.sizes anew. That this fails, in a
// Maildir that we may not write or on a full disk, is no error.
func Sizes(m *maildir.Maildir, l *maildir.Listing) error {
	foreign := unknown(l)
	if len(foreign) == 0 {
		return nil
	}
	stored := lookUp(m, l, foreign)
	unread := unknown(l)
	gone, err := measure(m, l, unread)
	if worthWriting(len(unread), len(foreign), stored) {
		store(m, l, foreign, gone)
	}
	return err
}

// unknown is the messages whose wire size is not known.
func unknown(l *maildir.Listing) (list []uint32) {
	for i := range l.Len() {
		if l.WireSize(i) < 0 {
			list = append(list, uint32(i))
		}
	}
	return list
}

// worthWriting weighs reading so many messages again next time against writing
// all records: it takes a few dozen new ones, or a file that is mostly about
// messages of the past.
func worthWriting(read, foreign, stored int) bool {
	return read >= 32+foreign/64 || stored > 2*foreign+1024
}

// lookUp sets the sizes that the file knows, and returns for how many messages
// the file was made.
func lookUp(m *maildir.Maildir, l *maildir.Listing, list []uint32) (stored int) {
	t, unmap := load(m)
	if t == nil {
		return 0
	}
	defer unmap()
	return t.fill(l, list)
}

// fill sets the sizes that the table knows, and returns for how many messages it
// was made. Somebody who truncates the file while it is mapped makes a fault of
// every access behind its end; that costs us what was not found yet.
func (t table) fill(l *maildir.Listing, list []uint32) (stored int) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		e := recover()
		if _, fault := e.(interface{ Addr() uintptr }); e != nil && !fault {
			panic(e)
		}
	}()
	for _, i := range list {
		if wire, ok := t.find(keyOf(l.Base(int(i))), l.Inode(int(i))); ok {
			l.SetWireSize(int(i), wire)
		}
	}
	return t.records()
}

// load maps the file, or gives nil.
func load(m *maildir.Maildir) (t table, unmap func()) {
	f, err := m.Dir().Open(fileName)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() < recordSize || st.Size() > maxFile {
		return nil, nil
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, nil
	}
	unmap = func() { unix.Munmap(b) }
	t, ok := openTable(b)
	if !ok {
		unmap()
		return nil, nil
	}
	return t, unmap
}

// maxFile bounds what is mapped, in bytes: some 25 million messages.
const maxFile = 1 << 30

// store writes the file for these messages, but for those that are gone or
// could not be read. The table is built outside the heap, which stays small for
// the hours that a session may idle.
func store(m *maildir.Maildir, l *maildir.Listing, list []uint32, gone map[uint32]bool) {
	b, err := unix.Mmap(-1, 0, tableSize(len(list)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return
	}
	defer unix.Munmap(b)
	t := newTable(b, len(list))
	for _, i := range list {
		if wire := l.WireSize(int(i)); wire >= 0 && !gone[i] {
			t.insert(size{keyOf(l.Base(int(i))), l.Inode(int(i)), uint64(wire)})
		}
	}
	m.Replace(fileName, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
