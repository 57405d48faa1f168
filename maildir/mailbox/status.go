package mailbox

import (
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// Status is what there is to know about a folder that is not open.
type Status struct {
	Counts
	Validity uint32
	Next     UID
	ModSeq   uint64 // HIGHESTMODSEQ
}

// Want is what Status is asked for, besides what it is cheap to tell.
type Want uint8

const (
	WantUIDs   Want = 1 << iota // Validity and Next: messages may have to be given UIDs
	WantSize                    // Size with Unsized 0: messages may have to be read
	WantModSeq                  // ModSeq: an index may have to be made
)

// StatusOf looks at the folder m. If the index knows the directories as they are,
// only its head is read; otherwise names are counted, and only if want needs it
// or there is an index to bring up to date the folder is opened as by Open.
func StatusOf(m *maildir.Maildir, want Want, now func() time.Time) (Status, error) {
	h, err := index.ReadHead(m)
	if err == nil && describes(h, m) && (want&WantSize == 0 || h.Unsized == 0) {
		return statusOf(h), nil
	}
	if err != nil && want == 0 {
		return countNames(m)
	}
	b, err := Open(m, Options{Now: now})
	if err != nil {
		return Status{}, err
	}
	defer b.Close()
	if want&WantSize != 0 && b.Counts().Unsized > 0 {
		if err := b.measure(); err != nil {
			return Status{}, err
		}
	}
	return statusOf(b.img.Head()), nil
}

func statusOf(h index.Head) Status {
	return Status{Counts: h.Counts, Validity: h.Validity, Next: UID(h.Next), ModSeq: h.ModSeq}
}

// describes reports whether an index with this head knows m as it is.
func describes(h index.Head, m *maildir.Maildir) bool {
	now, err := m.Stamp()
	return err == nil && now == h.Stamp && h.List != (index.FileStamp{}) && h.List == index.StampFile(m, uidlist.Name)
}

// countNames counts without an index and without UIDs.
func countNames(m *maildir.Maildir) (s Status, err error) {
	l, err := m.Scan()
	if err != nil {
		return s, err
	}
	for i := range l.Len() {
		if msg := l.At(i); nameable(msg.Base) {
			s.Counts.Add(index.NewRecord(0, msg))
		}
	}
	return s, nil
}

// measure finds out all wire sizes that are not known. One that cannot be found
// out counts as 0.
func (b *Mailbox) measure() error {
	for pos := range b.Len() {
		if m := b.At(pos); !m.Gone && m.WireSize < 0 {
			if _, err := b.WireSize(pos); err != nil {
				b.found.add(pos, foundWire, 0)
			}
		}
	}
	b.Flush()
	return b.err
}
