package imap

// ParseMailbox reads the one argument of DELETE, SUBSCRIBE, UNSUBSCRIBE and
// GETQUOTAROOT: the name of a mailbox.
func ParseMailbox(d *Decoder) (string, error) {
	d.SP()
	name := d.Mailbox()
	return name, d.End()
}

// ParseRename reads the arguments of RENAME.
func ParseRename(d *Decoder) (from, to string, err error) {
	d.SP()
	from = d.Mailbox()
	d.SP()
	to = d.Mailbox()
	return from, to, d.End()
}

// Create is the arguments of CREATE.
type Create struct {
	Mailbox string
	Use     []string // of USE (RFC 6154 section 3), as `\Sent`; any name
}

// ParseCreate reads the arguments of CREATE.
func ParseCreate(d *Decoder) (Create, error) {
	var c Create
	d.SP()
	c.Mailbox = d.Mailbox()
	if d.More() {
		d.list(func() { c.param(d) })
	}
	return c, d.End()
}

func (c *Create) param(d *Decoder) {
	if !equalFold(d.word("parameter"), "USE") || c.Use != nil {
		d.fail("unknown parameter, or one too many")
	}
	d.SP()
	c.Use = []string{}
	d.listOrNothing(func() {
		d.expect('\\', `\ expected`)
		c.Use = append(c.Use, `\`+d.Atom())
	})
}

// Copy is the arguments of COPY and MOVE.
type Copy struct {
	Set     NumSet
	Mailbox string
}

// ParseCopy reads the arguments of COPY or MOVE.
func ParseCopy(d *Decoder) (Copy, error) {
	var c Copy
	d.SP()
	c.Set = d.NumSet()
	d.SP()
	c.Mailbox = d.Mailbox()
	return c, d.End()
}

// ParseSet reads the one argument of UID EXPUNGE.
func ParseSet(d *Decoder) (NumSet, error) {
	d.SP()
	s := d.NumSet()
	return s, d.End()
}
