package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/dotlock"
	"rohrpost/maildir/subscription"
	"rohrpost/protocol/imap"
)

// Special uses (RFC 6154) lie in rohrpost.uses in the inbox, one a line: the use and,
// behind a blank, the mailbox, in modified UTF-7 with dots between its levels:
//
//	\Sent Sent Items
//	\Junk Lists.Entw&APw-rfe
//
// A use has one mailbox; of two lines for one use the later counts. CREATE writes
// the file, RENAME and DELETE keep it right. A use that it gives to no mailbox that
// exists goes to the first one that bears a well-known name, so a tree that knows
// nothing of all this has its uses too.
const (
	usesFile = "rohrpost.uses"
	maxUses  = 64 << 10 // bytes
)

// wellKnown are the uses that a mailbox here can have, and the names that mean them.
// \All and \Flagged would present messages of other mailboxes, which none here does.
var wellKnown = [...]struct {
	use   string
	names []string
}{
	{`\Archive`, []string{"Archive", "Archives"}},
	{`\Drafts`, []string{"Drafts"}},
	{`\Junk`, []string{"Junk", "Spam"}},
	{`\Sent`, []string{"Sent", "Sent Items", "Sent Messages"}},
	{`\Trash`, []string{"Trash", "Deleted Items", "Deleted Messages"}},
}

// knownUse is a use as wellKnown spells it.
func knownUse(use string) (string, bool) {
	for i := range wellKnown {
		if strings.EqualFold(wellKnown[i].use, use) {
			return wellKnown[i].use, true
		}
	}
	return "", false
}

// specialUse is one use and its mailbox.
type specialUse struct{ use, mailbox string }

// specialUses has each use once at most.
type specialUses []specialUse

// parseUses reads the file. A line that means nothing is left out.
func parseUses(text string) (list specialUses) {
	for line := range strings.Lines(text) {
		use, dir, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		use, known := knownUse(use)
		name, err := maildir.DecodeUTF7(dir)
		if known && err == nil && maildir.CheckFolderName(name) == nil {
			list = list.with(use, name)
		}
	}
	return list
}

// text is what parseUses reads.
func (l specialUses) text() []byte {
	var b []byte
	for _, u := range l {
		b = fmt.Appendf(b, "%s %s\n", u.use, maildir.EncodeUTF7(u.mailbox))
	}
	return b
}

// with gives a use to a mailbox, and takes it from the one that had it.
func (l specialUses) with(use, mailbox string) specialUses {
	l = slices.DeleteFunc(l, func(u specialUse) bool { return u.use == use })
	return append(l, specialUse{use, mailbox})
}

// of is the mailbox of a use, "" if there is none.
func (l specialUses) of(use string) string {
	for _, u := range l {
		if u.use == use {
			return u.mailbox
		}
	}
	return ""
}

// any reports whether a mailbox has a use.
func (l specialUses) any(mailbox string) bool {
	return slices.ContainsFunc(l, func(u specialUse) bool { return u.mailbox == mailbox })
}

// append appends the uses of a mailbox.
func (l specialUses) append(attributes []string, mailbox string) []string {
	for _, u := range l {
		if u.mailbox == mailbox {
			attributes = append(attributes, u.use)
		}
	}
	return attributes
}

// renamed is the list after a mailbox and those below it got other names, or, with
// to empty, after it alone was deleted.
func (l specialUses) renamed(from, to string) (out specialUses) {
	for _, u := range l {
		switch {
		case to == "" && u.mailbox == from:
			continue
		case to != "" && (u.mailbox == from || isBelow(u.mailbox, from)):
			u.mailbox = to + u.mailbox[len(from):]
		}
		out = append(out, u)
	}
	return out
}

// specialUses is the uses of mailboxes that exist. LIST must go on without the file.
func (s *Session) specialUses(exists func(name string) bool) (list specialUses) {
	given, err := readUses(s.Inbox.Dir())
	if err != nil {
		s.failed("special uses", err)
	}
	for i := range wellKnown {
		w := &wellKnown[i]
		for _, name := range append([]string{given.of(w.use)}, w.names...) {
			if name != "" && exists(name) {
				list = append(list, specialUse{w.use, name})
				break
			}
		}
	}
	return list
}

func readUses(inbox *disk.Dir) (specialUses, error) {
	f, err := inbox.Open(usesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxUses+1))
	if err == nil && len(b) > maxUses {
		err = fmt.Errorf("%s is larger than %d bytes", f.Name(), maxUses)
	}
	if err != nil {
		return nil, err
	}
	return parseUses(string(b)), nil
}

// listLockLife is how long Dovecot believes in a lock of the subscriptions.
const listLockLife = 30 * time.Second

// changeUses rewrites the file, durably. The lock is that of the subscriptions,
// another list of the user's that few commands change.
func (s *Session) changeUses(change func(specialUses) specialUses) error {
	lock, err := dotlock.Take(s.Inbox.FS(), s.Inbox.Dir(), subscription.Name, listLockLife)
	if err != nil {
		return err
	}
	defer lock.Release()
	list, err := readUses(s.Inbox.Dir())
	if err != nil {
		return err
	}
	return lock.Replace(usesFile, change(list).text(), time.Time{})
}

// assignUses gives a new mailbox the uses that CREATE asks for.
func (s *Session) assignUses(uses []string, mailbox string) error {
	if len(uses) == 0 {
		return nil
	}
	return s.changeUses(func(l specialUses) specialUses {
		for _, use := range uses {
			l = l.with(use, mailbox)
		}
		return l
	})
}

// followUses keeps the file right when a mailbox was renamed or, with to empty,
// deleted. That is done already, so what goes wrong here is for the log.
func (s *Session) followUses(from, to string) {
	list, err := readUses(s.Inbox.Dir())
	if err == nil && !slices.Equal(list, list.renamed(from, to)) {
		err = s.changeUses(func(l specialUses) specialUses { return l.renamed(from, to) })
	}
	if err != nil {
		s.failed("special uses", err)
	}
}

// checkUses turns the uses of CREATE into known ones. RFC 6154 section 3: if one
// cannot be had, the mailbox must not be made.
func checkUses(asked []string) (uses []string, failure reply) {
	for _, use := range asked {
		known, found := knownUse(use)
		if !found {
			return nil, no(imap.CodeUseAttr, "no mailbox here can have this use")
		}
		uses = append(uses, known)
	}
	return uses, reply{}
}
