package queue

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// Listing is the state of the queue as the names tell it.
type Listing struct {
	// Entries are sorted by ID and R, one for each recipient, or one with R 0
	// for an entry that has not been expanded.
	Entries []Entry
	// Surplus are further names of recipients that Entries has: what a crash
	// between two names left. Queue.Settle removes them.
	Surplus []Entry
	// Strangers are names in new and cur that are no entries of ours: links,
	// pipes, devices, directories and files with other names. They are left
	// alone. At most maxStrangers are listed.
	Strangers []string
}

const maxStrangers = 100

// Scan reads new, then cur, and opens nothing. An entry that is renamed
// meanwhile may be missing, and is there in the next listing.
func (q *Queue) Scan() (*Listing, error) {
	l := &Listing{}
	for where, d := range q.places() {
		err := d.Names(func(name []byte, _ uint64, typ byte) bool {
			l.add(string(name), where, typ)
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	l.settle()
	return l, nil
}

// places are the directories of entries, in the order in which they are read.
func (q *Queue) places() []*disk.Dir { return []*disk.Dir{InNew: q.fresh, InCur: q.cur} }

func (l *Listing) add(name string, where int, typ byte) {
	if name == "." || name == ".." {
		return
	}
	e, ok := ParseName(name, where)
	if ok && (typ == unix.DT_REG || typ == unix.DT_UNKNOWN) {
		l.Entries = append(l.Entries, e)
		return
	}
	if name[0] != '.' && len(l.Strangers) < maxStrangers {
		l.Strangers = append(l.Strangers, [...]string{"new/", "cur/"}[where]+name)
	}
}

// settle sorts, and leaves one name for each recipient.
func (l *Listing) settle() {
	slices.SortFunc(l.Entries, compare)
	kept := l.Entries[:0]
	for _, e := range l.Entries {
		if n := len(kept); n > 0 && kept[n-1].ID == e.ID && kept[n-1].R == e.R {
			l.Surplus = append(l.Surplus, e)
			continue
		}
		kept = append(kept, e)
	}
	l.Entries = kept
}

// compare orders by ID and R. Of two names of one recipient the one that knows
// more comes first: what somebody decided, then the later attempt.
func compare(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.R, b.R),
		-compareBool(a.Cancelled, b.Cancelled),
		-compareBool(a.Held, b.Held),
		-cmp.Compare(a.Tries, b.Tries),
		-compareBool(a.DelaySent, b.DelaySent),
		-cmp.Compare(a.where, b.where),
		cmp.Compare(a.name, b.name),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Find looks for the name that a recipient has now, after somebody else renamed
// it. It reads both directories.
func (q *Queue) Find(id string, r int) (Entry, bool, error) {
	entries, err := q.named(id)
	for _, e := range entries {
		if e.R == r {
			return e, true, err
		}
	}
	return Entry{}, false, err
}

// named are all entries with this ID. It reads both directories.
func (q *Queue) named(id string) ([]Entry, error) {
	l := &Listing{}
	for at, d := range q.places() {
		err := d.Names(func(name []byte, _ uint64, typ byte) bool {
			if len(name) > len(id) && string(name[:len(id)]) == id && name[len(id)] == ',' {
				l.add(string(name), at, typ)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	l.settle()
	return l.Entries, nil
}
