package imap

// StatusAtt is a set of status data items.
type StatusAtt uint16

// The status data items, by their RFC.
const (
	StatusMessages       StatusAtt = 1 << iota // RFC 9051 section 6.3.11
	StatusUIDNext                              // UIDNEXT
	StatusUIDValidity                          // UIDVALIDITY
	StatusUnseen                               // UNSEEN
	StatusDeleted                              // DELETED
	StatusSize                                 // SIZE
	StatusRecent                               // RECENT (RFC 3501 section 6.3.10)
	StatusHighestModSeq                        // HIGHESTMODSEQ (RFC 7162)
	StatusAppendLimit                          // APPENDLIMIT (RFC 7889)
	StatusMailboxID                            // MAILBOXID (RFC 8474)
	StatusDeletedStorage                       // DELETED-STORAGE (RFC 9208)
)

// statusAtts are the names, in the order of the bits.
var statusAtts = [...]string{"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "RECENT",
	"HIGHESTMODSEQ", "APPENDLIMIT", "MAILBOXID", "DELETED-STORAGE"}

// Status is the arguments of STATUS.
type Status struct {
	Mailbox string
	Atts    StatusAtt
}

// ParseStatus reads the arguments of STATUS.
func ParseStatus(d *Decoder) (Status, error) {
	var s Status
	d.SP()
	s.Mailbox = d.Mailbox()
	d.SP()
	s.Atts = d.statusAtts()
	return s, d.End()
}

func (d *Decoder) statusAtts() (atts StatusAtt) {
	d.list(func() { atts |= d.statusAtt() })
	return atts
}

func (d *Decoder) statusAtt() StatusAtt {
	word := d.word("status data item")
	for i, name := range statusAtts {
		if equalFold(word, name) {
			return 1 << i
		}
	}
	d.fail("unknown status data item")
	return 0
}
