package mailbox

import (
	"time"

	"rohrpost/maildir"
)

// Append is one or several messages on their way into a folder, for all of which
// there is one answer (RFC 3502). End it with Commit or Abort.
type Append struct {
}

// NewAppend begins an Append to m, which need not be open as a Mailbox.
func NewAppend(m *maildir.Maildir, now func() time.Time) *Append { panic("being written") }

// Begin begins the next message. A zero date is now. The message is what is
// written until the next Begin or Commit, with LF line ends.
func (a *Append) Begin(flags maildir.Flags, date time.Time) error { panic("being written") }

// Write appends to the message that was begun last.
func (a *Append) Write(p []byte) (int, error) { panic("being written") }

// Size is what was written of this message so far, in bytes as stored.
func (a *Append) Size() int64 { panic("being written") }

// Commit publishes all messages and returns their UIDs in order (APPENDUID). When
// it returns without error, no power cut loses one of them. After an error none
// of them is there; only a crash can leave some of them, without a yes.
func (a *Append) Commit() (validity uint32, uids []UID, err error) { panic("being written") }

// Abort gives everything up. After Commit it does nothing.
func (a *Append) Abort() { panic("being written") }
