package maildir

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Name is the name of a message's file, taken apart:
//
//	1700000000.M123456P77Q1R0123456789abcdef.mx,S=2048,W=2100:2,FS
//	└────────────────── Base ─────────────────┘└── Fields ───┘└Info┘
//
// Base is the message's identity: it stays while other programs add fields,
// set flags and move the file from new to cur. Base, Fields and Info put
// together are the name again, whatever it was.
type Name struct {
	Base   string
	Fields string // ",S=…,W=…" and others' fields, or empty
	Info   string // ":2," and flags, or another program's, or empty

	Size     int64 // of S=, in bytes as stored; -1 if absent. A hint: never trust it
	WireSize int64 // of W=, in bytes with every line end as CRLF; -1 if absent. A hint
	Flags    Flags
}

// ParseName takes a name apart. It accepts every string: a name that follows no
// rule is all Base.
func ParseName(s string) Name {
	base, _ := split(s)
	return parseBehind(s, base)
}

// parseBehind is ParseName for a name whose Base is known to be base bytes long.
func parseBehind(s string, base int) Name {
	fields := base + len(fieldsOf(s[base:]))
	n := Name{Base: s[:base], Fields: s[base:fields], Info: s[fields:]}
	n.Size, n.WireSize = field(n.Fields, 'S'), field(n.Fields, 'W')
	n.Flags = flagsOf(n.Info)
	return n
}

// fieldsOf is the fields in what follows Base.
func fieldsOf(rest string) string {
	if i := strings.IndexByte(rest, ':'); i >= 0 {
		return rest[:i]
	}
	return rest
}

// String is the name as the directory has it.
func (n Name) String() string { return n.Base + n.Fields + n.Info }

// WithFlags is the same name with these flags instead. Letters that mean
// nothing to us stay, and so does what follows the flags.
func (n Name) WithFlags(f Flags) Name {
	n.Info = infoPrefix + f.merge(n.Info)
	n.Flags = f
	return n
}

// infoPrefix begins the one kind of info whose letters are flags.
const infoPrefix = ":2,"

// split finds the ends of Base and of Fields. The info begins at the first
// colon; the fields begin at the first comma before it that a word and = follow,
// since a comma alone may belong to a foreign program's idea of a unique name.
// Base is never empty.
func split[T string | []byte](s T) (base, fields int) {
	base, fields = len(s), len(s)
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case ':':
			return min(base, i), i
		case ',':
			if base == len(s) && startsField(s[i+1:]) {
				base = i
			}
		}
	}
	return base, fields
}

// BaseOf is the Base in a name.
func BaseOf(name []byte) []byte {
	end := len(name)
	if end > 1 {
		if i := bytes.IndexByte(name[1:], ':'); i >= 0 {
			end = i + 1
		}
	}
	for from := 1; from < end; {
		i := bytes.IndexByte(name[from:end], ',')
		if i < 0 {
			break
		}
		if startsField(name[from+i+1:]) {
			return name[:from+i]
		}
		from += i + 1
	}
	return name[:end]
}

// startsField reports whether s begins with a field's key and =.
func startsField[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '=':
			return i > 0
		case c < '0' || c > 'z' || c > '9' && c < 'A' || c > 'Z' && c < 'a':
			return false
		}
	}
	return false
}

// field is the number that follows the one-letter key, or -1. The first field
// of that key counts.
func field(fields string, key byte) int64 {
	for fields != "" {
		f := fields[1:]
		fields = ""
		if i := strings.IndexByte(f, ','); i >= 0 {
			f, fields = f[:i], f[i:]
		}
		if len(f) < 3 || f[0] != key || f[1] != '=' || !isDigit(f[2]) {
			continue
		}
		// 42 bits: no message is larger, and half a million of them add up.
		if n, err := strconv.ParseInt(f[2:], 10, 42); err == nil {
			return n
		}
		return -1
	}
	return -1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ArrivalTime is the time that a name begins with; false if it begins with none,
// or with one before 1990.
func ArrivalTime(n Name) (time.Time, bool) {
	micros := arrival(n.Base)
	if micros < 631152000e6 || micros > 1<<52 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(micros)), true
}
