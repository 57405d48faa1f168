package imap

// Flag is a flag of a message: a system flag or a keyword (RFC 9051 section 2.3.2).
type Flag string

// The system flags, in the spelling of the RFC.
const (
	FlagSeen     Flag = `\Seen`
	FlagAnswered Flag = `\Answered`
	FlagFlagged  Flag = `\Flagged`
	FlagDeleted  Flag = `\Deleted`
	FlagDraft    Flag = `\Draft`
	FlagRecent   Flag = `\Recent` // rev1; no client can set it
	FlagAny      Flag = `\*`      // PERMANENTFLAGS only: new keywords can be made
)

// settable are the system flags that a client can set.
var settable = [...]Flag{FlagSeen, FlagAnswered, FlagFlagged, FlagDeleted, FlagDraft}

// IsSystem reports whether f begins with a backslash.
func (f Flag) IsSystem() bool { return len(f) > 0 && f[0] == '\\' }

// foldFlag compares two flags; RFC 9051 section 2.3.2 ignores case for both kinds.
func foldFlag[T string | []byte](word T, f Flag) bool {
	if len(word) != len(f) {
		return false
	}
	for i := range len(f) {
		if upper(word[i]) != upper(f[i]) {
			return false
		}
	}
	return true
}

// Is reports whether f and g are the same flag, whatever their case.
func (f Flag) Is(g Flag) bool { return foldFlag(string(f), g) }

// Flag reads a flag. A system flag comes in the spelling of its constant, a keyword
// as it was sent. \Recent and system flags that no RFC knows are errors.
func (d *Decoder) Flag() Flag {
	d.countArg()
	if !d.accept('\\') {
		w := d.run(isAtom)
		if len(w) == 0 {
			d.fail("flag expected")
		}
		return Flag(w)
	}
	name := d.run(isAtom)
	for _, f := range settable {
		if foldFlag(name, f[1:]) {
			return f
		}
	}
	d.fail("no such system flag, or it cannot be set")
	return ""
}

// flagList reads a flag-list, which may be empty.
func (d *Decoder) flagList() []Flag {
	flags := []Flag{}
	d.listOrNothing(func() { flags = append(flags, d.Flag()) })
	return flags
}

// AppendFlags appends a flag-list.
func AppendFlags(b []byte, flags []Flag) []byte {
	b = append(b, '(')
	for i, f := range flags {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, f...)
	}
	return append(b, ')')
}
