package imap

import "strings"

// SearchOp is what a SearchKey tests.
type SearchOp uint8

// The tests, with the fields of SearchKey that they use.
const (
	SearchAll       SearchOp = iota // every message
	SearchAnd                       // Keys: all of them, two or more
	SearchOr                        // Keys: one of them, two or more
	SearchNot                       // Keys: not the one
	SearchSeq                       // Set, of sequence numbers
	SearchUID                       // Set, of UIDs
	SearchFlag                      // Flag is set
	SearchNoFlag                    // Flag is not set
	SearchAddress                   // Text in the From, To, Cc or Bcc (Field) of the envelope
	SearchHeader                    // Text in the header field Field; "" if there is one at all
	SearchBody                      // Text in the body
	SearchText                      // Text in header or body
	SearchLarger                    // more bytes than Number
	SearchSmaller                   // fewer bytes than Number
	SearchBefore                    // Clock is before Date
	SearchOn                        // Clock is on Date
	SearchSince                     // Clock is on or after Date
	SearchOlder                     // INTERNALDATE is Number seconds ago or more (RFC 5032)
	SearchYounger                   // INTERNALDATE is less than that ago
	SearchModSeq                    // MODSEQ is Number or more (RFC 7162 section 3.1.5)
	SearchEmailID                   // Text is the EMAILID (RFC 8474)
	SearchThreadID                  // Text is the THREADID
	SearchSaveDates                 // SAVEDATESUPPORTED: the mailbox has save dates (RFC 8514)
)

// Clock is which of its dates a message is searched by.
type Clock uint8

// The dates of a message.
const (
	InternalDate Clock = iota // INTERNALDATE, by day
	SentDate                  // the Date field of the header, by its day there
	SaveDate                  // SAVEDATE, by day
)

// SearchKey is a tree of tests. Text is in the charset of the command, without NUL.
type SearchKey struct {
	Op     SearchOp
	Clock  Clock
	Date   Date
	Number int64
	Set    NumSet
	Flag   Flag
	Field  string // name of a header field, or any other string
	Text   string
	Keys   []SearchKey
}

// searchKey is a row of the table of keys: what the key tests, and how its argument
// is read.
type searchKey struct {
	name string
	key  SearchKey
	read func(d *Decoder, k *SearchKey)
}

func flagKey(name string, f Flag) searchKey {
	return searchKey{name, SearchKey{Op: SearchFlag, Flag: f}, nil}
}

func noFlagKey(name string, f Flag) searchKey {
	return searchKey{name, SearchKey{Op: SearchNoFlag, Flag: f}, nil}
}

func textKey(name string, op SearchOp, field string) searchKey {
	return searchKey{name, SearchKey{Op: op, Field: field}, readText}
}

func dateKey(name string, op SearchOp, c Clock) searchKey {
	return searchKey{name, SearchKey{Op: op, Clock: c}, readDate}
}

// searchKeys are all keys that have a name, but for OR and NOT. The first line of
// each group has its RFC.
var searchKeys = [...]searchKey{
	{"ALL", SearchKey{Op: SearchAll}, nil}, // RFC 9051 section 6.4.4
	{"UID", SearchKey{Op: SearchUID}, readSet},
	flagKey("ANSWERED", FlagAnswered), noFlagKey("UNANSWERED", FlagAnswered),
	flagKey("DELETED", FlagDeleted), noFlagKey("UNDELETED", FlagDeleted),
	flagKey("DRAFT", FlagDraft), noFlagKey("UNDRAFT", FlagDraft),
	flagKey("FLAGGED", FlagFlagged), noFlagKey("UNFLAGGED", FlagFlagged),
	flagKey("SEEN", FlagSeen), noFlagKey("UNSEEN", FlagSeen),
	{"KEYWORD", SearchKey{Op: SearchFlag}, readKeyword},
	{"UNKEYWORD", SearchKey{Op: SearchNoFlag}, readKeyword},
	textKey("FROM", SearchAddress, "From"), textKey("TO", SearchAddress, "To"),
	textKey("CC", SearchAddress, "Cc"), textKey("BCC", SearchAddress, "Bcc"),
	textKey("SUBJECT", SearchHeader, "Subject"),
	{"HEADER", SearchKey{Op: SearchHeader}, readHeader},
	textKey("BODY", SearchBody, ""), textKey("TEXT", SearchText, ""),
	{"LARGER", SearchKey{Op: SearchLarger}, readSize},
	{"SMALLER", SearchKey{Op: SearchSmaller}, readSize},
	dateKey("BEFORE", SearchBefore, InternalDate), dateKey("ON", SearchOn, InternalDate),
	dateKey("SINCE", SearchSince, InternalDate),
	dateKey("SENTBEFORE", SearchBefore, SentDate), dateKey("SENTON", SearchOn, SentDate),
	dateKey("SENTSINCE", SearchSince, SentDate),

	flagKey("RECENT", FlagRecent), noFlagKey("OLD", FlagRecent), // RFC 3501 section 6.4.4
	{"NEW", SearchKey{Op: SearchAnd, Keys: []SearchKey{
		{Op: SearchFlag, Flag: FlagRecent}, {Op: SearchNoFlag, Flag: FlagSeen}}}, nil},

	{"OLDER", SearchKey{Op: SearchOlder}, readInterval}, // RFC 5032
	{"YOUNGER", SearchKey{Op: SearchYounger}, readInterval},

	{"MODSEQ", SearchKey{Op: SearchModSeq}, readModSeq}, // RFC 7162

	{"EMAILID", SearchKey{Op: SearchEmailID}, readObjectID}, // RFC 8474
	{"THREADID", SearchKey{Op: SearchThreadID}, readObjectID},

	dateKey("SAVEDBEFORE", SearchBefore, SaveDate), dateKey("SAVEDON", SearchOn, SaveDate), // RFC 8514
	dateKey("SAVEDSINCE", SearchSince, SaveDate),
	{"SAVEDATESUPPORTED", SearchKey{Op: SearchSaveDates}, nil},
}

