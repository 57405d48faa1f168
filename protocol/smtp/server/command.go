package server

import (
	"bytes"
	"strings"

	"rohrpost/protocol/smtp"
)

// maxCommandLine is the longest command line, in bytes without CRLF: the 512 of
// RFC 5321 section 4.5.3.1.4 and what the parameters of RFC 1870, 3461, 4954 and
// 6531 add to MAIL and RCPT, rounded up.
const maxCommandLine = 2048

// command is a row of the table.
type command struct {
	name string
	need need
	junk bool // brings no mail any further
	// run answers the command. The zero Reply says that it has done so itself.
	run func(s *Session, args string) smtp.Reply
}

// need is what must have come before a command.
type need int

const (
	nothing  need = iota
	noArgs        // nothing, and no arguments
	greeted       // HELO, EHLO or LHLO
	allowed       // that, and AUTH where it is required
	envelope      // MAIL
)

// find returns the command of this name.
func find(name string) (command, bool) {
	for _, c := range commands {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return command{}, false
}

var commands = []command{
	{name: "HELO", junk: true, run: (*Session).helo},
	{name: "EHLO", junk: true, run: (*Session).ehlo},
	{name: "LHLO", junk: true, run: (*Session).lhlo},
	{name: "AUTH", need: greeted, junk: true, run: (*Session).auth},
	{name: "MAIL", need: allowed, run: (*Session).mailFrom},
	{name: "RCPT", need: envelope, run: (*Session).rcptTo},
	{name: "DATA", need: envelope, run: (*Session).data},
	{name: "BDAT", run: (*Session).bdat},
	{name: "RSET", need: noArgs, junk: true, run: (*Session).rset},
	{name: "NOOP", junk: true, run: (*Session).noop},
	{name: "VRFY", junk: true, run: (*Session).vrfy},
	{name: "EXPN", junk: true, run: (*Session).expn},
	{name: "HELP", junk: true, run: (*Session).help},
	{name: "QUIT", need: noArgs, run: (*Session).quit},
}

// dispatch answers one command line.
func (s *Session) dispatch(l []byte) {
	if hasControl(l) {
		s.answer(replyControl)
		return
	}
	name, args, _ := strings.Cut(string(bytes.TrimRight(l, " ")), " ")
	c, ok := find(name)
	switch {
	case !ok:
		s.unknown(name)
		return
	case c.junk && s.junk():
		return
	}
	if r := s.missing(c.need, args); r.Code != 0 {
		s.answer(r)
		return
	}
	s.answer(c.run(s, args))
}

// hasControl reports whether a command line holds what no command ever needs.
func hasControl(l []byte) bool {
	for _, c := range l {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// missing is the reply to a command that came too early; the zero Reply: it did
// not.
func (s *Session) missing(n need, args string) smtp.Reply {
	switch {
	case n == noArgs && args != "":
		return replyNoParams
	case n >= greeted && s.client.Helo == "":
		return replyHeloFirst
	case n == allowed && s.conf.Submission && s.client.Login == "":
		return replyLoginFirst
	case n == envelope && s.mail == nil:
		return replyNeedMail
	}
	return smtp.Reply{}
}

// junk counts a command that does nothing for any mail, and ends the session if
// there have been too many since the last message.
func (s *Session) junk() bool {
	if s.counts.junk++; s.counts.junk <= s.conf.Limits.Junk {
		return false
	}
	s.event("too-much-junk")
	s.hangUp(replyTooMuchJunk)
	return true
}

// maxUnknownBeforeLogin is how many unknown commands a client may send that has
// yet to log in.
const maxUnknownBeforeLogin = 3

// unknown answers what is no command. A browser that was made to talk to us gets
// nothing of what it said back, and no second line.
func (s *Session) unknown(name string) {
	if speaksHTTP(name) {
		s.event("not-smtp")
		s.hangUp(replyNotSMTP)
		return
	}
	s.answer(replyUnknown)
	s.counts.unknown++
	if s.conf.Submission && s.client.Login == "" && s.counts.unknown >= maxUnknownBeforeLogin && !s.closing {
		s.event("too-many-errors", "last", replyUnknown.String())
		s.hangUp(replyTooManyErrors)
	}
}

// speaksHTTP reports whether the first word of a line is an HTTP method or the
// name of a header field.
func speaksHTTP(word string) bool {
	switch strings.ToUpper(word) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI":
		return true
	}
	return strings.HasSuffix(word, ":")
}
