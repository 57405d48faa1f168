package imap

// MailboxList is what a LIST or LSUB response says of a mailbox.
type MailboxList struct {
	Attributes []string // as `\HasChildren`
	Separator  byte     // of the hierarchy; 0 for none
	Mailbox    string
	// ChildInfo says that the name is there because of a subscribed child that
	// the patterns did not match (RFC 5258 section 3.5).
	ChildInfo bool
	OldName   string // OLDNAME (RFC 9051 section 6.3.9.7), "" if there is none
}

// List writes LIST or, with that name, LSUB.
func (e *Encoder) List(name string, l MailboxList) {
	e.Extend(func(b []byte) []byte {
		b = append(append(b, "* "...), name...)
		b = append(b, " ("...)
		for i, a := range l.Attributes {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, a...)
		}
		b = append(b, ") "...)
		if l.Separator == 0 {
			b = AppendNIL(b)
		} else {
			b = appendQuoted(b, string(rune(l.Separator)))
		}
		b = AppendMailbox(append(b, ' '), l.Mailbox, e.UTF8)
		return append(e.appendExtended(b, l), '\r', '\n')
	})
}

func (e *Encoder) appendExtended(b []byte, l MailboxList) []byte {
	if !l.ChildInfo && l.OldName == "" {
		return b
	}
	b = append(b, " ("...)
	if l.ChildInfo {
		b = append(b, `"CHILDINFO" ("SUBSCRIBED")`...)
	}
	if l.OldName != "" {
		if l.ChildInfo {
			b = append(b, ' ')
		}
		b = append(b, `"OLDNAME" (`...)
		b = append(AppendMailbox(b, l.OldName, e.UTF8), ')')
	}
	return append(b, ')')
}

// StatusValues is what a STATUS response says; only what Atts has is written.
type StatusValues struct {
	Atts           StatusAtt
	Messages       uint32
	UIDNext        UID
	UIDValidity    uint32
	Unseen         uint32
	Deleted        uint32
	Size           int64 // bytes, with CRLF line ends
	Recent         uint32
	HighestModSeq  int64
	AppendLimit    int64  // bytes; negative is NIL: no limit of this mailbox's own
	MailboxID      string // RFC 8474 section 4.3
	DeletedStorage int64  // RFC 9208 section 5.4: bytes that an EXPUNGE would free
}

// Status writes STATUS.
func (e *Encoder) Status(mailbox string, v StatusValues) {
	e.Extend(func(b []byte) []byte {
		b = AppendMailbox(append(b, "* STATUS "...), mailbox, e.UTF8)
		b = append(b, " ("...)
		values := v.numbers()
		sep := ""
		for i, name := range statusAtts {
			a := StatusAtt(1) << i
			if v.Atts&a == 0 {
				continue
			}
			b = append(append(append(b, sep...), name...), ' ')
			sep = " "
			switch {
			case a == StatusMailboxID:
				b = append(append(append(b, '('), v.MailboxID...), ')')
			case a == StatusAppendLimit && v.AppendLimit < 0:
				b = AppendNIL(b)
			default:
				b = AppendNumber(b, values[i])
			}
		}
		return append(b, ")\r\n"...)
	})
}

// numbers are the values in the order of statusAtts.
func (v *StatusValues) numbers() [len(statusAtts)]int64 {
	return [...]int64{int64(v.Messages), int64(v.UIDNext), int64(v.UIDValidity), int64(v.Unseen), int64(v.Deleted),
		v.Size, int64(v.Recent), v.HighestModSeq, v.AppendLimit, 0, v.DeletedStorage}
}
