package imap

import "bytes"

// StoreMode is what STORE does with the flags.
type StoreMode uint8

// What STORE can do.
const (
	StoreReplace StoreMode = iota // FLAGS
	StoreAdd                      // +FLAGS
	StoreRemove                   // -FLAGS
)

// Store is the arguments of STORE and UID STORE.
type Store struct {
	Set    NumSet
	Mode   StoreMode
	Silent bool // .SILENT: no untagged FETCH for the client's own change
	Flags  []Flag
	// UnchangedSince is UNCHANGEDSINCE (RFC 7162 section 3.1.3); it counts only
	// if Conditional is set, and 0 then means that no message qualifies.
	UnchangedSince int64
	Conditional    bool
}

// ParseStore reads the arguments of STORE.
func ParseStore(d *Decoder) (Store, error) {
	var s Store
	d.SP()
	s.Set = d.NumSet()
	d.SP()
	if d.peek() == '(' {
		d.list(func() { s.modifier(d) })
		d.SP()
	}
	s.item(d)
	d.SP()
	if d.peek() == '(' {
		s.Flags = d.flagList()
		return s, d.End()
	}
	s.Flags = append(s.Flags, d.Flag())
	for d.More() {
		s.Flags = append(s.Flags, d.Flag())
	}
	return s, d.End()
}

func (s *Store) modifier(d *Decoder) {
	if !equalFold(d.word("modifier"), "UNCHANGEDSINCE") || s.Conditional {
		d.fail("unknown modifier, or one too many")
	}
	d.SP()
	s.UnchangedSince, s.Conditional = d.Number64(), true
}

// item reads what comes before the flags.
func (s *Store) item(d *Decoder) {
	switch {
	case d.accept('+'):
		s.Mode = StoreAdd
	case d.accept('-'):
		s.Mode = StoreRemove
	}
	word := d.word("data item")
	name, suffix, dot := bytes.Cut(word, []byte{'.'})
	s.Silent = dot && equalFold(suffix, "SILENT")
	if !equalFold(name, "FLAGS") || dot != s.Silent {
		d.fail("FLAGS or FLAGS.SILENT expected")
	}
}
