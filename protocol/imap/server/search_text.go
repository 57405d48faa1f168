package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// learnTexts looks for the needles of BODY and TEXT in the whole message, and no
// longer than it matters. It looks, in the order of the bytes, into
//
//   - bodies of parts that are text, or message but none that we look into, as
//     message/delivery-status (RFC 9051 section 6.4.4 lets others be left out): without
//     their transfer encodings and in UTF-8, HTML with its tags;
//   - headers of messages within the message, since they are in its body;
//   - for TEXT alone the header of the message and those of its parts ("including MIME
//     header fields").
//
// Each body and each field is a text of its own: nothing is found across the ends of
// two.
func (q *query) learnTexts() error {
	tree, err := q.content.structure()
	if err != nil {
		return err
	}
	for i := range tree.Parts {
		part := &tree.Parts[i]
		inner := part.Parent >= 0 && tree.Parts[part.Parent].Kind == message.Message
		if done, err := q.lookInHeader(part.Header, inner); done || err != nil {
			return err
		}
		if part.Kind != message.Leaf || !isSearched(tree.Type(i)) {
			continue
		}
		if done, err := q.lookInBody(tree, i); done || err != nil {
			return err
		}
	}
	return nil
}

func isSearched(mediaType, _ []byte) bool {
	return bytes.EqualFold(mediaType, []byte("text")) || bytes.EqualFold(mediaType, []byte("message"))
}

// beginText begins a text for the needles that are not found yet, and reports whether
// there are any. In the header of the message or of a part only those of TEXT count.
func (q *query) beginText(textOnly bool) bool {
	q.hay.begin()
	for _, t := range q.looking[stageWhole] {
		if !t.needle.found && (t.header || !textOnly) {
			q.hay.add(&t.needle)
		}
	}
	return len(q.hay.needles) > 0
}

// feedText hands on a piece of a text, and reports whether the message is decided.
func (q *query) feedText(p []byte) bool { return q.hay.feed(p) && q.root.of(q) != unknown }

// endText ends the text.
func (q *query) endText() bool { return q.hay.end() && q.root.of(q) != unknown }

// bodyText is the room for bodies.
type bodyText struct {
	piece   []byte
	charset []byte
	plain   plainCharsets
}

// lookInBody looks into the body of a part.
func (q *query) lookInBody(tree *message.Tree, part int) (done bool, err error) {
	if !q.beginText(false) {
		return false, nil
	}
	b := &q.body
	b.charset = tree.AppendCharset(b.charset[:0], part)
	encoding, body := tree.Encoding(part), tree.Parts[part].Body
	if encoding == message.Identity || encoding == message.Unknown {
		p, ok := q.content.held(body)
		if ok && b.plain.has(b.charset) && (isUTF8(b.charset) || isASCII(p)) {
			return q.feedText(p) || q.endText(), nil
		}
	}
	q.content.decoder.Reset(q.content.section(body), encoding)
	return q.lookInStream(&q.content.decoder)
}

// lookInStream looks into a text that is decoded but for its charset. Most of mail is
// ASCII, and is taken for that as long as it is.
func (q *query) lookInStream(r io.Reader) (done bool, err error) {
	b := &q.body
	if b.piece == nil {
		b.piece = make([]byte, maxPiece)
	}
	converted := isUTF8(b.charset)
	if !b.plain.has(b.charset) {
		r, converted = charset.NewReader(b.charset, r)
	}
	for {
		n, err := r.Read(b.piece)
		p := b.piece[:n]
		if !converted && !isASCII(p) {
			again := bytes.NewReader(bytes.Clone(p))
			r, _ = charset.NewReader(b.charset, io.MultiReader(again, r))
			converted = true // or not known, then bytes stay
			continue
		}
		if q.feedText(p) {
			return true, nil
		}
		if err != nil {
			return q.endText(), eofIsNil(err)
		}
	}
}

func eofIsNil(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// held is the bytes of a range, if the message is in memory.
func (c *content) held(r message.Range) ([]byte, bool) {
	if c.file != nil {
		return nil, false
	}
	return c.raw[r.Offset : r.Offset+r.Size], true
}

// plainCharsets remembers which of the charsets that were met have ASCII as it is, so
// that text need not be decoded where it is ASCII. Others switch by escape sequences
// or have more than one byte for each character.
type plainCharsets struct {
	known [8]struct {
		name  string
		plain bool
	}
	next int
}

// has reports whether a charset has ASCII as it is. One that is not known here counts
// as such.
func (l *plainCharsets) has(name []byte) bool {
	for i := range l.known {
		if k := &l.known[i]; k.name == string(name) {
			return k.plain
		}
	}
	k := &l.known[l.next]
	l.next = (l.next + 1) % len(l.known)
	k.name, k.plain = string(name), isPlain(name)
	return k.plain
}

// isPlain tries it out. The bytes are in an order that is no escape sequence of any
// charset, but for those that such a charset refuses.
func isPlain(name []byte) bool {
	if !charset.Known(name) {
		return true
	}
	var ascii [128]byte
	for i := range ascii {
		ascii[i] = byte(i)
	}
	got, err := charset.Append(nil, name, ascii[:])
	return err == nil && bytes.Equal(got, ascii[:])
}

func isUTF8(charset []byte) bool {
	return bytes.EqualFold(charset, []byte("utf-8")) || bytes.EqualFold(charset, []byte("us-ascii"))
}

func isASCII(p []byte) bool {
	for len(p) >= 8 {
		if binary.LittleEndian.Uint64(p)&0x8080808080808080 != 0 {
			return false
		}
		p = p[8:]
	}
	for _, c := range p {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
