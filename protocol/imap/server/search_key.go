package server

import (
	"errors"
	"math"
	"strings"
	"time"

	"rohrpost/maildir"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
	"rohrpost/protocol/message/charset"
)

// test is a search key made ready: names looked up, texts folded, dates in seconds.
type test struct {
	verdict func(q *query, t *test) verdict
	needs   stage
	keys    []test
	either  bool // a message may be found that fails one of keys
	set     *imap.NumSet
	uids    bool // set is of UIDs
	letters maildir.Flags
	number  int64 // a MODSEQ
	clock   imap.Clock
	from    int64 // a range of seconds or of bytes, both ends included
	to      int64
	field   string // name of the field in which needle is looked for
	list    bool   // of addresses
	header  bool   // needle is looked for in headers too
	needle  needle
}

// verdict is what is known of a test for one message.
type verdict int8

const (
	mismatch verdict = -1
	unknown  verdict = 0
	match    verdict = 1
)

func decided(b bool) verdict {
	if b {
		return match
	}
	return mismatch
}

// of is what is known of t for the query's message so far.
func (t *test) of(q *query) verdict { return t.verdict(q, t) }

// compilers make a test of a key without keys below it, by its operator. What is not
// here is not offered.
var compilers = [...]func(q *query, k *imap.SearchKey) test{
	imap.SearchAll:       func(*query, *imap.SearchKey) test { return test{verdict: matchAlways} },
	imap.SearchSaveDates: func(*query, *imap.SearchKey) test { return test{verdict: matchAlways} },
	imap.SearchSeq:       (*query).numbers,
	imap.SearchUID:       (*query).numbers,
	imap.SearchFlag:      (*query).flag,
	imap.SearchNoFlag:    (*query).flag,
	imap.SearchModSeq:    (*query).modSeq,
	imap.SearchLarger:    (*query).size,
	imap.SearchSmaller:   (*query).size,
	imap.SearchBefore:    (*query).date,
	imap.SearchOn:        (*query).date,
	imap.SearchSince:     (*query).date,
	imap.SearchOlder:     (*query).age,
	imap.SearchYounger:   (*query).age,
	imap.SearchAddress:   (*query).field,
	imap.SearchHeader:    (*query).field,
	imap.SearchBody:      (*query).text,
	imap.SearchText:      (*query).text,
}

// errNotOffered is a key of an extension that is not announced.
var errNotOffered = errors.New("this search key is not offered")

// compile makes a test of a key and of those below it, which the parser has not let
// be deep. Errors stick in q.err.
func (q *query) compile(k *imap.SearchKey) test {
	switch k.Op {
	case imap.SearchAnd:
		return test{verdict: matchAll, keys: q.compileAll(k.Keys)}
	case imap.SearchOr:
		return test{verdict: matchAny, keys: q.compileAll(k.Keys), either: true}
	case imap.SearchNot:
		return test{verdict: matchNot, keys: q.compileAll(k.Keys), either: true}
	}
	if int(k.Op) >= len(compilers) || compilers[k.Op] == nil {
		q.err = errNotOffered
		return test{verdict: matchAlways}
	}
	return compilers[k.Op](q, k)
}

func (q *query) compileAll(keys []imap.SearchKey) []test {
	tests := make([]test, len(keys))
	for i := range keys {
		tests[i] = q.compile(&keys[i])
	}
	return tests
}

// numbers is a set of sequence numbers or UIDs. Numbers that no message has are no
// error here: they match nothing.
func (q *query) numbers(k *imap.SearchKey) test {
	if k.Set.Saved() {
		return test{verdict: matchNumber, set: &q.s.box.saved, uids: true}
	}
	return test{verdict: matchNumber, set: &k.Set, uids: k.Op == imap.SearchUID}
}

func (q *query) flag(k *imap.SearchKey) test {
	t := test{verdict: matchFlag}
	if k.Flag == imap.FlagRecent {
		t.verdict = matchRecent
	} else if letter, ok := letterOf(k.Flag); ok {
		t.letters = letter
	} else if n, ok := q.s.box.keywords.Lookup(string(k.Flag)); ok {
		t.letters = maildir.Keyword(n)
	}
	if k.Op == imap.SearchNoFlag {
		return test{verdict: matchNot, keys: []test{t}, either: true}
	}
	return t
}

func (q *query) modSeq(k *imap.SearchKey) test {
	q.tellsModSeq = true
	return test{verdict: matchModSeq, number: k.Number}
}

// size is a range of sizes, in bytes.
func (q *query) size(k *imap.SearchKey) test {
	if k.Op == imap.SearchSmaller {
		return test{verdict: matchSize, needs: stageStat, to: k.Number - 1}
	}
	return test{verdict: matchSize, needs: stageStat, from: min(k.Number, math.MaxInt64-1) + 1, to: math.MaxInt64}
}

const day = 24 * 60 * 60

// date is a range of days. INTERNALDATE counts in UTC, in which it is told.
func (q *query) date(k *imap.SearchKey) test {
	start := time.Date(k.Date.Year, k.Date.Month, k.Date.Day, 0, 0, 0, 0, time.UTC).Unix()
	t := test{verdict: matchDate, needs: stageStat, clock: k.Clock, from: math.MinInt64, to: math.MaxInt64}
	if k.Clock == imap.SentDate {
		t.needs = stageKept
	}
	if k.Op != imap.SearchBefore {
		t.from = start
	}
	switch k.Op {
	case imap.SearchBefore:
		t.to = start - 1
	case imap.SearchOn:
		t.to = start + day - 1
	}
	return t
}

// age is a range of time up to now. RFC 5032 section 2: the second itself belongs to
// OLDER and to YOUNGER.
func (q *query) age(k *imap.SearchKey) test {
	target := q.s.Now().Unix() - k.Number
	if k.Op == imap.SearchOlder {
		return test{verdict: matchDate, needs: stageStat, from: math.MinInt64, to: target}
	}
	return test{verdict: matchDate, needs: stageStat, from: target, to: math.MaxInt64}
}

// field is a text in the header fields of one name, in any of them if there are
// several.
func (q *query) field(k *imap.SearchKey) test {
	t := test{verdict: matchNeedle, needs: stageHeader, field: k.Field, list: k.Op == imap.SearchAddress, needle: q.needle(k.Text)}
	if _, ok := keptFields[strings.ToLower(k.Field)]; ok {
		t.needs = stageKept
	}
	return t
}

// text is a text in the message or in its body. The empty text is in every message,
// also in one that has no part to look into.
func (q *query) text(k *imap.SearchKey) test {
	if k.Text == "" {
		return test{verdict: matchAlways}
	}
	return test{verdict: matchNeedle, needs: stageWhole, header: k.Op == imap.SearchText, needle: q.needle(k.Text)}
}

// needle is a text of the command, from the command's charset.
func (q *query) needle(text string) needle {
	b := []byte(text)
	if q.charset != "" {
		var err error
		if b, err = charset.Append(nil, []byte(q.charset), b); err != nil {
			q.err = message.ErrCharset
		}
	}
	return newNeedle(&q.hay.fold, b)
}
