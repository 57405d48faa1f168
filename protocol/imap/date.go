package imap

import (
	"cmp"
	"time"
)

// Date is a day without a time zone, as SEARCH compares them.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// DateOf is the day of t in its own time zone.
func DateOf(t time.Time) Date {
	y, m, day := t.Date()
	return Date{y, m, day}
}

// Compare is -1, 0 or 1 as d is before, on or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

func (d Date) valid() bool {
	return d.Year > 0 && d.Day > 0 && DateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)) == d
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// parseDate reads a date-text, "1-Jan-2026" or "01-Jan-2026"; fixed wants the day in
// two characters, of which the first may be a space (date-day-fixed).
func parseDate[T string | []byte](s T, fixed bool) (d Date, ok bool) {
	day := 2
	if len(s) > 1 && s[1] == '-' && !fixed {
		day = 1
	}
	if len(s) != day+len("-Jan-2026") || s[day] != '-' || s[day+4] != '-' {
		return Date{}, false
	}
	first := 0
	if fixed && s[0] == ' ' {
		first = 1
	}
	n, okDay := number([]byte(s[first:day]), 31)
	y, okYear := number([]byte(s[day+5:]), 9999)
	d = Date{Year: int(y), Month: monthOf(s[day+1 : day+4]), Day: int(n)}
	return d, okDay && okYear && d.Month != 0 && d.valid()
}

// monthOf is 0 for what is no month.
func monthOf[T string | []byte](name T) time.Month {
	for m := range 12 {
		for i := 0; upper(name[i]) == upper(months[3*m+i]); {
			if i++; i == 3 {
				return time.Month(m + 1)
			}
		}
	}
	return 0
}

// ParseDateTime reads a date-time without its quotes (RFC 9051 section 9):
// "01-Jan-2026 12:00:00 +0000", the day also with a space before its one digit.
func ParseDateTime[T string | []byte](s T) (t time.Time, ok bool) {
	const date, clock = len("01-Jan-2026"), len("01-Jan-2026 12:00:00")
	if len(s) != clock+len(" +0000") || s[date] != ' ' || s[clock] != ' ' || s[date+3] != ':' || s[date+6] != ':' {
		return time.Time{}, false
	}
	d, okDate := parseDate(s[:date], true)
	hour, ok1 := twoDigits(s[date+1:], 23)
	minute, ok2 := twoDigits(s[date+4:], 59)
	second, ok3 := twoDigits(s[date+7:], 60) // a leap second
	east, ok4 := twoDigits(s[clock+2:], 23)
	eastMin, ok5 := twoDigits(s[clock+4:], 59)
	if !okDate || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return time.Time{}, false
	}
	offset := (east*60 + eastMin) * 60
	switch s[clock+1] {
	case '-':
		offset = -offset
	case '+':
	default:
		return time.Time{}, false
	}
	zone := time.UTC
	if offset != 0 {
		zone = time.FixedZone("", offset)
	}
	return time.Date(d.Year, d.Month, d.Day, hour, minute, second, 0, zone), true
}

func twoDigits[T string | []byte](s T, limit int) (int, bool) {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	n := int(s[0]-'0')*10 + int(s[1]-'0')
	return n, n <= limit
}

// AppendDateTime appends t as a date-time in quotes, in its own time zone. Years
// outside of 1 to 9999 have no such form: the nearest that has one is written.
func AppendDateTime(b []byte, t time.Time) []byte {
	switch y := t.Year(); {
	case y < 1:
		t = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	case y > 9999:
		t = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t.AppendFormat(b, `"02-Jan-2006 15:04:05 -0700"`)
}

// Date reads a date, with or without quotes.
func (d *Decoder) Date() Date {
	d.countArg()
	quoted := d.accept('"')
	date, ok := parseDate(d.run(isLabel), false)
	if quoted {
		d.expect('"', "date without its closing quote")
	}
	if !ok {
		d.fail("date expected, as 1-Jan-2026")
	}
	return date
}

// DateTime reads a date-time.
func (d *Decoder) DateTime() time.Time {
	d.countArg()
	if d.peek() != '"' {
		d.fail("date and time expected")
		return time.Time{}
	}
	t, ok := ParseDateTime(d.quoted())
	if !ok {
		d.fail(`date and time expected, as "01-Jan-2026 12:00:00 +0000"`)
	}
	return t
}
