package server

import (
	"errors"
	"io"

	"rohrpost/protocol/auth"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/ucspi"
)

// maxStrikes is how many failed logins, and how many lines that are no command,
// a stranger has.
const maxStrikes = 3

// ErrStrikes ends a session with too many failed logins or unknown commands.
var ErrStrikes = errors.New("too many failed logins or unknown commands")

// Authorization is the not authenticated state (RFC 9051 section 3.1).
type Authorization struct {
	Conn    Conn
	Log     Log
	Version string // for ID
	// Plaintext says that passwords may be read from this connection as it is.
	Plaintext bool
	// StartTLS, if not nil, offers STARTTLS. It returns the connection to go on
	// with, over which passwords may be read. The session ends if it fails.
	StartTLS func() (Conn, error)
	// Early reports whether the peer has sent something that was not read.
	Early func() bool
	// Check asks whether a login is right; mechanism is LOGIN or PLAIN. The error
	// is auth.ErrRefused or a temporary one, which Check has logged.
	Check func(mechanism, login, password string) error

	// Login and Tag are what has come out of it: who logged in, and the tag of his
	// command, which is still to be answered.
	Login, Tag string

	conversation
	over    bool
	refused int
	strikes int
}

// strangers are the commands there are before login.
var strangers = [...]struct {
	name string
	run  func(a *Authorization, c imap.Command) (reply, error)
}{
	{"CAPABILITY", (*Authorization).capability},
	{"NOOP", (*Authorization).noop},
	{"LOGOUT", (*Authorization).logout},
	{"ID", (*Authorization).id},
	{"STARTTLS", (*Authorization).startTLS},
	{"LOGIN", (*Authorization).login},
	{"AUTHENTICATE", (*Authorization).authenticate},
}

// Authorize greets the client and serves it until a login is right; then it has
// said nothing about it, since that is for Session to say, and has read nothing
// behind it. ok is false if the session is over.
func (a *Authorization) Authorize() (ok bool, err error) {
	a.begin(a.Conn)
	a.say("", okCode(imap.CapabilityCode(a.offer()), "IMAP ready"))
	for err == nil && !a.over && a.Login == "" {
		err = a.command()
	}
	if e := a.w.Flush(); err == nil {
		err = e
	}
	if err == io.EOF && a.over {
		err = nil
	}
	return err == nil && a.Login != "", err
}

// begin starts to talk over a connection, line by line.
func (a *Authorization) begin(c Conn) {
	a.conversation = newConversation(c, imap.BeforeLogin)
	a.r.ExactLines(exact{c})
}

// exact makes the reader of lines from a Conn.
type exact struct{ Conn }

func (e exact) Read(p []byte) (int, error) { return e.ReadLineBytes(p) }

// offer is what a stranger may use. RFC 9051 section 6.2.3: LOGINDISABLED where no
// password may be sent.
func (a *Authorization) offer() []string {
	list := append([]string(nil), alwaysOffered...)
	if a.StartTLS != nil {
		list = append(list, "STARTTLS")
	}
	if a.Plaintext {
		return append(list, "AUTH=PLAIN")
	}
	return append(list, "LOGINDISABLED")
}

// command reads and obeys one command.
func (a *Authorization) command() error {
	c, err := a.d.Next()
	if err != nil {
		return a.misunderstood(err)
	}
	if !c.UID {
		for i := range strangers {
			if strangers[i].name == c.Name {
				r, err := strangers[i].run(a, c)
				if err != nil {
					return a.misunderstood(err)
				}
				if r.condition != "" {
					a.say(c.Tag, r)
				}
				return nil
			}
		}
	}
	a.say(c.Tag, bad("unknown command, or not before login"))
	return a.strike()
}

// misunderstood answers a syntax error, which is a strike.
func (a *Authorization) misunderstood(err error) error {
	if err := a.complain(err); err != nil {
		return err
	}
	return a.strike()
}

// strike counts a line that is no command. Web browsers and the like are gone
// after the third.
func (a *Authorization) strike() error {
	if a.strikes++; a.strikes < maxStrikes {
		return nil
	}
	a.bye("", "too many unknown commands")
	return ErrStrikes
}

