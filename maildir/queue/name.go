package queue

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// maxDomain is how long a domain may be, in bytes, to stand in a file name as
// it is; a name has 255 for everything.
const maxDomain = 64

// maxID bounds an entry's ID, in bytes, so that the fields always fit, and a
// Maildir takes the name of a message that is made of it.
const maxID = 140

// Where an entry lies.
const (
	InNew = iota
	InCur
)

// Entry is one name in the queue: a message for one recipient, or for all of
// them as long as R is 0.
//
// The name is
//
//	ID[,R=n],D=domain,T=unixtime,A=tries[,N=d]:2,FLAGS
//
// for example
//
//	1767323045.M523P77Q1R9f3c2a.mx,R=2,D=example.net,T=1767323445,A=1:2,S
//
// R is the recipient's number, absent until the entry has been expanded; D its
// domain as A-label, or # and a hash where that is long or strange; T the time
// of the next attempt; A the attempts so far; N=d says that the sender has been
// told of the delay. Fields come in this order. ":2," and flags are missing in
// new. F is held and T is cancelled; all other flags are a mail reader's and
// are kept.
type Entry struct {
	ID        string
	R         int
	Domain    string
	Next      time.Time // whole seconds
	Tries     int
	DelaySent bool
	Held      bool
	Cancelled bool

	where int    // InNew or InCur
	name  string // the file name as found
	flags string // what stands behind ":2,"
}

// Name is the entry's file name as it was found.
func (e *Entry) Name() string { return e.name }

// Fresh reports whether the entry lies in new.
func (e *Entry) Fresh() bool { return e.where == InNew }

// Number is the recipient's number, from 1. Until an entry is expanded that is
// the first's.
func (e *Entry) Number() int { return max(e.R, 1) }

// appendFields is the name up to the colon.
func (e *Entry) appendFields(b []byte) []byte {
	b = append(b, e.ID...)
	if e.R > 0 {
		b = append(b, ",R="...)
		b = strconv.AppendInt(b, int64(e.R), 10)
	}
	b = append(b, ",D="...)
	b = append(b, e.Domain...)
	b = append(b, ",T="...)
	b = strconv.AppendInt(b, e.Next.Unix(), 10)
	b = append(b, ",A="...)
	b = strconv.AppendInt(b, int64(e.Tries), 10)
	if e.DelaySent {
		b = append(b, ",N=d"...)
	}
	return b
}

// fresh is the entry with its name in new.
func fresh(e Entry) Entry {
	e.where = InNew
	e.name = string(e.appendFields(make([]byte, 0, 128)))
	e.Next = time.Unix(e.Next.Unix(), 0)
	return e
}

// curName is the name in cur with these flags.
func (e *Entry) curName(flags string) string {
	b := e.appendFields(make([]byte, 0, 128))
	b = append(b, ":2,"...)
	return string(append(b, flags...))
}

// ParseName reads the name of a file in new or cur. ok is false for a name that
// is not an entry's.
func ParseName(name string, where int) (e Entry, ok bool) {
	if len(name) > 255 {
		return e, false
	}
	e.name, e.where = name, where
	fields, info, hasInfo := strings.Cut(name, ":")
	if hasInfo {
		if e.flags, ok = strings.CutPrefix(info, "2,"); !ok || strings.ContainsAny(e.flags, "/") {
			return e, false
		}
	}
	e.Held = strings.Contains(e.flags, "F")
	e.Cancelled = strings.Contains(e.flags, "T")
	var rest string
	e.ID, rest, _ = strings.Cut(fields, ",")
	return e, validID(e.ID) && e.parseFields(rest)
}

func (e *Entry) parseFields(s string) bool {
	var t, a int64
	var ok bool
	if r, ok := strings.CutPrefix(s, "R="); ok {
		var n int64
		if n, s, ok = number(r); !ok || n < 1 || n > MaxRecipients {
			return false
		}
		e.R = int(n)
	}
	if s, ok = strings.CutPrefix(s, "D="); !ok {
		return false
	}
	if e.Domain, s, ok = strings.Cut(s, ","); !ok || e.Domain == "" {
		return false
	}
	if s, ok = strings.CutPrefix(s, "T="); !ok {
		return false
	}
	if t, s, ok = number(s); !ok {
		return false
	}
	if s, ok = strings.CutPrefix(s, "A="); !ok {
		return false
	}
	if a, s, ok = number(s); !ok || a > 1<<30 {
		return false
	}
	e.Next, e.Tries, e.DelaySent = time.Unix(t, 0), int(a), s == "N=d"
	return s == "" || e.DelaySent
}

// number reads decimal digits up to the end, or to a comma and what follows it.
// No leading zero, so that a number has one spelling.
func number(s string) (n int64, rest string, ok bool) {
	digits, rest, more := strings.Cut(s, ",")
	if digits == "" || len(digits) > 12 || len(digits) > 1 && digits[0] == '0' || more && rest == "" {
		return 0, "", false
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, "", false
		}
		n = n*10 + int64(digits[i]-'0')
	}
	return n, rest, true
}

// validID holds for what can stand before the first comma and in a Maildir name.
func validID(id string) bool {
	if id == "" || len(id) > maxID || id[0] == '.' {
		return false
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == ',' || c == ':' || c == '/' {
			return false
		}
	}
	return true
}

// domainField is the D of an address: what follows its last @, or a hash.
func domainField(address string) string {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	if plainDomain(domain) {
		return domain
	}
	h := fnv.New64a()
	h.Write([]byte(domain))
	return "#" + strconv.FormatUint(h.Sum64(), 16)
}

func plainDomain(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
