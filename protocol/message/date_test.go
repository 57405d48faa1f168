package message

import (
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestX08ParseDate(t *testing.T) {
	t.Parallel()
	const none = ""
	for _, tt := range []struct{ name, in, want string }{
		{"RFC 5322 appendix A.1.1", "Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00"},
		{"without the day of the week", "21 Nov 1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00"},
		{"without seconds", "Fri, 21 Nov 1997 09:55 +0530", "1997-11-21T09:55:00+05:30"},
		{"one digit", "Sat, 1 Nov 1997 9:5:6 +0000", "1997-11-01T09:05:06Z"},
		{"RFC 5322 appendix A.5: comments and blanks", "Thu,\r\n\t13\r\n\tFeb\r\n\t1969\r\n\t23:32\r\n\t-0330 (Newfoundland Time)", "1969-02-13T23:32:00-03:30"},
		{"comments anywhere, nested", "(a)Thu(b),(c(d))13 Feb(e)1969 23(f):(g)32 : 00(h)-0330", "1969-02-13T23:32:00-03:30"},
		{"RFC 5322 appendix A.6.2: two digits and a name", "21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"},
		{"RFC 5322 section 4.3: years below 50", "21 Nov 49 09:55:06 UT", "2049-11-21T09:55:06Z"},
		{"RFC 5322 section 4.3: three digits", "21 Nov 103 09:55:06 UT", "2003-11-21T09:55:06Z"},
		{"RFC 5322 section 4.3: EDT", "21 Nov 97 09:55:06 EDT", "1997-11-21T09:55:06-04:00"},
		{"RFC 5322 section 4.3: PST in small letters", "21 nov 97 09:55:06 pst", "1997-11-21T09:55:06-08:00"},
		{"RFC 5322 section 4.3: military letters mean nothing", "21 Nov 97 09:55:06 Z", "1997-11-21T09:55:06Z"},
		{"nor do other names", "21 Nov 97 09:55:06 CEST", "1997-11-21T09:55:06Z"},
		{"long words", "Friday, 21 November 1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00"},
		{"hyphens", "21-Nov-1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00"},
		{"a zone of hours", "Fri, 21 Nov 1997 09:55:06 +01", "1997-11-21T09:55:06+01:00"},
		{"no zone", "Fri, 21 Nov 1997 09:55:06", "1997-11-21T09:55:06Z"},
		{"text behind the zone", "Fri, 21 Nov 1997 09:55:06 +0100 x", "1997-11-21T09:55:06+01:00"},
		{"a wrong day of the week", "Mon, 21 Nov 1997 09:55:06 +0100", "1997-11-21T09:55:06+01:00"},
		{"RFC 5322 section 3.3: a leap second", "31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00Z"},
		{"a day of leap years", "29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00Z"},
		{"nothing", "", none},
		{"no date", "yesterday", none},
		{"no month", "21 11 1997 09:55:06 +0000", none},
		{"no time", "21 Nov 1997", none},
		{"half a time", "21 Nov 1997 09", none},
		{"no year", "21 Nov 09:55:06 +0000", none},
		{"the 29th of February in other years", "29 Feb 1900 00:00:00 +0000", none},
		{"day 0", "0 Feb 1999 00:00:00 +0000", none},
		{"the 31st of April", "31 Apr 1999 00:00:00 +0000", none},
		{"hour 24", "1 Apr 1999 24:00:00 +0000", none},
		{"minute 60", "1 Apr 1999 23:60:00 +0000", none},
		{"year 0", "1 Apr 0000 00:00:00 +0000", none},
		{"year 10000", "1 Apr 10000 00:00:00 +0000", none},
		{"year 10^9", "1 Apr 1000000000 00:00:00 +0000", none},
		{"zone +9999", "1 Apr 1999 00:00:00 +9999", none},
		{"zone +2400", "1 Apr 1999 00:00:00 +2400", none},
		{"a zone of three digits", "1 Apr 1999 00:00:00 +100", none},
		{"comments without end", strings.Repeat("(", 1<<20), none},
		{"1 MB of digits", strings.Repeat("1", 1<<20), none},
		{"1 MB of letters", strings.Repeat("a", 1<<20), none},
		{"1 MB of comments", strings.Repeat("(a)", 1<<18) + "21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseDate([]byte(tt.in))
			if tt.want == none {
				if err != ErrDate {
					t.Errorf("%v, %v, want no date", got, err)
				}
			} else if err != nil || got.Format(time.RFC3339) != tt.want {
				t.Errorf("%s, %v, want %s", got.Format(time.RFC3339), err, tt.want)
			}
		})
	}
}

// numericZone is where the judge is no more lenient than we are.
var numericZone = regexp.MustCompile(`[+-]\d{4}$`)

// FuzzDate holds that a date which net/mail reads is read alike, and that a date
// read is one that can be written and read again.
func FuzzDate(f *testing.F) {
	f.Add("Fri, 21 Nov 1997 09:55:06 -0600 (x)")
	f.Add("21 Nov 97 09:55 GMT")
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 200 {
			return
		}
		got, err := ParseDate([]byte(in))
		if err == nil {
			again, err := ParseDate([]byte(got.Format("Mon, 02 Jan 2006 15:04:05 -0700")))
			if got.Year() > 0 && got.Year() < 10_000 && (err != nil || !again.Equal(got)) {
				t.Fatalf("%q: %v, again %v, %v", in, got, again, err)
			}
		}
		judge, theirs := mail.ParseDate(in)
		_, seconds := judge.Zone()
		if theirs == nil && judge.Year() >= 1000 && -86400 < seconds && seconds < 86400 && numericZone.MatchString(in) {
			if err != nil || !got.Equal(judge) {
				t.Fatalf("%q: %v, %v; net/mail: %v", in, got, err, judge)
			}
		}
	})
}
