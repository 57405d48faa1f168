package pop3

import (
	"strconv"

	"rohrpost/maildir"
)

// Transaction is the TRANSACTION state (RFC 1939 section 5), over one Maildir.
type Transaction struct {
	Conn Conn
	Log  Log
	Box  *maildir.Maildir
	// IDs makes the unique-ids of UIDL.
	IDs Format
	// KeepFlags leaves names and places of messages alone. Otherwise a message
	// that was retrieved, and not deleted, is seen from QUIT on.
	KeepFlags bool
	// Offered is what CAPA announced before the login (Authorization.Offered).
	Offered string

	// Stats is what the session did.
	Stats Stats
}

// Stats are what one session did.
type Stats struct {
	Messages  int // when it began
	Retrieved int // by RETR, repetitions counted
	Tops      int
	Deleted   int // by QUIT
}

// Transact says +OK and serves the Maildir until QUIT or an error, io.EOF for a
// client that went away. An error before the +OK is answered here too.
func (t *Transaction) Transact() error {
	s := newSession(t.Conn, t.Log, maxLine)
	s.state = transaction
	s.offer = parseCapabilities(t.Offered)
	d, err := openDrop(t)
	if err != nil {
		s.no("[SYS/TEMP] cannot read the mailbox now, try again later")
		s.w.Flush()
		return err
	}
	defer d.list.Close()
	s.drop = d
	t.Stats.Messages = d.list.Len()
	s.ok(strconv.Itoa(d.list.Len()) + " messages")
	return s.run()
}
