package server

import (
	"time"

	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// stage is how much of a message has been looked at. Each is dearer than those before
// it, and entered only for messages that the tests so far leave open.
type stage uint8

const (
	stageIndex  stage = iota // what mailbox.Message has
	stageStat                // sizes and dates: the file system may have to be asked
	stageKept                // kindFields
	stageHeader              // the whole header
	stageWhole               // the whole message
	stages
)

// query is a search made ready, and what is known of the message that it is at. All
// that it keeps room for is used again for the next one.
type query struct {
	s       *Session
	charset string // of the texts, "" for UTF-8
	root    test
	steps   []step
	looking [stages][]*test // those that look for a needle, by the stage they need
	// tellsModSeq says that MODSEQ is among the keys.
	tellsModSeq bool

	pos     int
	m       mailbox.Message
	stage   stage
	content content
	err     error
	failure error // the first one that kept a message from being looked at

	hay   haystack
	value fieldText
	room  []byte // for fields
	body  bodyText

	derived derived
}

// step is a stage that some test needs.
type step struct {
	stage stage
	learn func(q *query) error
}

// newQuery makes a search ready. The error is message.ErrCharset or errNotOffered.
func (s *Session) newQuery(args *imap.Search) (*query, error) {
	q := &query{s: s, content: content{s: s}, charset: charsetOf(args.Charset)}
	if q.charset != "" && !charset.Known([]byte(q.charset)) {
		return nil, message.ErrCharset
	}
	q.root = q.compile(&args.Key)
	if q.err != nil {
		return nil, q.err
	}
	var needed [stages]bool
	q.gather(&q.root, &needed)
	for _, st := range [...]step{
		{stageStat, func(*query) error { return nil }},
		{stageKept, (*query).learnKept},
		{stageHeader, (*query).learnHeader},
		{stageWhole, (*query).learnTexts},
	} {
		if needed[st.stage] {
			q.steps = append(q.steps, st)
		}
	}
	return q, nil
}

// gather finds out which stages are needed, and for which needles.
func (q *query) gather(t *test, needed *[stages]bool) {
	needed[t.needs] = true
	if t.needs >= stageKept && t.clock != imap.SentDate {
		q.looking[t.needs] = append(q.looking[t.needs], t)
	}
	for i := range t.keys {
		q.gather(&t.keys[i], needed)
	}
}

// begin goes to a message.
func (q *query) begin(pos int) {
	q.content.close()
	q.content.reset(pos)
	q.derived.known = false
	q.pos, q.m, q.stage, q.err = pos, q.s.box.At(pos), stageIndex, nil
	for _, tests := range q.looking {
		for _, t := range tests {
			t.needle.found = false
		}
	}
}

// matches reports whether the message at a position is found. q.content has what was
// read of it, until the next call; close it at the end.
func (q *query) matches(pos int) (bool, error) {
	q.begin(pos)
	if q.m.Gone {
		return false, nil
	}
	v := q.root.of(q)
	for _, st := range q.steps {
		if v != unknown || q.err != nil {
			break
		}
		q.err = st.learn(q)
		q.stage = st.stage
		v = q.root.of(q)
	}
	return v == match && q.err == nil, q.err
}

// bounds are the positions that matter, as far as a set says it that all messages
// found must be in.
func (q *query) bounds() (from, to int) {
	from, to = 0, q.s.box.exists
	keys := q.root.keys
	if len(keys) == 0 || q.root.either {
		keys = []test{q.root}
	}
	for i := range keys {
		if t := &keys[i]; t.set != nil {
			first, last := t.bounds(q.s.box)
			from, to = max(from, first), min(to, last)
		}
	}
	return from, to
}

// bounds are the positions that a set lies between.
func (t *test) bounds(b *selected) (from, to int) {
	most := uint32(b.exists)
	if t.uids {
		most = b.highest()
	}
	var first, last uint32
	for r := range t.set.Ranges(most) {
		if first == 0 {
			first = r.First
		}
		last = r.Last
	}
	if first == 0 {
		return 0, 0
	}
	if !t.uids {
		return int(first) - 1, int(last)
	}
	from, _ = b.Find(mailbox.UID(first))
	to, ok := b.Find(mailbox.UID(last))
	if ok {
		to++
	}
	return from, to
}

func matchAlways(*query, *test) verdict { return match }

func matchAll(q *query, t *test) verdict {
	v := match
	for i := range t.keys {
		switch t.keys[i].of(q) {
		case mismatch:
			return mismatch
		case unknown:
			v = unknown
		}
	}
	return v
}

func matchAny(q *query, t *test) verdict {
	v := mismatch
	for i := range t.keys {
		switch t.keys[i].of(q) {
		case match:
			return match
		case unknown:
			v = unknown
		}
	}
	return v
}

func matchNot(q *query, t *test) verdict { return -t.keys[0].of(q) }

func matchNumber(q *query, t *test) verdict {
	if t.uids {
		return decided(t.set.Contains(uint32(q.m.UID), q.s.box.highest()))
	}
	return decided(t.set.Contains(uint32(q.pos+1), uint32(q.s.box.exists)))
}

func matchFlag(q *query, t *test) verdict   { return decided(q.m.Flags&t.letters != 0) }
func matchRecent(q *query, _ *test) verdict { return decided(q.m.Recent) }
func matchModSeq(q *query, t *test) verdict { return decided(q.m.ModSeq >= uint64(t.number)) }

// matchSize is whether the message is in a range of sizes (RFC822.SIZE).
func matchSize(q *query, t *test) verdict {
	if q.stage < t.needs {
		return unknown
	}
	n, err := q.s.box.WireSize(q.pos)
	return q.within(t, n, err)
}

// matchDate is whether a date of the message is in a range of seconds. A message
// without the date is in none.
func matchDate(q *query, t *test) verdict {
	if q.stage < t.needs {
		return unknown
	}
	var at time.Time
	var err error
	switch t.clock {
	case imap.InternalDate:
		at, err = q.s.box.InternalDate(q.pos)
	case imap.SaveDate:
		at, err = q.s.box.SaveDate(q.pos)
	case imap.SentDate:
		return q.sent(t)
	}
	return q.within(t, at.Unix(), err)
}

// within is whether t's range has n, if n could be found out.
func (q *query) within(t *test, n int64, err error) verdict {
	if err != nil {
		q.err = err
		return mismatch
	}
	return decided(t.from <= n && n <= t.to)
}

// matchNeedle is whether the needle has been found, as far as it was looked for.
func matchNeedle(q *query, t *test) verdict {
	switch {
	case t.needle.found:
		return match
	case q.stage < t.needs:
		return unknown
	}
	return mismatch
}

// sent is matchDate for the Date field, whose clock is the sender's (RFC 9051 section
// 6.4.4: "disregarding time and timezone").
func (q *query) sent(t *test) verdict {
	at, err := message.ParseDate(q.value.unfold(keptValue(q.content.fields, "Date")))
	if err != nil {
		return mismatch
	}
	_, east := at.Zone()
	return q.within(t, at.Unix()+int64(east), nil)
}
