package server

import (
	"errors"
	"io/fs"
	"strings"

	"rohrpost/maildir/subscription"
	"rohrpost/protocol/imap"
)

// list is LIST (RFC 9051 section 6.3.9).
func (s *Session) list(imap.Command) (reply, error) {
	args, err := imap.ParseList(s.d)
	if err != nil {
		return reply{}, err
	}
	// RFC 9051 section 6.3.9.1; RFC 6154 section 6: SPECIAL-USE is independent of it.
	if args.Select&imap.ListRecursiveMatch != 0 && args.Select&imap.ListSubscribed == 0 {
		return bad("RECURSIVEMATCH needs SUBSCRIBED"), nil
	}
	if args.Status&unknownStatus != 0 {
		return bad("unknown status data item"), nil
	}
	if !args.Extended && args.Patterns[0] == "" {
		s.w.List("LIST", imap.MailboxList{Attributes: []string{noSelect}, Separator: separator})
		return ok("that is the separator"), nil
	}
	return s.tellMailboxes(&listing{s: s, args: args, name: "LIST"})
}

// lsub is LSUB (RFC 3501 section 6.3.9).
func (s *Session) lsub(imap.Command) (reply, error) {
	args, err := imap.ParseLSub(s.d)
	if err != nil {
		return reply{}, err
	}
	return s.tellMailboxes(&listing{s: s, args: args, name: "LSUB"})
}

// tellList writes the LIST response of SELECT (RFC 9051 section 6.3.2): the mailbox
// exists, and nothing else is found out for it.
func (s *Session) tellList(name string) {
	s.w.List("LIST", imap.MailboxList{Separator: separator, Mailbox: name})
}

// Attributes of names (RFC 9051 section 7.3.1).
const (
	noSelect      = `\Noselect`
	nonExistent   = `\NonExistent`
	subscribed    = `\Subscribed`
	hasChildren   = `\HasChildren`
	hasNoChildren = `\HasNoChildren`
)

// listing is a LIST or LSUB at work.
type listing struct {
	s        *Session
	args     imap.List
	name     string // of the command and its responses
	patterns []listPattern
	names    hierarchy
	uses     specialUses
	scratch  []string // attributes of one name
}

// listPattern is a pattern. One that ends in % also matches levels of the hierarchy
// that are no mailboxes (RFC 9051 section 6.3.9).
type listPattern struct {
	*imap.Pattern
	wild   int // bytes at most that Match has to try at each byte of a name
	levels bool
}

// tellMailboxes answers LIST or LSUB.
func (s *Session) tellMailboxes(l *listing) (reply, error) {
	// RFC 9051 section 6.3.9.1: without remote mailboxes, REMOTE means nothing.
	l.args.Select &^= imap.ListRemote
	l.compile()
	if err := l.read(); err != nil {
		return s.failed(l.name, err), nil
	}
	if l.work() > maxListWork {
		return no(imap.CodeLimit, "too many wildcards for so many mailboxes"), nil
	}
	for i := range l.names {
		l.names[i].matched = l.matches(l.names[i].name, false)
	}
	for i := range l.names {
		for name := range l.names.missing(i) {
			l.visit(&entry{name: name, matched: l.matches(name, false)}, i)
		}
		l.visit(&l.names[i], i+1)
	}
	return ok("that is all"), nil
}

// compile makes the patterns. RFC 9051 section 6.3.9: with the extended syntax, empty
// names are ignored.
func (l *listing) compile() {
	for _, text := range l.args.Patterns {
		if text == "" {
			continue
		}
		p := listPattern{Pattern: imap.NewPattern(l.args.Reference, text, separator), levels: strings.HasSuffix(text, "%")}
		if all := l.args.Reference + text; strings.ContainsAny(all, "*%") {
			p.wild = len(all)
		}
		l.patterns = append(l.patterns, p)
	}
}

// read gathers the names. Mailboxes are not opened.
func (l *listing) read() error {
	mailboxes, err := l.s.Inbox.Folders()
	if err != nil {
		return err
	}
	var subscriptions []string
	if (l.args.Select|l.args.Return)&imap.ListSubscribed != 0 {
		if subscriptions, err = subscription.Read(l.s.Inbox); err != nil {
			return err
		}
	}
	l.names = newHierarchy(append(mailboxes, imap.Inbox), subscriptions)
	l.uses = l.s.specialUses(l.names.has)
	return nil
}

// maxListWork bounds the steps that patterns may take, to a second or two. It lets
// a pattern of 1,000 bytes loose on a thousand mailboxes, and "*" on any number.
const maxListWork = 1 << 30

