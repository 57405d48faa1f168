package message

// Bounds of what is looked at in one message. What lies beyond them is still
// part of a leaf, byte for byte.
const (
	MaxDepth = 100    // of parts in parts; the message has depth 1
	MaxParts = 10_000 // in a message
	// MaxBoundary is in bytes. RFC 2046 section 5.1.1 allows 70; longer ones
	// are sent.
	MaxBoundary = 256
	// MaxField is how much is kept of the value of a Known field, in bytes:
	// room for 1,000 recipients.
	MaxField = 64 << 10
	// MaxText bounds the values kept of all parts together, in bytes. Fields
	// beyond it count as absent.
	MaxText = 1 << 20
)

// Range is a run of bytes of a stored message.
type Range struct {
	Offset int64 // from the start of the message as it is stored
	Size   int64 // in bytes as they are stored
	Wire   int64 // in octets as they go over the wire, where lines end in CRLF
}

// Kind says what the body of a part is.
type Kind uint8

const (
	Leaf      Kind = iota // bytes
	Multipart             // one part or more
	Message               // one part, which is the message within
)

// Part is a part of a message, or the message itself.
type Part struct {
	Kind   Kind
	Header Range // with the empty line that ends it
	Body   Range
	Lines  int64 // line ends in Body

	// Parent, FirstChild and Next are indexes into Tree.Parts, or -1.
	Parent, FirstChild, Next int32

	mime               [mimeFields]span
	mediaType, subtype span  // in the value of Content-Type
	envelope           int32 // index into Tree.envelopes, or -1
	opaque             bool  // not looked into because of a bound
}

// Tree is the MIME structure of one message.
type Tree struct {
	Parts []Part

	envelopes [][envelopeFields]span
	text      []byte // the values of the fields that are kept

	// For the answers appended: what is too big to be made anew each time.
	list       Addresses
	parameters parameters
	decoder    Decoder
	scratch    []byte
}

// span is a run of Tree.text. Text begins with a byte that is nobody's, so the
// zero span is that of an absent value, and differs from an empty one.
type span struct{ offset, size uint32 }

func (s span) absent() bool { return s.offset == 0 }

func (t *Tree) bytes(s span) []byte {
	return t.text[s.offset : s.offset+s.size]
}

// Size is the size of the whole message, stored and on the wire.
func (t *Tree) Size() Range {
	p := &t.Parts[0]
	return Range{Size: p.Header.Size + p.Body.Size, Wire: p.Header.Wire + p.Body.Wire}
}

// Value returns the value of a part's first field of this name, unfolded and
// without blanks at either end, and whether there is one. The fields of RFC
// 5322 are those of messages only (part 0, and parts whose parent is a Message).
// The value is valid as long as the Tree.
func (t *Tree) Value(part int, name Known) ([]byte, bool) {
	p := &t.Parts[part]
	var s span
	switch {
	case name < mimeFields:
		s = p.mime[name]
	case p.envelope >= 0:
		s = t.envelopes[p.envelope][name-mimeFields]
	}
	return t.bytes(s), !s.absent()
}

// Type returns the media type of a part as its sender wrote it, in any case, or
// the default that holds for it (rule 10 and 11).
func (t *Tree) Type(part int) (mediaType, subtype []byte) {
	p := &t.Parts[part]
	switch {
	case p.opaque:
		return []byte("application"), []byte("octet-stream")
	case !p.mediaType.absent():
		return t.bytes(p.mediaType), t.bytes(p.subtype)
	case p.Kind == Message:
		return []byte("message"), []byte("rfc822")
	}
	return []byte("text"), []byte("plain")
}

// Encoding returns the content transfer encoding of a part.
func (t *Tree) Encoding(part int) Encoding {
	v, _ := t.Value(part, ContentTransferEncoding)
	return encodingNamed(mechanism(v))
}

// AppendCharset appends the charset parameter of a part as it was sent, or
// us-ascii.
func (t *Tree) AppendCharset(dst []byte, part int) []byte {
	if !t.Parts[part].mediaType.absent() && !t.Parts[part].opaque {
		v, _ := t.Value(part, ContentType)
		n := len(dst)
		if dst, ok := t.parameters.append(dst, v, "charset", nil); ok && len(dst) > n {
			return dst
		}
	}
	return append(dst, "us-ascii"...)
}
