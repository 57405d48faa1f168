package server

import (
	"rohrpost/maildir"
	"rohrpost/maildir/keyword"
	"rohrpost/protocol/imap"
)

// systemFlags are the flags that a Maildir has letters for.
var systemFlags = [...]struct {
	flag   imap.Flag
	letter maildir.Flags
}{
	{imap.FlagAnswered, maildir.Replied},
	{imap.FlagFlagged, maildir.Flagged},
	{imap.FlagDeleted, maildir.Trashed},
	{imap.FlagSeen, maildir.Seen},
	{imap.FlagDraft, maildir.Draft},
}

// forwarded is the keyword for the letter P, "passed": RFC 9051 section 2.3.2 has it
// for a message that was forwarded.
const forwarded = imap.Flag("$Forwarded")

// flagList is the flags of a message. It is valid until the next call.
func (s *Session) flagList(flags maildir.Flags, recent bool) []imap.Flag {
	list := s.flags[:0]
	for i := range systemFlags {
		if flags&systemFlags[i].letter != 0 {
			list = append(list, systemFlags[i].flag)
		}
	}
	if recent && !s.enabled.rev2 {
		list = append(list, imap.FlagRecent)
	}
	if flags&maildir.Passed != 0 {
		list = append(list, forwarded)
	}
	for n := 0; n < keyword.Max && flags >= maildir.Keyword(n); n++ {
		if flags&maildir.Keyword(n) != 0 {
			if name := s.box.keywords.Name(n); name != "" {
				list = append(list, imap.Flag(name))
			}
		}
	}
	s.flags = list
	return list
}

// flagsOf turns the flags of a command into those of a file's name. Keywords that
// have no letter yet get one if room is left; the error is keyword.ErrFull if not.
// \Recent cannot come here: the decoder refuses it.
func flagsOf(m *maildir.Maildir, t **keyword.Table, list []imap.Flag) (maildir.Flags, error) {
	var flags maildir.Flags
	var names []string
	for _, f := range list {
		if letter, ok := letterOf(f); ok {
			flags |= letter
		} else if n, ok := (*t).Lookup(string(f)); ok {
			flags |= maildir.Keyword(n)
		} else {
			names = append(names, string(f))
		}
	}
	if len(names) == 0 {
		return flags, nil
	}
	used, err := usedFlags(m)
	if err != nil {
		return flags, err
	}
	table, err := keyword.Add(m, used, names...)
	if table != nil {
		*t = table
	}
	if err != nil {
		return flags, err
	}
	for _, name := range names {
		if n, ok := table.Lookup(name); ok {
			flags |= maildir.Keyword(n)
		}
	}
	return flags, nil
}

// usedFlags is all flags that messages of a folder bear: a keyword must not get a
// letter that messages have already, though the list of names be lost.
func usedFlags(m *maildir.Maildir) (used maildir.Flags, err error) {
	l, err := m.Scan()
	if err != nil {
		return 0, err
	}
	for i := range l.Len() {
		used |= l.At(i).Flags
	}
	return used, nil
}

func letterOf(f imap.Flag) (maildir.Flags, bool) {
	for i := range systemFlags {
		if systemFlags[i].flag == f {
			return systemFlags[i].letter, true
		}
	}
	return maildir.Passed, f.Is(forwarded)
}

// mailboxFlags is all flags of the selected mailbox, for FLAGS and PERMANENTFLAGS.
func (b *selected) mailboxFlags() []imap.Flag {
	var list []imap.Flag
	for i := range systemFlags {
		list = append(list, systemFlags[i].flag)
	}
	list = append(list, forwarded)
	for n := range keyword.Max {
		if name := b.keywords.Name(n); name != "" {
			list = append(list, imap.Flag(name))
		}
	}
	return list
}

// tellFlags writes the FLAGS response, and PERMANENTFLAGS.
func (s *Session) tellFlags() {
	b := s.box
	list := b.mailboxFlags()
	b.told = len(list)
	s.w.Flags(list)
	if b.readOnly {
		list = nil
	} else if !b.keywords.Full() {
		list = append(list, imap.FlagAny)
	}
	s.say("", okCode(imap.PermanentFlagsCode(list), "flags that stay"))
}
