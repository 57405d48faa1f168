package pop3

import "strconv"

// command is one row of the table: where it is allowed, whether it takes an
// argument, and what it does.
type command struct {
	name string
	in   state
	args args
	run  func(s *session, arg string)
}

// args is whether a command has an argument.
type args uint8

const (
	none     args = iota
	optional      // one or none
	one           // one, without blanks
	rest          // the rest of the line, blanks and all
)

// commands are all commands there are.
var commands = [...]command{
	{"RETR", transaction, one, (*session).retr},
	{"DELE", transaction, one, (*session).dele},
	{"TOP", transaction, rest, (*session).top},
	{"UIDL", transaction, optional, (*session).uidl},
	{"LIST", transaction, optional, (*session).list},
	{"STAT", transaction, none, (*session).stat},
	{"NOOP", transaction, none, (*session).noop},
	{"RSET", transaction, none, (*session).rset},
	{"USER", authorization, rest, (*session).user},
	{"PASS", authorization, rest, (*session).pass},
	{"APOP", authorization, rest, (*session).apop},
	{"AUTH", authorization, rest, (*session).auth},
	{"STLS", authorization, none, (*session).stls},
	{"UTF8", authorization, none, (*session).utf8},
	{"CAPA", authorization | transaction, none, (*session).capa},
	{"LANG", authorization | transaction, optional, (*session).lang},
	{"QUIT", authorization | transaction, none, (*session).quit},
}

// obey finds and runs the command in one line. RFC 1939 section 3: keywords are
// of either case, and one blank stands before each argument.
func (s *session) obey(l []byte) {
	n := 0
	for n < len(l) && l[n] != ' ' {
		n++
	}
	for i := range commands {
		c := &commands[i]
		if !equalFold(l[:n], c.name) {
			continue
		}
		switch {
		case c.in&s.state == 0:
			s.unknown("command not valid in this state")
		case !c.args.fit(l[n:]):
			s.no("wrong number of arguments")
		default:
			c.run(s, string(l[min(n+1, len(l)):]))
		}
		return
	}
	s.unknown("unknown command")
}

// unknown answers something that is no command here. A stranger has few of them.
func (s *session) unknown(text string) {
	s.no(text)
	if s.state == authorization {
		s.account.strike(s)
	}
}

// fit reports whether what follows the keyword, its blank included, is right.
func (a args) fit(l []byte) bool {
	if a == rest {
		return true
	}
	if len(l) == 0 {
		return a != one
	}
	for _, c := range l[1:] {
		if c == ' ' {
			return false
		}
	}
	return a != none && len(l) > 1
}

// equalFold compares a keyword with one in capital letters.
func equalFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// number reads a number of RFC 1939: decimal digits and nothing else, 32 bits.
func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil
}
