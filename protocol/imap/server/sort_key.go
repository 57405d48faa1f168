package server

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// sorter sorts messages by the criteria of SORT (RFC 5256 section 3). Its keys are
// flat: a number, or bytes of one array, for each message and criterion.
type sorter struct {
	q         *query
	criteria  []imap.SortCriterion
	positions []int
	columns   []column // one for each criterion
	text      []byte   // of all keys that are texts
	longest   int      // bytes of a text that count
}

// column is the keys of one criterion, by the messages' places in positions. One of
// the two is used.
type column struct {
	numbers []int64
	texts   []span
}

// span is a run of sorter.text.
type span struct{ from, to uint32 }

// keyRoom is how much the texts of all keys may take, in bytes. With 100,000 messages
// the first 160 bytes of each count, with fewer messages more.
const keyRoom = 16 << 20

// newSorter makes room for the keys of at most n messages.
func newSorter(q *query, criteria []imap.SortCriterion, n int) *sorter {
	s := &sorter{q: q, criteria: criteria, columns: make([]column, len(criteria))}
	s.longest = max(keyRoom/(max(n, 1)*len(criteria)), 32)
	return s
}

// add takes the keys of the message that the query is at.
func (s *sorter) add() error {
	for i := range s.criteria {
		key := &sortKeys[s.criteria[i].Key]
		c := &s.columns[i]
		if key.number != nil {
			n, err := key.number(s.q)
			if err != nil {
				return s.drop(err)
			}
			c.numbers = append(c.numbers, n)
			continue
		}
		blob, err := s.q.sortBlob()
		if err != nil {
			return s.drop(err)
		}
		c.texts = append(c.texts, s.hold(sortText(blob, key.text)))
	}
	s.positions = append(s.positions, s.q.pos)
	return nil
}

// drop takes away what add has added of a message that cannot be read.
func (s *sorter) drop(err error) error {
	n := len(s.positions)
	for i := range s.columns {
		c := &s.columns[i]
		c.numbers, c.texts = c.numbers[:min(n, len(c.numbers))], c.texts[:min(n, len(c.texts))]
	}
	return err
}

// hold keeps as much of a text as counts.
func (s *sorter) hold(text []byte) span {
	from := len(s.text)
	s.text = append(s.text, text[:min(len(text), s.longest)]...)
	return span{uint32(from), uint32(len(s.text))}
}

// sortKey is a criterion's key: a number, or one of sortTexts.
type sortKey struct {
	number func(q *query) (int64, error)
	text   int
}

var sortKeys = [...]sortKey{
	imap.SortArrival:     {number: (*query).arrival},
	imap.SortCc:          {text: 3},
	imap.SortDate:        {number: (*query).sentDate},
	imap.SortFrom:        {text: 1},
	imap.SortSize:        {number: func(q *query) (int64, error) { return q.s.box.WireSize(q.pos) }},
	imap.SortSubject:     {text: 0},
	imap.SortTo:          {text: 2},
	imap.SortDisplayFrom: {text: 4},
	imap.SortDisplayTo:   {text: 5},
}

// sortFields are the fields that a blob of kindSort is made of.
var sortFields = []string{"Date", "Subject", "From", "To", "Cc"}

// sortTexts are the texts of a blob of kindSort: what of which of sortFields.
var sortTexts = [...]struct {
	field int
	text  func(q *query, value []byte) []byte
}{
	{1, func(q *query, value []byte) []byte { text, _ := q.baseSubject(value); return text }},
	{2, (*query).mailbox},
	{3, (*query).mailbox},
	{4, (*query).mailbox},
	{2, (*query).display},
	{3, (*query).display},
}

// sortBlob is the blob of kindSort of the message that the query is at.
func (q *query) sortBlob() ([]byte, error) {
	return q.learn(kindSort, sortFields, (*query).appendSortTexts)
}

func (q *query) appendSortTexts(b []byte) []byte {
	for _, t := range sortTexts {
		b = q.appendFolded(b, t.text(q, q.derived.values[t.field]), maxSortText)
	}
	return b
}

// maxSortText is how much of a text is compared, in bytes, however few messages there
// are.
const maxSortText = 8 << 10

// sortText is one of the texts of a blob of kindSort.
func sortText(blob []byte, number int) (text []byte) {
	rest := blob[8:]
	for range number + 1 {
		text, rest = cutText(rest)
	}
	return text
}

// arrival is INTERNALDATE, in the seconds that it is told in.
func (q *query) arrival() (int64, error) {
	at, err := q.s.box.InternalDate(q.pos)
	return at.Unix(), err
}

// sentDate is the sent date of RFC 5256 section 2.2.
func (q *query) sentDate() (int64, error) {
	blob, err := q.sortBlob()
	if err != nil {
		return 0, err
	}
	return q.dateIn(blob)
}

// mailbox is the addr-mailbox of the first address, which for a group is its name (RFC
// 9051 section 7.5.2).
func (q *query) mailbox(value []byte) []byte {
	a := q.first(value)
	if a.Kind == message.GroupStart {
		return a.Name
	}
	return a.Mailbox
}

// display is what the first address is shown as (RFC 5957 section 3). A group has no
// addr-name and no addr-host.
func (q *query) display(value []byte) []byte {
	a := q.first(value)
	if a.Kind == message.GroupStart {
		return a.Name
	}
	text := message.AppendDecodedWords(q.derived.text[:0], a.Name, charset.Append)
	if len(text) == 0 {
		text = append(text, a.Mailbox...)
		if len(a.Host) > 0 {
			text = append(append(text, '@'), a.Host...)
		}
	}
	q.derived.text = text
	return text
}

func (q *query) first(value []byte) message.Address {
	q.derived.addresses.Reset(q.value.unfold(value))
	a, _ := q.derived.addresses.Next()
	return a
}

// row is a message while it is sorted, with the beginning of its first key.
type row struct {
	begin uint64
	place int32 // in positions
}

// sorted is the positions in order. Messages that are equal in all keys are in that of
// their numbers.
func (s *sorter) sorted() []int {
	rows := make([]row, len(s.positions))
	for i := range rows {
		rows[i] = row{s.begin(i), int32(i)}
	}
	slices.SortFunc(rows, s.compare)
	positions := make([]int, len(rows))
	for i := range rows {
		positions[i] = s.positions[rows[i].place]
	}
	return positions
}

// begin is a number that compares as the first key does, as far as 8 bytes say it.
func (s *sorter) begin(place int) (n uint64) {
	c := &s.columns[0]
	if c.texts == nil {
		n = uint64(c.numbers[place]) ^ 1<<63
	} else {
		var b [8]byte
		copy(b[:], s.textOf(c.texts[place]))
		n = binary.BigEndian.Uint64(b[:])
	}
	if s.criteria[0].Reverse {
		n = ^n
	}
	return n
}

func (s *sorter) textOf(t span) []byte { return s.text[t.from:t.to] }

func (s *sorter) compare(a, b row) int {
	if a.begin != b.begin {
		return cmp.Compare(a.begin, b.begin)
	}
	for i := range s.columns {
		c := &s.columns[i]
		var d int
		if c.texts == nil {
			d = cmp.Compare(c.numbers[a.place], c.numbers[b.place])
		} else {
			d = bytes.Compare(s.textOf(c.texts[a.place]), s.textOf(c.texts[b.place]))
		}
		if s.criteria[i].Reverse {
			d = -d
		}
		if d != 0 {
			return d
		}
	}
	return cmp.Compare(a.place, b.place)
}
