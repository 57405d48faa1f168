package mailbox

import (
	"os"
	"time"

	"rohrpost/maildir"
)

// Message is what is known of a message without a look at its file.
type Message struct {
	UID    UID
	Flags  maildir.Flags // keywords too: their letters are dovecot-keywords' affair
	ModSeq uint64
	Gone   bool // its file is nowhere; the rest is as it was
	Recent bool // it lay in new when this Mailbox met it (RFC 3501 section 2.3.2)
	// Size is the size as stored and WireSize with every line end as CRLF, both in
	// bytes, -1 if not known yet. Both are hints: never announce a literal by them.
	Size     int64
	WireSize int64
}

// At is the message at a position. It allocates nothing.
func (b *Mailbox) At(pos int) Message { panic("being written") }

// Name is the name of its file as last seen.
func (b *Mailbox) Name(pos int) maildir.Name { panic("being written") }

// OpenMessage opens the message for reading, under whatever name it has now. The
// error is maildir.ErrGone if it is nowhere.
func (b *Mailbox) OpenMessage(pos int) (*os.File, error) { panic("being written") }

// InternalDate is when the message was received: the time of its file (RFC 9051
// section 2.3.3). It is asked of the file system once, and kept in the index.
func (b *Mailbox) InternalDate(pos int) (time.Time, error) { panic("being written") }

// SaveDate is when the message came into this mailbox (RFC 8514): the time in its
// file's name, else that of its file.
func (b *Mailbox) SaveDate(pos int) (time.Time, error) { panic("being written") }

// ObjectID identifies the content of the message (EMAILID, RFC 8474): Copy and
// Move keep it. It is derived from names of files, so it outlives the index.
func (b *Mailbox) ObjectID(pos int) uint64 { panic("being written") }

// WireSize is the size of the message with every line end as CRLF (RFC822.SIZE).
// The message is read if nothing tells it; the index keeps it.
func (b *Mailbox) WireSize(pos int) (int64, error) { panic("being written") }

// Kind is a kind of data derived from a message, of the caller's choice.
type Kind uint8

// Cached is what Cache was given for the message at this position, by any
// session. The bytes are valid until the next call of any other method.
func (b *Mailbox) Cached(pos int, kind Kind) (blob []byte, ok bool) { panic("being written") }

// Cache keeps data derived from the message, at most 1 MB, for all sessions to
// come. It is written by Flush, or when it is much; that it cannot be is no error.
func (b *Mailbox) Cache(pos int, kind Kind, blob []byte) { panic("being written") }

// Flush writes what Cache, WireSize and InternalDate have found out. Call it at
// the end of a command.
func (b *Mailbox) Flush() { panic("being written") }