// work is how many steps it takes at most to match all patterns with all names and
// with the levels above them.
func (l *listing) work() int64 {
	var patterns, wild, levels int64
	for _, p := range l.patterns {
		patterns++
		wild += int64(p.wild)
	}
	var names int64
	for i := range l.names {
		name := l.names[i].name
		levels += int64(depth(name))
		names += int64(len(name) * depth(name))
	}
	return names*wild + patterns*levels
}

// matches reports whether a pattern matches; with levels, one that also matches
// what is no mailbox.
func (l *listing) matches(name string, levels bool) bool {
	for _, p := range l.patterns {
		if (p.levels || !levels) && p.Match(name) {
			return true
		}
	}
	return false
}

// visit tells of a name, if it is one to be told; names below it begin at next.
// RFC 9051 section 6.3.9.3 has the reasons why one is.
func (l *listing) visit(e *entry, next int) {
	switch {
	case !e.matched:
	case l.selects(e):
		info := l.args.Select&imap.ListRecursiveMatch != 0 && l.names.below(next, e.name, l.selects)
		l.tell(e, next, info)
	case l.args.Select&imap.ListRecursiveMatch != 0:
		// RFC 9051 section 6.3.9.6: only for the sake of one that is not told itself.
		if l.names.below(next, e.name, func(b *entry) bool { return !b.matched && l.selects(b) }) {
			l.tell(e, next, true)
		}
	case l.isLevel(e, next):
		l.tell(e, next, false)
	}
}

// selects reports whether e meets the selection options.
func (l *listing) selects(e *entry) bool {
	switch {
	case l.args.Select&imap.ListSubscribed == 0 && !e.exists,
		l.args.Select&imap.ListSubscribed != 0 && !e.subscribed,
		l.args.Select&imap.ListSpecialUse != 0 && !l.uses.any(e.name):
		return false
	}
	return true
}

// isLevel reports whether e, which is not selected, is told as a level of the
// hierarchy all the same: of mailboxes by LIST if it is none itself, of
// subscriptions by LSUB also if it is one (RFC 3501 section 6.3.9).
func (l *listing) isLevel(e *entry, next int) bool {
	if l.name == "LIST" && l.args.Select != 0 || !l.matches(e.name, true) {
		return false
	}
	return l.names.below(next, e.name, l.selects)
}

// tell writes the response for a name, and with LIST-STATUS its status if there is
// one (RFC 5819).
func (l *listing) tell(e *entry, next int, childInfo bool) {
	if l.name == "LSUB" {
		l.tellSubscription(e)
		return
	}
	box := imap.MailboxList{Attributes: l.attributes(e, next), Separator: separator, Mailbox: e.name, ChildInfo: childInfo}
	status, known := l.statusBeside(e, &box)
	l.s.w.List(l.name, box)
	if known {
		l.s.w.Status(e.name, status)
	}
}

func (l *listing) tellSubscription(e *entry) {
	box := imap.MailboxList{Separator: separator, Mailbox: e.name}
	if !e.subscribed {
		box.Attributes = []string{noSelect}
	}
	l.s.w.List(l.name, box)
}

// attributes are valid until the next call. RFC 3501 has no \NonExistent: who asks
// by its syntax is told \Noselect, which says less.
func (l *listing) attributes(e *entry, next int) []string {
	a := l.scratch[:0]
	switch {
	case e.exists:
	case l.args.Extended || l.s.enabled.rev2:
		a = append(a, nonExistent)
	default:
		a = append(a, noSelect)
	}
	if e.subscribed {
		a = append(a, subscribed)
	}
	if l.names.below(next, e.name, func(b *entry) bool { return b.exists }) {
		a = append(a, hasChildren)
	} else {
		a = append(a, hasNoChildren)
	}
	l.scratch = l.uses.append(a, e.name)
	return l.scratch
}

// statusBeside is the status that RETURN (STATUS) asks for. RFC 5819 section 2: a
// mailbox that turns out to be none gets \Noselect; what else fails is not told.
func (l *listing) statusBeside(e *entry, box *imap.MailboxList) (imap.StatusValues, bool) {
	if l.args.Return&imap.ListStatus == 0 || !e.exists || !l.selects(e) {
		return imap.StatusValues{}, false
	}
	status, err := l.s.statusOf(e.name, l.args.Status)
	if err == nil {
		return status, true
	}
	l.s.failed("LIST "+e.name, err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		box.Attributes = append(box.Attributes, noSelect)
	}
	return imap.StatusValues{}, false
}