// check asks whether the login is right, and ends this half if it is.
func (a *Authorization) check(tag, mechanism, login, password string) (reply, error) {
	err := a.Check(mechanism, login, password)
	switch {
	case err == nil:
		a.Login, a.Tag = login, tag
		return reply{}, nil
	case !errors.Is(err, auth.ErrRefused):
		return no(imap.CodeUnavailable, "cannot check passwords now, try again later"), nil
	}
	// RFC 5530 section 3: the server says no more than that.
	refusal := no(imap.CodeAuthenticationFailed, "login or password is wrong")
	if a.refused++; a.refused < maxStrikes {
		return refusal, nil
	}
	a.say(tag, refusal)
	a.bye("", "too many failed logins")
	return reply{}, ErrStrikes
}

// privacy refuses a password where it can be overheard. RFC 9051 section 6.2.3: also
// a right one.
func (a *Authorization) privacy() (reply, bool) {
	return no(imap.CodePrivacyRequired, "passwords only after STARTTLS"), a.Plaintext
}

func (a *Authorization) capability(imap.Command) (reply, error) {
	if err := a.d.End(); err != nil {
		return reply{}, err
	}
	a.w.Words("CAPABILITY", a.offer()...)
	return ok("that is all"), nil
}

func (a *Authorization) noop(imap.Command) (reply, error) { return ok("nothing new"), a.d.End() }

func (a *Authorization) logout(imap.Command) (reply, error) {
	if err := a.d.End(); err != nil {
		return reply{}, err
	}
	a.bye("", "goodbye")
	a.over = true
	return ok("goodbye"), nil
}

func (a *Authorization) id(imap.Command) (reply, error) {
	if _, err := imap.ParseID(a.d); err != nil {
		return reply{}, err
	}
	tellID(a.w, a.Version)
	return ok("that is me"), nil
}

// login is LOGIN (RFC 9051 section 6.2.3).
func (a *Authorization) login(c imap.Command) (reply, error) {
	args, err := imap.ParseLogin(a.d)
	if err != nil {
		return reply{}, err
	}
	if refusal, private := a.privacy(); !private {
		return refusal, nil
	}
	return a.check(c.Tag, "LOGIN", args.User, args.Password)
}

// authenticate is AUTHENTICATE (RFC 9051 section 6.2.2) with PLAIN (RFC 4616).
func (a *Authorization) authenticate(c imap.Command) (reply, error) {
	args, err := imap.ParseAuthenticate(a.d)
	if err != nil {
		return reply{}, err
	}
	if refusal, private := a.privacy(); !private {
		return refusal, nil
	}
	if args.Mechanism != "PLAIN" {
		return no(imap.CodeCannot, "mechanism not offered"), nil
	}
	response := args.Initial
	if !args.HasInitial {
		if err := a.resume(""); err != nil {
			return reply{}, err
		}
		if response, err = a.d.SASLResponse(c.Tag); err == imap.ErrCancelled {
			return bad("authentication cancelled"), nil
		} else if err != nil {
			return reply{}, err
		}
	}
	login, password, err := auth.PlainMessage(response)
	if err != nil {
		return bad("not a response of PLAIN"), nil
	}
	return a.check(c.Tag, "PLAIN", login, password)
}

// startTLS is STARTTLS (RFC 9051 section 6.2.1). Whatever the client said before is
// forgotten, and what it sent behind the command ends the session (CVE-2011-0411).
func (a *Authorization) startTLS(c imap.Command) (reply, error) {
	if err := a.d.End(); err != nil {
		return reply{}, err
	}
	if a.StartTLS == nil {
		return bad("TLS is not offered"), nil
	}
	if a.r.Buffered() > 0 || a.Early() {
		return reply{}, ucspi.ErrEarly
	}
	a.say(c.Tag, ok("begin TLS now"))
	if err := a.w.Flush(); err != nil {
		return reply{}, err
	}
	conn, err := a.StartTLS()
	if err != nil {
		return reply{}, err
	}
	a.StartTLS, a.Plaintext = nil, true
	a.begin(conn)
	return reply{}, nil
}
