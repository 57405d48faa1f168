package imap

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
)

// Range is the numbers First to Last, both included; First is not above Last.
type Range struct{ First, Last uint32 }

// NumSet is a sequence-set (RFC 9051 section 9): a set of sequence numbers or of
// UIDs, which of them says the command it came in. It is kept in its shortest
// form: ranges ascend and neither touch nor overlap. The zero value is empty.
//
// With * it depends on the mailbox what the set holds, so the methods that look
// into it take the largest number in use. A number that is larger is in no mailbox,
// and that 5 was mentioned beside 3:* is not kept.
type NumSet struct {
	ranges []Range
	open   uint32 // there is a range open:*, the lowest of them; 0 if not
	saved  bool
}

// SetOf returns the set of these numbers.
func SetOf(nums ...uint32) NumSet {
	var s NumSet
	for _, n := range nums {
		s.Add(n)
	}
	return s
}

// ParseNumSet reads a sequence-set, without $. It takes linear time for numbers
// that ascend and n log n for others, and 8 bytes of memory a range.
func ParseNumSet[T string | []byte](text T) (s NumSet, ok bool) {
	for i := 0; ; {
		first, n := seqNumber(text[i:])
		if n == 0 {
			return NumSet{}, false
		}
		i += n
		last := first
		if i < len(text) && text[i] == ':' {
			if last, n = seqNumber(text[i+1:]); n == 0 {
				return NumSet{}, false
			}
			i += n + 1
		}
		s.include(first, last)
		if i == len(text) {
			s.normalize()
			return s, true
		}
		if text[i] != ',' {
			return NumSet{}, false
		}
		i++
	}
}

// seqNumber reads a seq-number and returns its length, 0 if there is none. * is 0.
func seqNumber[T string | []byte](text T) (num uint32, n int) {
	if len(text) > 0 && text[0] == '*' {
		return 0, 1
	}
	var v uint64
	for n < len(text) && isDigit(text[n]) {
		if v = v*10 + uint64(text[n]-'0'); v > math.MaxUint32 {
			return 0, 0
		}
		n++
	}
	if v == 0 {
		return 0, 0
	}
	return uint32(v), n
}

// include adds a seq-range as it was written: in either order, 0 for *.
func (s *NumSet) include(first, last uint32) {
	switch {
	case first == 0 && last == 0:
		first = math.MaxUint32 // * alone is the largest number in use, whatever that is
	case first == 0:
		first = last
	case last != 0:
		s.put(Range{min(first, last), max(first, last)})
		return
	}
	if s.open == 0 || first < s.open {
		s.open = first
	}
}

// put appends r, or makes the last range longer if that is all it takes.
func (s *NumSet) put(r Range) {
	if n := len(s.ranges); n > 0 {
		last := &s.ranges[n-1]
		if last.First <= r.First && uint64(r.First) <= uint64(last.Last)+1 {
			last.Last = max(last.Last, r.Last)
			return
		}
	}
	s.ranges = append(s.ranges, r)
}

// normalize makes the shortest form of what has been put.
func (s *NumSet) normalize() {
	byFirst := func(a, b Range) int { return cmp.Compare(a.First, b.First) }
	if !slices.IsSortedFunc(s.ranges, byFirst) {
		slices.SortFunc(s.ranges, byFirst)
		all := s.ranges
		s.ranges = all[:0]
		for _, r := range all {
			s.put(r)
		}
	}
	// A range that reaches open:* is the beginning of it: 3:5,6:* and 3:* are the
	// same, even where 6 is above the last message, since that is in both.
	for n := len(s.ranges); s.open != 0 && n > 0; n-- {
		last := s.ranges[n-1]
		if uint64(last.Last)+1 < uint64(s.open) {
			break
		}
		s.open = min(s.open, last.First)
		s.ranges = s.ranges[:n-1]
	}
}

// Add puts n into the set. It takes constant time if n is above all that the set
// holds, else as much as parsing the set.
func (s *NumSet) Add(n uint32) { s.AddRange(n, n) }

