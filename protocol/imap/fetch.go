package imap

import "strconv"

// FetchAtt is a set of message data items that FETCH can ask for without an
// argument.
type FetchAtt uint32

// The data items, by their RFC.
const (
	FetchUID           FetchAtt = 1 << iota // RFC 9051 section 6.4.5
	FetchFlags                              // FLAGS
	FetchInternalDate                       // INTERNALDATE
	FetchSize                               // RFC822.SIZE
	FetchEnvelope                           // ENVELOPE
	FetchBody                               // BODY: the structure without extension data
	FetchBodyStructure                      // BODYSTRUCTURE
	FetchModSeq                             // MODSEQ (RFC 7162)
	FetchEmailID                            // EMAILID (RFC 8474)
	FetchThreadID                           // THREADID (RFC 8474)
	FetchSaveDate                           // SAVEDATE (RFC 8514)
	FetchPreview                            // PREVIEW (RFC 8970)
	FetchPreviewLazy                        // with LAZY: only if it costs nothing
)

// fetchAtts are the items and the macros (RFC 9051 section 6.4.5).
var fetchAtts = [...]struct {
	name string
	att  FetchAtt
}{
	{"UID", FetchUID},
	{"FLAGS", FetchFlags},
	{"INTERNALDATE", FetchInternalDate},
	{"RFC822.SIZE", FetchSize},
	{"ENVELOPE", FetchEnvelope},
	{"BODYSTRUCTURE", FetchBodyStructure},
	{"BODY", FetchBody},
	{"MODSEQ", FetchModSeq},
	{"EMAILID", FetchEmailID},
	{"THREADID", FetchThreadID},
	{"SAVEDATE", FetchSaveDate},
	{"PREVIEW", FetchPreview},
}

var fetchMacros = [...]struct {
	name string
	atts FetchAtt
}{
	{"ALL", FetchFlags | FetchInternalDate | FetchSize | FetchEnvelope},
	{"FAST", FetchFlags | FetchInternalDate | FetchSize},
	{"FULL", FetchFlags | FetchInternalDate | FetchSize | FetchEnvelope | FetchBody},
}

// SectionKind is how FETCH asks for bytes of a message, and so the name that the
// answer has.
type SectionKind uint8

// The ways to ask for bytes.
const (
	KindBody         SectionKind = iota // BODY[...]
	KindBinary                          // BINARY[...]: without its transfer encoding (RFC 3516)
	KindBinarySize                      // BINARY.SIZE[...]: only the size of that
	KindRFC822                          // RFC822: BODY[]
	KindRFC822Header                    // RFC822.HEADER: BODY.PEEK[HEADER]
	KindRFC822Text                      // RFC822.TEXT: BODY[TEXT]
)

// fetchSections are the items with a section in brackets, and those of rev1 that
// mean one.
var fetchSections = [...]struct {
	name    string
	kind    SectionKind
	peek    bool
	means   SectionText
	partial bool // <...> may follow
}{
	{"BODY", KindBody, false, SectionAll, true},
	{"BODY.PEEK", KindBody, true, SectionAll, true},
	{"BINARY", KindBinary, false, SectionAll, true},
	{"BINARY.PEEK", KindBinary, true, SectionAll, true},
	{"BINARY.SIZE", KindBinarySize, true, SectionAll, false},
	{"RFC822", KindRFC822, false, SectionAll, false},
	{"RFC822.HEADER", KindRFC822Header, true, SectionHeader, false},
	{"RFC822.TEXT", KindRFC822Text, false, SectionBody, false},
}

// sectionLabels are the names that answers have.
var sectionLabels = [...]string{"BODY", "BINARY", "BINARY.SIZE", "RFC822", "RFC822.HEADER", "RFC822.TEXT"}

// FetchSection is a section that FETCH asks for.
type FetchSection struct {
	Kind    SectionKind
	Peek    bool // \Seen is not set
	Section Section
	Partial Partial
}