func readText(d *Decoder, k *SearchKey)    { k.Text = d.AString() }
func readDate(d *Decoder, k *SearchKey)    { k.Date = d.Date() }
func readSet(d *Decoder, k *SearchKey)     { k.Set = d.NumSet() }
func readSize(d *Decoder, k *SearchKey)    { k.Number = d.Number64() }
func readKeyword(d *Decoder, k *SearchKey) { k.Flag = Flag(d.Atom()) }

// RFC 5032 section 3: the interval is an nz-number.
func readInterval(d *Decoder, k *SearchKey) { k.Number = int64(d.NZNumber()) }

func readHeader(d *Decoder, k *SearchKey) {
	k.Field = d.AString()
	d.SP()
	k.Text = d.AString()
}

// readModSeq reads the value behind MODSEQ. The name and the type of a metadata item
// that may stand before it narrow what the value is compared with, but a message
// has one value here (RFC 7162 section 3.1.5 lets a server ignore them).
func readModSeq(d *Decoder, k *SearchKey) {
	if d.peek() == '"' {
		if entry := d.String(); d.err == nil && !strings.HasPrefix(entry, "/flags/") {
			d.fail("/flags/ and the name of a flag expected")
		}
		d.SP()
		switch w := d.word("type of entry"); {
		case equalFold(w, "PRIV"), equalFold(w, "SHARED"), equalFold(w, "ALL"):
		default:
			d.fail("priv, shared or all expected")
		}
		d.SP()
	}
	k.Number = d.Number64()
}

// readObjectID reads an objectid (RFC 8474 section 7).
func readObjectID(d *Decoder, k *SearchKey) {
	k.Text = d.AString()
	if len(k.Text) == 0 || len(k.Text) > 255 || strings.ContainsFunc(k.Text, notInObjectID) {
		d.fail("not an object identifier")
	}
}

func notInObjectID(r rune) bool {
	return r > 0x7f || r == '.' || classes[r]&isLabel == 0
}

// searchKeys reads keys to the end of the command.
func (d *Decoder) searchKeys() SearchKey {
	keys := []SearchKey{d.searchKey()}
	for d.More() {
		keys = append(keys, d.searchKey())
	}
	return group(SearchAnd, keys)
}

// group is the keys under one operator; a single key needs none.
func group(op SearchOp, keys []SearchKey) SearchKey {
	if len(keys) == 1 {
		return keys[0]
	}
	return SearchKey{Op: op, Keys: keys}
}

// searchKey reads one search-key.
func (d *Decoder) searchKey() SearchKey {
	switch c := d.peek(); {
	case c == '(':
		var keys []SearchKey
		d.list(func() { keys = append(keys, d.searchKey()) })
		if len(keys) == 0 {
			return SearchKey{}
		}
		return group(SearchAnd, keys)
	case isDigit(c), c == '*', c == '$':
		return SearchKey{Op: SearchSeq, Set: d.NumSet()}
	}
	word := d.word("search key")
	switch {
	case equalFold(word, "OR"):
		return d.or()
	case equalFold(word, "NOT"):
		d.enter()
		d.SP()
		k := SearchKey{Op: SearchNot, Keys: []SearchKey{d.searchKey()}}
		d.leave()
		return k
	}
	return d.namedKey(word)
}

// or reads what follows OR. Clients make ORs of many keys by nesting them to the
// left or to the right, deeper than Limits.Depth: each OR adds one key to those that
// are still to come, so all of them are one list, and no recursion is needed.
func (d *Decoder) or() SearchKey {
	var keys []SearchKey
	for pending := 2; pending > 0 && d.err == nil; {
		d.SP()
		if d.acceptWord("OR ") {
			d.pos-- // the space before its first key
			d.countArg()
			pending++
			continue
		}
		keys = append(keys, d.searchKey())
		pending--
	}
	return SearchKey{Op: SearchOr, Keys: keys}
}

func (d *Decoder) namedKey(word []byte) SearchKey {
	for i := range searchKeys {
		row := &searchKeys[i]
		if !equalFold(word, row.name) {
			continue
		}
		k := row.key
		if row.read != nil {
			d.SP()
			row.read(d, &k)
		}
		return k
	}
	d.fail("unknown search key")
	return SearchKey{}
}