// AddRange puts the numbers first to last into the set, in the time of Add. first
// must not be above last.
func (s *NumSet) AddRange(first, last uint32) {
	sorted := len(s.ranges) == 0 || s.ranges[len(s.ranges)-1].First <= first
	s.put(Range{first, last})
	if !sorted || s.open != 0 {
		s.normalize()
	}
}

// Saved reports whether the set is $, the result of the last SEARCH that saved one
// (RFC 5182): the session puts that in its place.
func (s NumSet) Saved() bool { return s.saved }

// Star reports whether * was in the set.
func (s NumSet) Star() bool { return s.open != 0 }

// Empty reports whether the set is the zero value: it holds nothing in any mailbox.
func (s NumSet) Empty() bool { return len(s.ranges) == 0 && s.open == 0 && !s.saved }

// Highest is the largest number that was named, 0 if that is *. RFC 9051 section 9
// has sequence numbers above the last message answered with BAD.
func (s NumSet) Highest() uint32 {
	if s.open != 0 || len(s.ranges) == 0 {
		return 0
	}
	return s.ranges[len(s.ranges)-1].Last
}

// Contains reports whether n is in the set, in a mailbox whose largest number in
// use is most. It takes logarithmic time.
func (s NumSet) Contains(n, most uint32) bool {
	if n == 0 || n > most {
		return false
	}
	if s.open != 0 && n >= min(s.open, most) {
		return true
	}
	_, found := slices.BinarySearchFunc(s.ranges, n, func(r Range, n uint32) int {
		switch {
		case r.Last < n:
			return -1
		case r.First > n:
			return 1
		}
		return 0
	})
	return found
}

// Ranges is what the set holds in a mailbox whose largest number in use is most,
// 0 for an empty one: ranges that ascend and do not overlap.
func (s NumSet) Ranges(most uint32) iter.Seq[Range] {
	return func(yield func(Range) bool) {
		next := uint32(1) // what is below has been said
		for _, r := range s.ranges {
			if r.First > most {
				break
			}
			r.Last = min(r.Last, most)
			if !yield(r) || r.Last == most {
				return
			}
			next = r.Last + 1
		}
		if s.open != 0 && most != 0 {
			yield(Range{max(next, min(s.open, most)), most})
		}
	}
}

// Count is how many numbers the set holds in such a mailbox.
func (s NumSet) Count(most uint32) int64 {
	var n int64
	for r := range s.Ranges(most) {
		n += int64(r.Last-r.First) + 1
	}
	return n
}

// Equal reports whether two sets are the same in every mailbox.
func (s NumSet) Equal(o NumSet) bool {
	return s.saved == o.saved && s.open == o.open && slices.Equal(s.ranges, o.ranges)
}

// Append appends the set as a sequence-set in its shortest form, "$" if it is that,
// nothing if it is empty.
func (s NumSet) Append(b []byte) []byte {
	if s.saved {
		return append(b, '$')
	}
	for i, r := range s.ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.First), 10)
		if r.Last != r.First {
			b = append(b, ':')
			b = strconv.AppendUint(b, uint64(r.Last), 10)
		}
	}
	if s.open == 0 {
		return b
	}
	if len(s.ranges) > 0 {
		b = append(b, ',')
	}
	if s.open != math.MaxUint32 {
		b = strconv.AppendUint(b, uint64(s.open), 10)
		b = append(b, ':')
	}
	return append(b, '*')
}

// String is the set as Append writes it.
func (s NumSet) String() string { return string(s.Append(nil)) }

// NumSet reads a sequence-set, $ among them.
func (d *Decoder) NumSet() NumSet {
	d.countArg()
	if d.accept('$') {
		return NumSet{saved: true}
	}
	text := d.run(isSet)
	if d.err != nil {
		return NumSet{}
	}
	s, ok := ParseNumSet(text)
	if !ok {
		d.fail("sequence set expected, or number out of range")
	}
	return s
}

// knownSet reads a set of numbers that the client knows: neither * nor $ is one.
func (d *Decoder) knownSet() NumSet {
	s := d.NumSet()
	if s.saved || s.open != 0 {
		d.fail("neither * nor $ is allowed here")
	}
	return s
}