// AppendName appends the name that the item has in the answer, as
// "BODY[HEADER.FIELDS (Date)]<0>".
func (s FetchSection) AppendName(b []byte) []byte {
	b = append(b, sectionLabels[s.Kind]...)
	if s.Kind <= KindBinarySize {
		b = s.Section.Append(b)
	}
	if s.Partial.Length > 0 {
		b = append(b, '<')
		b = strconv.AppendInt(b, s.Partial.Offset, 10)
		b = append(b, '>')
	}
	return b
}

// Fetch is the arguments of FETCH and UID FETCH.
type Fetch struct {
	Set          NumSet
	Atts         FetchAtt       // each once, however often it was asked for
	Sections     []FetchSection // in the order of the command
	ChangedSince int64          // CHANGEDSINCE (RFC 7162 section 3.1.4.1), 0 if absent
	Vanished     bool           // VANISHED (RFC 7162 section 3.2.6), of UID FETCH only
	Page         Page           // PARTIAL (RFC 9394 section 3.3)
}

// ParseFetch reads the arguments of FETCH, or of UID FETCH if uid is set, whose
// answers have the UID whether it was asked for or not (RFC 9051 section 6.4.9).
func ParseFetch(d *Decoder, uid bool) (Fetch, error) {
	var f Fetch
	d.SP()
	f.Set = d.NumSet()
	d.SP()
	if d.peek() == '(' {
		d.list(func() { f.item(d, d.word("data item")) })
	} else {
		f.itemOrMacro(d)
	}
	if d.More() {
		d.list(func() { f.modifier(d) })
	}
	if uid {
		f.Atts |= FetchUID
	}
	if f.Vanished && (!uid || f.ChangedSince == 0) {
		d.fail("VANISHED needs UID FETCH and CHANGEDSINCE")
	}
	return f, d.End()
}

func (f *Fetch) itemOrMacro(d *Decoder) {
	word := d.word("data item")
	for _, m := range fetchMacros {
		if equalFold(word, m.name) {
			f.Atts |= m.atts
			return
		}
	}
	f.item(d, word)
}

func (f *Fetch) item(d *Decoder, word []byte) {
	bracket := d.peek() == '['
	for _, s := range fetchSections {
		if bracket == (s.kind <= KindBinarySize) && equalFold(word, s.name) {
			item := FetchSection{Kind: s.kind, Peek: s.peek, Section: Section{Text: s.means}}
			if bracket {
				item.Section = d.section(s.kind != KindBody)
			}
			if s.partial {
				item.Partial = d.partial()
			}
			f.Sections = append(f.Sections, item)
			return
		}
	}
	for _, a := range fetchAtts {
		if !bracket && equalFold(word, a.name) {
			f.Atts |= a.att
			if a.att == FetchPreview {
				f.previewModifiers(d)
			}
			return
		}
	}
	d.fail("unknown data item")
}

// previewModifiers reads the list behind PREVIEW (RFC 8970 section 6), which begins
// like the modifiers of FETCH itself: only within it stands LAZY.
func (f *Fetch) previewModifiers(d *Decoder) {
	const lazy = " (LAZY)"
	if d.err != nil {
		return
	}
	rest := d.line[d.pos:]
	if len(rest) >= len(lazy) && equalFold(rest[:len(lazy)], lazy) {
		d.pos += len(lazy)
		f.Atts |= FetchPreviewLazy
	}
}

func (f *Fetch) modifier(d *Decoder) {
	switch word := d.word("modifier"); {
	case equalFold(word, "CHANGEDSINCE") && f.ChangedSince == 0:
		d.SP()
		f.ChangedSince = d.NZNumber64()
	case equalFold(word, "VANISHED"):
		f.Vanished = true
	case equalFold(word, "PARTIAL") && f.Page.First == 0:
		d.SP()
		f.Page = d.page()
	default:
		d.fail("unknown modifier, or one too many")
	}
}
