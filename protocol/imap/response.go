package imap

import (
	"iter"
	"strconv"

	"rohrpost/protocol/line"
)

// Condition is the first word of a status response (RFC 9051 section 7.1).
type Condition string

// The status responses.
const (
	OK      Condition = "OK"
	NO      Condition = "NO"
	BAD     Condition = "BAD"
	PreAuth Condition = "PREAUTH"
	BYE     Condition = "BYE"
)

// Encoder writes responses to a line.Writer, each of them whole. What has no method
// here is appended with Extend and the Append functions.
type Encoder struct {
	*line.Writer
	// UTF8 says that the client has enabled UTF8=ACCEPT or IMAP4rev2.
	UTF8 bool
}

// Tagged ends a command. An empty tag, that of a command which had none, is "*". Of
// text, control characters become "?".
func (e *Encoder) Tagged(tag string, c Condition, code Code, text string) {
	if tag == "" {
		tag = "*"
	}
	e.Extend(func(b []byte) []byte {
		b = append(append(b, tag...), ' ')
		return appendCondition(b, c, code, text)
	})
}

// Untagged writes an untagged status response; see Tagged.
func (e *Encoder) Untagged(c Condition, code Code, text string) { e.Tagged("", c, code, text) }

func appendCondition(b []byte, c Condition, code Code, text string) []byte {
	b = append(append(b, c...), ' ')
	if code != "" {
		b = append(b, '[')
		b = appendText(b, string(code))
		b = append(b, ']', ' ')
	}
	return append(appendText(b, text), '\r', '\n')
}

// appendText appends text so that it stays in its line.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == 0x7f {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}

// Resume writes a continuation request, as the hook of NewDecoder must, but does not
// flush.
func (e *Encoder) Resume(text string) {
	e.Extend(func(b []byte) []byte { return append(appendText(append(b, "+ "...), text), '\r', '\n') })
}

// Count writes "* n NAME": EXISTS, RECENT, EXPUNGE.
func (e *Encoder) Count(n uint32, name string) {
	e.Extend(func(b []byte) []byte {
		b = AppendNumber(append(b, "* "...), n)
		b = append(append(b, ' '), name...)
		return append(b, '\r', '\n')
	})
}

// Words writes "* NAME word word": CAPABILITY, ENABLED.
func (e *Encoder) Words(name string, words ...string) {
	e.Extend(func(b []byte) []byte {
		b = append(append(b, "* "...), name...)
		for _, w := range words {
			b = append(append(b, ' '), w...)
		}
		return append(b, '\r', '\n')
	})
}

// Flags writes FLAGS: those that can be in the mailbox.
func (e *Encoder) Flags(flags []Flag) {
	e.Extend(func(b []byte) []byte {
		return append(AppendFlags(append(b, "* FLAGS "...), flags), '\r', '\n')
	})
}

// Vanished writes VANISHED (RFC 7162 section 3.2.10), unless there are no UIDs.
func (e *Encoder) Vanished(earlier bool, uids NumSet) {
	if uids.Empty() {
		return
	}
	e.Extend(func(b []byte) []byte {
		b = append(b, "* VANISHED "...)
		if earlier {
			b = append(b, "(EARLIER) "...)
		}
		return append(uids.Append(b), '\r', '\n')
	})
}

// Numbers writes SEARCH or SORT of rev1: the numbers, and MODSEQ if modSeq is not 0
// (RFC 7162 section 3.1.5).
func (e *Encoder) Numbers(name string, nums iter.Seq[uint32], modSeq int64) {
	e.Extend(func(b []byte) []byte {
		b = append(append(b, "* "...), name...)
		some := false
		for n := range nums {
			b = AppendNumber(append(b, ' '), n)
			some = true
		}
		if some && modSeq != 0 {
			b = append(AppendNumber(append(b, " (MODSEQ "...), modSeq), ')')
		}
		return append(b, '\r', '\n')
	})
}

// ESearch is the answer to a search with RETURN (RFC 9051 section 7.3.4). What was
// not asked for is left out by its bit in Return; MIN, MAX and ALL also are if
// nothing was found.
type ESearch struct {
	Tag    string
	UID    bool // of UID SEARCH or UID SORT
	Return SearchReturn
	Min    uint32
	Max    uint32
	Count  int64
	All    NumSet   // of SEARCH
	Order  []uint32 // in place of All, for SORT (RFC 5267 section 3.1)
	Page   Page     // of ReturnPartial, with All or Order as its results
	ModSeq int64    // 0 if the search had no MODSEQ
}

// ESearch writes an ESEARCH response.
func (e *Encoder) ESearch(r ESearch) {
	e.Extend(func(b []byte) []byte {
		b = append(b, "* ESEARCH (TAG "...)
		b = append(AppendString(b, r.Tag, false), ')')
		if r.UID {
			b = append(b, " UID"...)
		}
		return append(r.appendData(b), '\r', '\n')
	})
}

func (r *ESearch) appendData(b []byte) []byte {
	some := r.Order != nil || !r.All.Empty()
	if r.Return&ReturnMin != 0 && r.Min != 0 {
		b = AppendNumber(append(b, " MIN "...), r.Min)
	}
	if r.Return&ReturnMax != 0 && r.Max != 0 {
		b = AppendNumber(append(b, " MAX "...), r.Max)
	}
	if r.Return&ReturnAll != 0 && some {
		b = r.appendResults(append(b, " ALL "...))
	}
	if r.Return&ReturnCount != 0 {
		b = AppendNumber(append(b, " COUNT "...), r.Count)
	}
	if r.Return&ReturnPartial != 0 {
		b = append(r.Page.Append(append(b, " PARTIAL ("...)), ' ')
		if some {
			b = r.appendResults(b)
		} else {
			b = AppendNIL(b)
		}
		b = append(b, ')')
	}
	if r.ModSeq != 0 {
		b = AppendNumber(append(b, " MODSEQ "...), r.ModSeq)
	}
	return b
}

func (r *ESearch) appendResults(b []byte) []byte {
	if r.Order == nil {
		return r.All.Append(b)
	}
	for i, n := range r.Order {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return b
}
