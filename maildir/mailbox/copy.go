package mailbox

import "rohrpost/maildir"

// Copied is what Copy and Move did: From[i] has become UIDs[i] (COPYUID).
type Copied struct {
	Validity uint32 // of the folder copied to
	From     []UID
	UIDs     []UID
}

// Copy gives the messages at positions a second name in the folder to, with
// flags, keywords by their names, internal date and ObjectID. Messages that are
// gone are left out. When it returns without error, no power cut loses a copy;
// after an error, none of them is there.
func (b *Mailbox) Copy(positions []int, to *maildir.Maildir) (Copied, error) { panic("being written") }

// Move is Copy and then Expunge. At every instant each message is in one of the
// folders at least; a crash may leave it in both.
func (b *Mailbox) Move(positions []int, to *maildir.Maildir) (Copied, error) { panic("being written") }
