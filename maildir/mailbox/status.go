package mailbox

import (
	"time"

	"rohrpost/maildir"
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
// the folder is opened as by Open.
func StatusOf(m *maildir.Maildir, want Want, now func() time.Time) (Status, error) {
	panic("being written")
}
