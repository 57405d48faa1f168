package message

// maxAddresses bounds the addresses of one ENVELOPE or BODYSTRUCTURE, since one
// of two bytes takes seventeen there. What lies beyond is left out.
const maxAddresses = 10_000

// AppendEnvelope appends the ENVELOPE of a message (RFC 9051 section 7.5.2):
// part 0, or a part whose parent is a Message; of any other part all is NIL.
// With utf8 the client has enabled UTF8=ACCEPT or IMAP4rev2, and quoted strings
// may hold UTF-8; else 8-bit text goes into literals.
//
// Texts are as they were sent, unfolded, encoded words as they are. A field that
// is there but empty is an empty string where RFC 9051 lets it be. An address
// without a domain has the empty string for one, since NIL would mean a group. Of
// values longer than MaxField and of addresses beyond the first 10,000 the rest
// is left out.
func (t *Tree) AppendEnvelope(dst []byte, part int, utf8 bool) []byte {
	w := imapWriter{tree: t, utf8: utf8, addresses: maxAddresses}
	return w.envelope(dst, part)
}

// imapWriter appends what IMAP tells about a message.
type imapWriter struct {
	tree      *Tree
	utf8      bool
	extended  bool
	addresses int // that may still be written
}

func (w *imapWriter) envelope(dst []byte, part int) []byte {
	dst = append(dst, '(')
	dst = w.value(dst, part, Date)
	dst = append(dst, ' ')
	dst = w.value(dst, part, Subject)
	for _, name := range [...]Known{From, Sender, ReplyTo, To, Cc, Bcc} {
		dst = append(dst, ' ')
		dst = w.addressList(dst, part, name)
	}
	dst = append(dst, ' ')
	dst = w.value(dst, part, InReplyTo)
	dst = append(dst, ' ')
	dst = w.value(dst, part, MessageID)
	return append(dst, ')')
}

// value appends a field as an nstring.
func (w *imapWriter) value(dst []byte, part int, name Known) []byte {
	v, ok := w.tree.Value(part, name)
	return appendNString(dst, v, ok, w.utf8)
}

// addressList appends the addresses of a field, NIL for none. Sender and
// Reply-To default to From.
func (w *imapWriter) addressList(dst []byte, part int, name Known) []byte {
	v, _ := w.tree.Value(part, name)
	start := len(dst)
	dst = append(dst, '(')
	w.tree.list.Reset(v)
	inGroup := false
	for w.addresses > 0 || inGroup {
		a, ok := w.tree.list.Next()
		if !ok {
			break
		}
		if w.addresses--; w.addresses < 0 && a.Kind != GroupEnd {
			continue
		}
		inGroup = a.Kind == GroupStart || inGroup && a.Kind != GroupEnd
		dst = w.address(dst, a)
	}
	if len(dst) > start+1 {
		return append(dst, ')')
	}
	if name == Sender || name == ReplyTo {
		return w.addressList(dst[:start], part, From)
	}
	return append(dst[:start], "NIL"...)
}

func (w *imapWriter) address(dst []byte, a Address) []byte {
	switch a.Kind {
	case GroupStart:
		dst = append(dst, "(NIL NIL "...)
		dst = appendString(dst, a.Name, w.utf8)
		return append(dst, " NIL)"...)
	case GroupEnd:
		return append(dst, "(NIL NIL NIL NIL)"...)
	}
	dst = append(dst, '(')
	dst = appendNString(dst, a.Name, len(a.Name) > 0, w.utf8)
	dst = append(dst, ' ')
	dst = appendNString(dst, a.Route, len(a.Route) > 0, w.utf8)
	dst = append(dst, ' ')
	dst = appendString(dst, a.Mailbox, w.utf8)
	dst = append(dst, ' ')
	dst = appendString(dst, a.Host, w.utf8)
	return append(dst, ')')
}
