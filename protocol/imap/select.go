package imap

// Select is the arguments of SELECT and EXAMINE.
type Select struct {
	Mailbox   string
	CondStore bool // CONDSTORE (RFC 7162 section 3.1.8)
	QResync   *QResync
}

// QResync is what a client remembers of a mailbox (RFC 7162 section 3.2.5).
type QResync struct {
	UIDValidity uint32
	ModSeq      int64 // the highest it knows, at least 1
	// KnownUIDs are the messages the client knows, without *. Empty: all below
	// the UIDs that have come since.
	KnownUIDs NumSet
	// The n-th sequence number of SeqMatch had the n-th UID of UIDMatch, both
	// ascending. Both are empty, or as many as each other.
	SeqMatch, UIDMatch NumSet
}

// ParseSelect reads the arguments of SELECT or EXAMINE.
func ParseSelect(d *Decoder) (Select, error) {
	var s Select
	d.SP()
	s.Mailbox = d.Mailbox()
	if d.More() {
		d.list(func() { s.param(d) })
	}
	return s, d.End()
}

func (s *Select) param(d *Decoder) {
	switch word := d.word("parameter"); {
	case equalFold(word, "CONDSTORE"):
		s.CondStore = true
	case equalFold(word, "QRESYNC") && s.QResync == nil:
		d.SP()
		s.QResync = d.qresync()
	default:
		d.fail("unknown parameter, or one too many")
	}
}

func (d *Decoder) qresync() *QResync {
	q := &QResync{}
	d.expect('(', "( expected")
	q.UIDValidity = d.NZNumber()
	d.SP()
	q.ModSeq = d.NZNumber64()
	more := d.More()
	if more && d.peek() != '(' {
		q.KnownUIDs = d.knownSet()
		more = d.More()
	}
	if more {
		d.expect('(', "( expected")
		q.SeqMatch = d.knownSet()
		d.SP()
		q.UIDMatch = d.knownSet()
		d.expect(')', ") expected")
		if q.SeqMatch.Count(q.SeqMatch.Highest()) != q.UIDMatch.Count(q.UIDMatch.Highest()) {
			d.fail("as many UIDs as sequence numbers expected")
		}
	}
	d.expect(')', ") expected")
	return q
}
