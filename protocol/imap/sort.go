package imap

// SortKey is what SORT compares.
type SortKey uint8

// The sort keys (RFC 5256 section 3, RFC 5957 section 3).
const (
	SortArrival SortKey = iota
	SortCc
	SortDate
	SortFrom
	SortSize
	SortSubject
	SortTo
	SortDisplayFrom
	SortDisplayTo
)

var sortKeys = [...]string{"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"}

// SortCriterion is one step of a comparison.
type SortCriterion struct {
	Key     SortKey
	Reverse bool
}

// Sort is the arguments of SORT. Those of its search may be extended (ESORT, RFC
// 5267 section 3).
type Sort struct {
	Criteria []SortCriterion // the first counts most; later ones that are there already are left out
	Search   Search
}

// ParseSort reads the arguments of SORT.
func ParseSort(d *Decoder) (Sort, error) {
	var s Sort
	s.Search.returnOptions(d)
	d.SP()
	d.list(func() { s.criterion(d) })
	d.SP()
	s.Search.Charset = d.charset()
	d.SP()
	s.Search.Key = d.searchKeys()
	return s, d.End()
}

func (s *Sort) criterion(d *Decoder) {
	var c SortCriterion
	word := d.word("sort criterion")
	if equalFold(word, "REVERSE") {
		c.Reverse = true
		d.SP()
		word = d.word("sort criterion")
	}
	for i, name := range sortKeys {
		if equalFold(word, name) {
			c.Key = SortKey(i)
			s.add(c)
			return
		}
	}
	d.fail("unknown sort criterion")
}

// add leaves out what cannot change the order any more.
func (s *Sort) add(c SortCriterion) {
	for _, before := range s.Criteria {
		if before.Key == c.Key {
			return
		}
	}
	s.Criteria = append(s.Criteria, c)
}

// Thread is the arguments of THREAD (RFC 5256 section 3).
type Thread struct {
	Algorithm string // in capital letters, any atom
	Search    Search
}

// ParseThread reads the arguments of THREAD.
func ParseThread(d *Decoder) (Thread, error) {
	var t Thread
	d.SP()
	t.Algorithm = d.atomUpper()
	d.SP()
	t.Search.Charset = d.charset()
	d.SP()
	t.Search.Key = d.searchKeys()
	return t, d.End()
}
