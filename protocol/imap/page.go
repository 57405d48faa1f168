package imap

import (
	"math"
	"strconv"
)

// Page is a partial-range (RFC 9394 section 4): which of the results in ascending
// order are wanted. Both ends are counted from the first result, 1, or, if they are
// negative, from the last, -1. First is never farther from that end of the results
// than Last: 5:10, -5:-10. The zero value is no page.
type Page struct{ First, Last int64 }

// page reads a partial-range.
func (d *Decoder) page() Page {
	p := Page{First: d.fromEnd()}
	d.expect(':', ": expected")
	p.Last = d.fromEnd()
	if d.err != nil {
		return Page{}
	}
	if (p.First < 0) != (p.Last < 0) {
		d.fail("both ends of a range must be counted from the same end")
		return Page{}
	}
	if abs(p.First) > abs(p.Last) {
		p.First, p.Last = p.Last, p.First
	}
	return p
}

// fromEnd reads an nz-number with or without a minus. As RFC 9394 has it, it is not
// above 2^32-1.
func (d *Decoder) fromEnd() int64 {
	if d.accept('-') {
		return -d.digits(1, math.MaxUint32)
	}
	return d.digits(1, math.MaxUint32)
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// Of returns which of total results are on the page, as a half-open range of their
// indices; both are total if there are none.
func (p Page) Of(total int64) (from, to int64) {
	first, last := p.First-1, p.Last
	if p.First < 0 {
		first, last = total+p.Last, total+p.First+1
	}
	from, to = max(first, 0), min(last, total)
	if from >= to {
		return total, total
	}
	return from, to
}

// Append appends the partial-range.
func (p Page) Append(b []byte) []byte {
	b = append(strconv.AppendInt(b, p.First, 10), ':')
	return strconv.AppendInt(b, p.Last, 10)
}
