package imap

// SearchReturn is a set of the results that RETURN asks for (RFC 9051 section
// 6.4.4, RFC 5182).
type SearchReturn uint8

// The return options.
const (
	ReturnMin SearchReturn = 1 << iota
	ReturnMax
	ReturnAll
	ReturnCount
	ReturnSave
	ReturnPartial // with Search.Page (RFC 9394)
)

var searchReturns = [...]struct {
	name string
	opt  SearchReturn
}{
	{"MIN", ReturnMin}, {"MAX", ReturnMax}, {"ALL", ReturnAll}, {"COUNT", ReturnCount},
	{"SAVE", ReturnSave}, {"PARTIAL", ReturnPartial},
}

// Search is the arguments of SEARCH, and what SORT and THREAD have of them.
type Search struct {
	// Extended says that RETURN was there: the answer is ESEARCH.
	Extended bool
	Return   SearchReturn
	Page     Page   // of ReturnPartial
	Charset  string // in capital letters; "" is US-ASCII or UTF-8
	Key      SearchKey
}

// ParseSearch reads the arguments of SEARCH.
func ParseSearch(d *Decoder) (Search, error) {
	var s Search
	s.returnOptions(d)
	d.SP()
	if d.acceptWord("CHARSET ") {
		s.Charset = d.charset()
		d.SP()
	}
	s.Key = d.searchKeys()
	return s, d.End()
}

// returnOptions reads RETURN (...), if it is there. RFC 9051 section 6.4.4: an empty
// list means ALL.
func (s *Search) returnOptions(d *Decoder) {
	if !d.acceptWord(" RETURN ") {
		return
	}
	s.Extended = true
	d.listOrNothing(func() {
		opt := d.returnOption()
		if opt == ReturnPartial && s.Return&opt == 0 {
			d.SP()
			s.Page = d.page()
		} else if opt == ReturnPartial {
			d.fail("one PARTIAL is enough")
		}
		s.Return |= opt
	})
	switch {
	case s.Return == 0:
		s.Return = ReturnAll
	case s.Return&ReturnPartial != 0 && s.Return&ReturnAll != 0:
		// RFC 9394 section 3.1: a single command MUST NOT contain both.
		d.fail("ALL and PARTIAL exclude each other")
	}
}

func (d *Decoder) returnOption() SearchReturn {
	word := d.word("return option")
	for _, r := range searchReturns {
		if equalFold(word, r.name) {
			return r.opt
		}
	}
	d.fail("unknown return option")
	return 0
}

// acceptWord takes text if it comes next, in letters of either case.
func (d *Decoder) acceptWord(text string) bool {
	if d.err != nil {
		return false
	}
	rest := d.line[d.pos:]
	if len(rest) < len(text) || !equalFold(rest[:len(text)], text) {
		return false
	}
	d.pos += len(text)
	return true
}

// charset reads the name of a charset, an atom or a string.
func (d *Decoder) charset() string {
	return upperString(d.AString())
}
