package maildir

import (
	"math/bits"
	"strings"
)

// Flags is the set of letters after ":2," in a name: the six of Maildir, which
// are capital letters, and up to 26 keywords, which Dovecot's dovecot-keywords
// maps to the letters a to z.
type Flags uint32

// The flags of Maildir, in the order of their letters.
const (
	Draft   Flags = 1 << iota // D
	Flagged                   // F
	Passed                    // P: resent, forwarded or bounced
	Replied                   // R
	Seen                      // S
	Trashed                   // T
)

// letters are the letters of the bits, from the lowest: ASCII order, in which
// they must stand in a name.
const letters = "DFPRSTabcdefghijklmnopqrstuvwxyz"

// Keyword is the flag of keyword n, 0 to 25.
func Keyword(n int) Flags { return Trashed << (n + 1) }

// ParseFlags is the set of those letters of s that are flags.
func ParseFlags(s string) Flags {
	var f Flags
	for i := 0; i < len(s); i++ {
		f |= letterFlag[s[i]]
	}
	return f
}

// String is the letters in ASCII order.
func (f Flags) String() string {
	var b [len(letters)]byte
	n := 0
	for ; f != 0; f &= f - 1 {
		b[n] = letters[bits.TrailingZeros32(uint32(f))]
		n++
	}
	return string(b[:n])
}

var letterFlag = func() (t [256]Flags) {
	for i := range letters {
		t[letters[i]] = 1 << i
	}
	return t
}()

// flagsOf is the flags of an info: the letters between ":2," and the next
// comma.
func flagsOf(info string) Flags {
	letters, _ := cutInfo(info)
	return ParseFlags(letters)
}

// cutInfo takes an info apart: the letters, and what another program put behind
// them with a comma. Both are empty for an info of another kind than "2".
func cutInfo(info string) (letters, rest string) {
	s, ok := strings.CutPrefix(info, infoPrefix)
	if !ok {
		return "", ""
	}
	if i := strings.IndexByte(s, ','); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// merge is the letters of f, and of info those letters that are no flags of
// ours, with what followed them. Letters of ASCII are put in order; bytes
// beyond it may be parts of one character and stay together at the end.
func (f Flags) merge(info string) string {
	old, rest := cutInfo(info)
	var seen [128]bool
	for _, c := range []byte(f.String()) {
		seen[c] = true
	}
	var foreign []byte
	for _, c := range []byte(old) {
		switch {
		case c >= 128:
			foreign = append(foreign, c)
		case letterFlag[c] == 0:
			seen[c] = true
		}
	}
	var b strings.Builder
	for c, is := range seen {
		if is {
			b.WriteByte(byte(c))
		}
	}
	b.Write(foreign)
	b.WriteString(rest)
	return b.String()
}
