package server

import "rohrpost/protocol/imap"

// state is where a Session is (RFC 9051 section 3). A command is allowed in one or
// in several of them.
type state uint8

const (
	authenticated state = 1 << iota
	selectedState
	loggedOut

	anyState = authenticated | selectedState
)

// news is what of the mailbox's news may be told before a command's answer.
type news uint8

const (
	nothingNew news = iota
	noExpunge       // RFC 9051 section 7.5.1: numbers must stay
	allNews
)

// command is one row of the table: what it is called, where it is allowed, whether
// there is a UID command of its name, what is told with its answer, and what it
// does. Its error is that of the decoder or of the connection.
type command struct {
	name string
	in   state
	uid  bool
	news news
	run  func(s *Session, c imap.Command) (reply, error)
}

// commands are all commands there are after login.
var commands = [...]command{
	{"FETCH", selectedState, true, noExpunge, (*Session).fetch},
	{"STORE", selectedState, true, noExpunge, (*Session).store},
	{"SEARCH", selectedState, true, noExpunge, (*Session).search},
	{"SORT", selectedState, true, noExpunge, (*Session).sort},
	{"THREAD", selectedState, true, noExpunge, (*Session).thread},
	{"NOOP", anyState, false, allNews, (*Session).noop},
	{"IDLE", anyState, false, allNews, (*Session).idle},
	{"SELECT", anyState, false, nothingNew, (*Session).selectBox},
	{"EXAMINE", anyState, false, nothingNew, (*Session).examine},
	{"APPEND", anyState, false, allNews, (*Session).append},
	{"COPY", selectedState, true, allNews, (*Session).copy},
	{"MOVE", selectedState, true, allNews, (*Session).move},
	{"EXPUNGE", selectedState, true, allNews, (*Session).expunge},
	{"CHECK", selectedState, false, allNews, (*Session).check},
	{"CLOSE", selectedState, false, nothingNew, (*Session).close},
	{"UNSELECT", selectedState, false, nothingNew, (*Session).unselect},
	{"LIST", anyState, false, allNews, (*Session).list},
	{"LSUB", anyState, false, allNews, (*Session).lsub},
	{"STATUS", anyState, false, allNews, (*Session).status},
	{"CREATE", anyState, false, allNews, (*Session).create},
	{"DELETE", anyState, false, allNews, (*Session).delete},
	{"RENAME", anyState, false, allNews, (*Session).rename},
	{"SUBSCRIBE", anyState, false, allNews, (*Session).subscribe},
	{"UNSUBSCRIBE", anyState, false, allNews, (*Session).unsubscribe},
	{"NAMESPACE", anyState, false, allNews, (*Session).namespace},
	{"GETQUOTA", anyState, false, allNews, (*Session).getQuota},
	{"GETQUOTAROOT", anyState, false, allNews, (*Session).getQuotaRoot},
	{"SETQUOTA", anyState, false, allNews, (*Session).setQuota},
	{"ENABLE", anyState, false, allNews, (*Session).enable},
	{"ID", anyState, false, allNews, (*Session).id},
	{"CAPABILITY", anyState, false, allNews, (*Session).capability},
	{"LOGOUT", anyState, false, nothingNew, (*Session).logout},
}

// find is the row of a command; nil if there is none.
func find(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

// obey runs one command and answers it.
func (s *Session) obey(c imap.Command) error {
	row := find(c.Name)
	switch {
	case row == nil || c.UID && !row.uid:
		return s.unknown(c, "unknown command")
	case row.in&s.state == 0:
		return s.unknown(c, "not in this state")
	}
	s.counts.commands++
	r, err := row.run(s, c)
	if err != nil {
		return s.misunderstood(err)
	}
	if s.box != nil {
		if err := s.tell(row.news, c.UID); err != nil {
			return err
		}
	}
	s.say(c.Tag, r)
	s.counts.junk = 0
	return s.w.Err()
}

// maxJunk is how many commands in a row may be none.
const maxJunk = 20

// unknown answers something that is no command here.
func (s *Session) unknown(c imap.Command, text string) error {
	s.say(c.Tag, bad(text))
	return s.strike()
}

// misunderstood answers a syntax error.
func (s *Session) misunderstood(err error) error {
	if err := s.complain(err); err != nil {
		return err
	}
	return s.strike()
}

func (s *Session) strike() error {
	if s.counts.junk++; s.counts.junk < maxJunk {
		return nil
	}
	s.bye("", "too many commands that are none")
	return ErrStrikes
}
