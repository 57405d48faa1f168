package server

import (
	"errors"
	"io"
	"strconv"
	"time"

	"rohrpost/maildir"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/ucspi"
)

// Session is the session after login. Fill in the first fields and call Serve.
type Session struct {
	Conn    Conn
	Log     Log
	Inbox   *maildir.Maildir
	Tag     string // of the login that is still to be answered; "" greets with PREAUTH
	User    string
	Version string // for ID
	// AppendLimit is the size of the largest message for APPEND, in octets on the
	// wire; 0 is no limit.
	AppendLimit int64
	Now         func() time.Time // nil is time.Now

	conversation
	state    state
	box      *selected // in the selected state
	enabled  enabled
	counts   struct{ commands, junk int }
	flags    []imap.Flag // room for flagList
	bulk     bool        // a command has used much memory
	numbered bool        // this search names messages by their numbers
	stored   time.Time   // when the first of the flags were stored that are not durable
	heard    time.Time   // when a client that idles last heard of us
}

// Commands is how many commands were obeyed.
func (s *Session) Commands() int { return s.counts.commands }

// Serve greets the client, or answers its login, and obeys it until LOGOUT or the
// end of the connection. The error is nil if the client ended the session as the
// protocol has it.
func (s *Session) Serve() error {
	s.conversation = newConversation(s.Conn, imap.AfterLogin)
	s.state = authenticated
	if s.Now == nil {
		s.Now = time.Now
	}
	greeting := okCode(imap.CapabilityCode(s.offer()), "logged in")
	if s.Tag != "" {
		s.say(s.Tag, greeting)
	} else {
		s.w.Untagged(imap.PreAuth, greeting.code, greeting.text)
	}
	var err error
	for err == nil && s.state != loggedOut {
		err = s.command()
	}
	if errors.Is(err, ucspi.ErrTimeout) {
		s.bye("", "you were silent for too long")
	}
	if e := s.w.Flush(); err == nil {
		err = e
	}
	s.leave() // which may take a moment, and the client need not wait for it
	return err
}

// durableAfter is how long changes of flags may wait to be made durable.
const durableAfter = 5 * time.Second

// command reads and obeys one command.
func (s *Session) command() error {
	if err := s.settle(); err != nil {
		return err
	}
	c, err := s.d.Next()
	if err == io.EOF {
		return errGone
	}
	if err != nil {
		return s.misunderstood(err)
	}
	return s.obey(c)
}

// settle does what is to be done when the client has been silent for a while: memory
// is given back, and flags become durable.
func (s *Session) settle() error {
	if s.r.Buffered() == 0 && s.bulk {
		if client, err := s.waits(slimAfter); client || err != nil {
			return err
		}
		s.slim()
	}
	if s.stored.IsZero() {
		return nil
	}
	if s.r.Buffered() == 0 {
		left := durableAfter - s.Now().Sub(s.stored)
		if client, err := s.waits(max(left, 0)); client || err != nil {
			return err
		}
	}
	if s.Now().Sub(s.stored) >= durableAfter {
		s.syncFlags("STORE")
	}
	return nil
}

// waits lets the answers leave and waits for the client for a while.
func (s *Session) waits(d time.Duration) (client bool, err error) {
	if err := s.w.Flush(); err != nil {
		return false, err
	}
	return s.Conn.WaitReadable(-1, d)
}

// syncFlags makes flags durable.
func (s *Session) syncFlags(what string) error {
	s.stored = time.Time{}
	if s.box == nil {
		return nil
	}
	err := s.box.SyncFlags()
	if err != nil {
		s.failed(what, err)
	}
	return err
}

// errGone is a client that went away without LOGOUT, which many do.
var errGone = errors.New("client went away")

// offer is what is announced after login. RFC 7889 section 3: a limit that is the same
// for all mailboxes stands in the capability.
func (s *Session) offer() []string {
	list := append(append([]string(nil), alwaysOffered...), extensions...)
	if s.AppendLimit > 0 {
		list = append(list, "APPENDLIMIT="+strconv.FormatInt(s.AppendLimit, 10))
	}
	return list
}

func (s *Session) capability(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	s.w.Words("CAPABILITY", s.offer()...)
	return ok("that is all"), nil
}

// noop is NOOP (RFC 9051 section 6.1.2): news are told with the answer.
func (s *Session) noop(imap.Command) (reply, error) { return ok("done"), s.d.End() }

// check is CHECK of rev1 (RFC 3501 section 6.4.1): flags become durable.
func (s *Session) check(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	if s.syncFlags("CHECK") != nil {
		return no(imap.CodeUnavailable, "flags may not outlive a power cut"), nil
	}
	return ok("done"), nil
}

func (s *Session) logout(imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	s.syncFlags("LOGOUT")
	s.bye("", "goodbye")
	s.state = loggedOut
	return ok("goodbye"), nil
}
