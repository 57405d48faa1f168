package server

import (
	"encoding/binary"
	"math"

	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// What SORT and THREAD compare is dear to find out: dates, encoded words, addresses.
// So it is kept for all sessions, as blobs of kindSort and kindThread:
//
//	sent date 8, texts
//
// The date is in seconds since 1970, noDate if there is none to be read: then the
// internal date takes its place, which is not that of the fields. Each text has its
// length before it, as a varint.

// noDate is the date of a message without one; no year that can be sent has it.
const noDate = math.MinInt64

// maxDerived is the longest blob that is kept, in bytes. Longer ones are made again.
const maxDerived = 4 << 10

// derived is a blob, of the message that the query is at, and what makes it.
type derived struct {
	blob  []byte
	known bool

	values    [5][]byte
	addresses message.Addresses
	text      []byte // before it is folded
	folded    []byte
}

// learn gets the blob of a kind: names are the fields that it is made of, Date first.
// It is valid until the next message.
func (q *query) learn(kind mailbox.Kind, names []string, appendTexts func(q *query, b []byte) []byte) ([]byte, error) {
	d := &q.derived
	if d.known {
		return d.blob, nil
	}
	if blob, ok := q.s.box.Cached(q.pos, kind); ok && len(blob) >= 8 {
		d.blob, d.known = append(d.blob[:0], blob...), true
		return d.blob, nil
	}
	fields, err := q.content.kept()
	if err != nil {
		return nil, err
	}
	clear(d.values[:])
	keptValues(fields, names, d.values[:])
	d.blob = appendTexts(q, binary.LittleEndian.AppendUint64(d.blob[:0], uint64(sentSecond(q.value.unfold(d.values[0])))))
	if len(d.blob) <= maxDerived {
		q.s.box.Cache(q.pos, kind, d.blob)
	}
	d.known = true
	return d.blob, nil
}

// sentSecond is the date that a blob begins with.
func sentSecond(value []byte) int64 {
	at, err := message.ParseDate(value)
	if err != nil {
		return noDate
	}
	return at.Unix()
}

// dateIn is the sent date of RFC 5256 section 2.2, from a message's blob.
func (q *query) dateIn(blob []byte) (int64, error) {
	if at := int64(binary.LittleEndian.Uint64(blob)); at != noDate {
		return at, nil
	}
	return q.arrival()
}

// appendText appends a text to a blob, with its length.
func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// appendFolded appends a text to a blob as it is compared: at most so many bytes of
// it.
func (q *query) appendFolded(b, text []byte, longest int) []byte {
	d := &q.derived
	// No character folds to fewer bytes than a quarter of its own.
	d.folded = q.hay.fold.appendAll(d.folded[:0], text[:min(len(text), 4*longest)])
	return appendText(b, d.folded[:min(len(d.folded), longest)])
}

// cutText cuts off the text that comes next in a blob. Behind the last there are only
// empty ones.
func cutText(b []byte) (text, rest []byte) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil
	}
	end := n + int(size)
	return b[n:end], b[end:]
}

// baseSubject is the base subject of a Subject field's value, and whether that says
// that the message is a reply or a forward.
func (q *query) baseSubject(value []byte) (subject []byte, reply bool) {
	q.derived.text, reply = message.AppendBaseSubject(q.derived.text[:0], q.value.unfold(value), charset.Append)
	return q.derived.text, reply
}
