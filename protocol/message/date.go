package message

import (
	"errors"
	"time"
)

// ErrDate is a Date field without a date in it. SORT and THREAD then take the
// internal date (RFC 5256 section 2.2).
var ErrDate = errors.New("no date of RFC 5322")

// ParseDate reads the value of a Date field (RFC 5322 section 3.3 and 4.3), with
// comments and blanks anywhere, with or without the day of the week (which is
// not checked), the seconds and the zone (then it is UTC). Zones are numbers or
// the names of RFC 5322; of those that are only letters the meaning is not known,
// so they count as UTC. Years of two and three digits are read as section 4.3
// says. What stands behind the zone does not matter.
//
// The time has the zone that was sent, so its clock is the sender's. The year is
// 1 to 9999, the zone less than a day. The error is ErrDate.
func ParseDate(value []byte) (time.Time, error) {
	d := dateLexer{lexer{s: value}}
	if _, ok := d.word(weekdays[:]); ok {
		d.skip(',')
	}
	day, _, ok := d.number()
	if !ok {
		return time.Time{}, ErrDate
	}
	d.skip('-')
	month, ok := d.word(months[:])
	if !ok {
		return time.Time{}, ErrDate
	}
	d.skip('-')
	year, digits, ok := d.number()
	if !ok || digits > 4 {
		return time.Time{}, ErrDate
	}
	clock, ok := d.clock()
	if !ok {
		return time.Time{}, ErrDate
	}
	zone, ok := d.zone()
	if !ok {
		return time.Time{}, ErrDate
	}
	return makeDate(fullYear(year, digits), month+1, day, clock, zone)
}

var (
	weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	months   = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

// zones are those that RFC 5322 section 4.3 gives a meaning, in hours.
var zones = map[string]int{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}

// fullYear is the year meant (RFC 5322 section 4.3).
func fullYear(year, digits int) int {
	switch {
	case digits <= 2 && year < 50:
		return year + 2000
	case digits <= 3:
		return year + 1900
	}
	return year
}

// makeDate refuses what the calendar does not have. A leap second is the one
// after.
func makeDate(year, month, day int, clock time.Duration, zone int) (time.Time, error) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.FixedZone("", zone))
	if year < 1 || t.Day() != day || int(t.Month()) != month {
		return time.Time{}, ErrDate
	}
	return t.Add(clock), nil
}

type dateLexer struct{ lexer }

func (d *dateLexer) skip(c byte) {
	d.skipBlanks()
	d.take(c)
}

// number reads decimal digits. More than nine are none.
func (d *dateLexer) number() (n, digits int, ok bool) {
	d.skipBlanks()
	for ; !d.done() && '0' <= d.s[d.i] && d.s[d.i] <= '9'; d.i++ {
		if digits++; digits > 9 {
			return 0, 0, false
		}
		n = 10*n + int(d.s[d.i]-'0')
	}
	return n, digits, digits > 0
}

// letters reads a word of ASCII letters, in lower case, as far as it fits.
func (d *dateLexer) letters() (word [9]byte, n int) {
	d.skipBlanks()
	for ; !d.done(); d.i++ {
		c := d.s[d.i] | 0x20
		if c < 'a' || c > 'z' {
			return word, n
		}
		if n < len(word) {
			word[n] = c
			n++
		}
	}
	return word, n
}

// word reads one of these words, or a longer one that begins like it: "Sept",
// "Monday". Without one nothing is read.
func (d *dateLexer) word(list []string) (index int, ok bool) {
	start := d.i
	word, n := d.letters()
	for i, w := range list {
		if n >= 3 && string(word[:3]) == w {
			return i, true
		}
	}
	d.i = start
	return 0, false
}

// clock reads hh:mm or hh:mm:ss as the time since midnight.
func (d *dateLexer) clock() (time.Duration, bool) {
	hour, _, ok := d.number()
	if d.skipBlanks(); !ok || !d.take(':') {
		return 0, false
	}
	minute, _, ok := d.number()
	second := 0
	if d.skipBlanks(); ok && d.take(':') {
		second, _, ok = d.number()
	}
	if !ok || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second, true
}

// zone reads a time zone, in seconds east of UTC.
func (d *dateLexer) zone() (seconds int, ok bool) {
	d.skipBlanks()
	if d.done() {
		return 0, true
	}
	if sign := d.s[d.i]; sign == '+' || sign == '-' {
		d.i++
		n, digits, ok := d.number()
		if digits == 2 {
			n, digits = n*100, 4 // QUIRK: some send the hours alone
		}
		if !ok || digits != 4 || n/100 > 23 || n%100 > 59 {
			return 0, false
		}
		seconds = (n/100*60 + n%100) * 60
		if sign == '-' {
			seconds = -seconds
		}
		return seconds, true
	}
	word, n := d.letters()
	return zones[string(word[:n])] * 3600, true
}
