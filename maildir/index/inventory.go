package index

import (
	"errors"

	"rohrpost/maildir"
)

// Inventory is the messages of a Maildir in the order of their arrival
// (maildir.Listing.Sort) with their sizes on the wire, as they were when it was
// taken. It belongs to one goroutine.
//
// If neither new nor cur has changed since rohrpost.sizes was written, no directory
// is read and no message is in memory: they are looked up in that file.
type Inventory struct {
	m      *maildir.Maildir
	file   *sizesFile       // while that is what it is taken from
	list   *maildir.Listing // else
	octets int64
	unread error
	due    bool // the file is worth writing anew
}

// large is how many messages make a directory as dear to list as the file to write,
// so that rohrpost.sizes is kept also where names tell all sizes (BenchmarkLarge).
const large = 4000

// ErrChanged is the error when rohrpost.sizes turns out damaged in the middle of
// its use, and the directories have changed meanwhile: which message had which
// number is lost.
var ErrChanged = errors.New("list of messages is damaged, and the directories have changed")

// TakeInventory lists the messages of m and finds their sizes: in their names
// (,W=), else in rohrpost.sizes, else by reading them, on all processors at once.
// One that is gone meanwhile, or cannot be read (see Unread), counts as empty. The
// error is the directories'.
//
// If it had to read many, it writes rohrpost.sizes anew. That this fails, in a
// Maildir that we may not write or on a full disk, is no error.
func TakeInventory(m *maildir.Maildir) (*Inventory, error) {
	x := &Inventory{m: m}
	file := openSizes(m)
	if file != nil {
		now, err := m.Stamp()
		if err == nil && now == file.stamp {
			x.file, x.octets = file, file.octets
			return x, nil
		}
		defer file.close()
	}
	c, err := takeCount(m, file)
	if err != nil {
		return nil, err
	}
	x.list, x.octets, x.unread = c.list, c.octets, c.unread
	if c.read >= worthReading(c.foreign) {
		writeSizes(m, c)
	} else {
		x.due = c.certain() && (c.list.Len() >= large || file != nil && file.messages > 2*c.list.Len()+1024)
	}
	return x, nil
}

// worthReading is how many messages are read again next time rather than all
// records written: a few dozen.
func worthReading(foreign int) int { return 32 + foreign/64 }

// Len is the number of messages.
func (x *Inventory) Len() int {
	if x.list == nil {
		return x.file.messages
	}
	return x.list.Len()
}

// Octets is the sum of all sizes.
func (x *Inventory) Octets() int64 { return x.octets }

// Unread is the error about the first message that could not be read to find its
// size.
func (x *Inventory) Unread() error { return x.unread }

// WireSize is the size of message i, from 0, in bytes with every line end as CRLF.
// There is no error unless somebody damages rohrpost.sizes meanwhile; then it is
// ErrChanged, or says why the directories cannot be listed instead.
func (x *Inventory) WireSize(i int) (int64, error) {
	if x.list == nil {
		if n, ok := x.file.wireSize(i); ok {
			return n, nil
		}
		if err := x.recount(); err != nil {
			return 0, err
		}
	}
	return max(0, x.list.WireSize(i)), nil
}

// At is message i, with the errors of WireSize. Its strings live as long as they
// are used.
func (x *Inventory) At(i int) (maildir.Message, error) {
	if x.list == nil {
		if msg, ok := x.file.at(i); ok {
			return msg, nil
		}
		if err := x.recount(); err != nil {
			return maildir.Message{}, err
		}
	}
	return x.list.At(i), nil
}

// recount lists the directories in place of a file that is damaged. As long as they
// are what the file was about, so are the numbers.
func (x *Inventory) recount() error {
	c, err := takeCount(x.m, nil)
	if err != nil {
		return err
	}
	if !c.list.Settled || c.list.Stamp != x.file.stamp || c.list.Len() != x.file.messages {
		return ErrChanged
	}
	x.list = c.list
	x.file.close()
	x.file = nil
	return nil
}

// Close ends the use of x, and may be called again. If the directories still are
// what they were when it was taken, and the next session would have to list them
// too, rohrpost.sizes is written for it: only now, when nobody waits, and when it is
// known whether this session has changed them itself.
func (x *Inventory) Close() {
	if x.file != nil {
		x.file.close()
		x.file = nil
	}
	if !x.due {
		return
	}
	x.due = false
	if now, err := x.m.Stamp(); err == nil && now == x.list.Stamp {
		writeSizes(x.m, &count{list: x.list, octets: x.octets})
	}
}

// count is a listing with sizes.
type count struct {
	list    *maildir.Listing // sorted
	octets  int64
	foreign int             // messages whose names do not tell the size
	read    int             // of them, those not in the file
	gone    map[uint32]bool // of the latter, those that were there no more
	unread  error
}

// takeCount lists m and finds the sizes. The file may be nil.
func takeCount(m *maildir.Maildir, file *sizesFile) (*count, error) {
	l, err := m.Scan()
	if err != nil {
		return nil, err
	}
	return measured(m, l, file), nil
}

// measured sorts l and finds the sizes.
//
// Sizes in names come before the order: names lie in memory in the order in which
// they were read, and in any other order each costs a cache miss.
func measured(m *maildir.Maildir, l *maildir.Listing, file *sizesFile) *count {
	c := &count{list: l}
	c.octets, c.foreign = sum(l)
	l.Sort()
	if c.foreign == 0 {
		return c
	}
	if file != nil {
		file.recall(l)
	}
	unread := unknown(l)
	c.read = len(unread)
	c.gone, c.unread = measure(m, l, unread)
	c.octets, _ = sum(l)
	return c
}

// sum is the sum of the sizes that are known, and how many are not.
func sum(l *maildir.Listing) (octets int64, unknown int) {
	for i := range l.Len() {
		if n := l.WireSize(i); n >= 0 {
			octets += n
		} else {
			unknown++
		}
	}
	return octets, unknown
}

// unknown is the messages whose size is not known.
func unknown(l *maildir.Listing) (list []uint32) {
	for i := range l.Len() {
		if l.WireSize(i) < 0 {
			list = append(list, uint32(i))
		}
	}
	return list
}

// certain reports whether all of it stays true as long as the directories do not
// change.
func (c *count) certain() bool { return c.list.Settled && c.unread == nil && len(c.gone) == 0 }
