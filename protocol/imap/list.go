package imap

// ListOption is a set of selection options or of return options of LIST.
type ListOption uint8

// The options (RFC 5258 section 3, RFC 6154 section 2, RFC 5819).
const (
	ListSubscribed     ListOption = 1 << iota // SUBSCRIBED
	ListRemote                                // REMOTE, selection only
	ListRecursiveMatch                        // RECURSIVEMATCH, selection only
	ListSpecialUse                            // SPECIAL-USE
	ListChildren                              // CHILDREN, return only
	ListStatus                                // STATUS (...), return only
)

type listOption struct {
	name string
	opt  ListOption
}

var selectionOptions = []listOption{
	{"SUBSCRIBED", ListSubscribed}, {"REMOTE", ListRemote}, {"RECURSIVEMATCH", ListRecursiveMatch},
	{"SPECIAL-USE", ListSpecialUse},
}

var returnOptions = []listOption{
	{"SUBSCRIBED", ListSubscribed}, {"CHILDREN", ListChildren}, {"SPECIAL-USE", ListSpecialUse},
	{"STATUS", ListStatus},
}

// List is the arguments of LIST and LSUB.
type List struct {
	// Extended says that there were options or more than one pattern: an empty
	// pattern then has no special meaning (RFC 5258 section 3).
	Extended  bool
	Select    ListOption
	Reference string   // in UTF-8
	Patterns  []string // in UTF-8, see NewPattern
	Return    ListOption
	Status    StatusAtt // of ListStatus
}

// ParseList reads the arguments of LIST, the extended ones included.
func ParseList(d *Decoder) (List, error) {
	var l List
	d.SP()
	if d.peek() == '(' {
		l.Extended = true
		d.listOrNothing(func() { l.Select |= d.listOption(selectionOptions) })
		d.SP()
	}
	// RFC 5258 section 3.1: RECURSIVEMATCH must come with an option that selects.
	if l.Select&ListRecursiveMatch != 0 && l.Select&(ListSubscribed|ListSpecialUse) == 0 {
		d.fail("RECURSIVEMATCH needs another selection option")
	}
	l.Reference = d.listText(d.AString())
	d.SP()
	if d.peek() == '(' {
		l.Extended = true
		d.list(func() { l.Patterns = append(l.Patterns, d.listMailbox()) })
	} else {
		l.Patterns = append(l.Patterns, d.listMailbox())
	}
	if d.acceptWord(" RETURN ") {
		l.Extended = true
		d.listOrNothing(func() { l.returnOption(d) })
	}
	return l, d.End()
}

// ParseLSub reads the arguments of LSUB (RFC 3501 section 6.3.9).
func ParseLSub(d *Decoder) (List, error) {
	l := List{Select: ListSubscribed}
	d.SP()
	l.Reference = d.listText(d.AString())
	d.SP()
	l.Patterns = []string{d.listMailbox()}
	return l, d.End()
}

func (l *List) returnOption(d *Decoder) {
	opt := d.listOption(returnOptions)
	l.Return |= opt
	if opt == ListStatus {
		d.SP()
		l.Status |= d.statusAtts()
	}
}

// listOption reads an option. RFC 5258 section 3: one that is not known is an error.
func (d *Decoder) listOption(known []listOption) ListOption {
	word := d.word("option")
	for _, o := range known {
		if equalFold(word, o.name) {
			return o.opt
		}
	}
	d.fail("unknown option")
	return 0
}

// listMailbox reads a list-mailbox: a mailbox name with wildcards.
func (d *Decoder) listMailbox() string {
	if classes[d.peek()]&isList == 0 {
		return d.listText(d.String())
	}
	d.countArg()
	return d.listText(string(d.run(isList)))
}

// maxListText is the longest pattern or reference, in bytes. A name on disk has 255;
// the rest is for what modified UTF-7 makes of it.
const maxListText = 1000

// listText decodes a part of a pattern: a mailbox name, but for INBOX, which only
// the whole pattern can be.
func (d *Decoder) listText(text string) string {
	if len(text) > maxListText {
		d.failCode(CodeLimit, "pattern too long")
		return ""
	}
	name, ok := decodeName(text, d.UTF8)
	if !ok {
		d.fail("not a mailbox pattern")
	}
	return name
}
