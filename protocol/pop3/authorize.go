package pop3

import (
	"errors"

	"rohrpost/protocol/auth"
)

// maxStrikes is how many failed logins, and how many lines that are no command,
// a stranger has.
const maxStrikes = 3

// ErrStrikes ends a session with too many failed logins or unknown commands.
var ErrStrikes = errors.New("too many failed logins or unknown commands")

// Authorization is the AUTHORIZATION state (RFC 1939 section 4).
type Authorization struct {
	Conn Conn
	Log  Log
	// Plaintext says that passwords may be read from this connection as it is.
	Plaintext bool
	// Stamp is the timestamp of APOP, in angle brackets; empty offers no APOP.
	Stamp string
	// StartTLS, if not nil, offers STLS. It returns the connection to go on with,
	// over which passwords may be read. The session ends if it fails.
	StartTLS func() (Conn, error)
	// Early reports whether the peer has sent something that was not read.
	Early func() bool
	// Check asks whether a login is right; mechanism is USER, APOP or PLAIN. The
	// error is auth.ErrRefused or a temporary one, which Check has logged.
	Check func(mechanism, login, password, stamp string) error

	// Login is what has come out of it: who logged in.
	Login string

	pending string // the name of USER, for PASS
	refused int
	strikes int
}

// Authorize greets the client and serves it until a login is right; then it has
// said nothing about it, since that is for Transact to say, and has read nothing
// behind it. ok is false if the session is over.
func (a *Authorization) Authorize() (ok bool, err error) {
	s := newSession(a.Conn, a.Log, maxAuthLine)
	s.state, s.account = authorization, a
	s.r.ExactLines(exact{a.Conn})
	s.offer = capabilities{passwords: a.Plaintext, stls: a.StartTLS != nil}
	s.ok(trim("POP3 ready " + a.Stamp))
	err = s.run()
	return err == nil && a.Login != "", err
}

// Offered is what CAPA has to announce again after the login, for Transaction.Offered.
func (a *Authorization) Offered() string {
	return capabilities{passwords: true, stls: a.StartTLS != nil}.String()
}

// exact makes the reader of lines from a Conn.
type exact struct{ Conn }

func (e exact) Read(p []byte) (int, error) { return e.ReadLineBytes(p) }

// strike counts a line that is no command. Web browsers and the like are gone
// after the third.
func (a *Authorization) strike(s *session) {
	if a.strikes++; a.strikes >= maxStrikes {
		s.end(ErrStrikes)
	}
}

// login asks whether the login is right, and ends this half if it is.
func (s *session) login(mechanism, login, password, stamp string) {
	a := s.account
	a.pending = ""
	err := a.Check(mechanism, login, password, stamp)
	switch {
	case err == nil:
		a.Login = login
		s.end(nil)
	case !errors.Is(err, auth.ErrRefused):
		s.no("[SYS/TEMP] cannot check passwords now, try again later")
	default:
		// RFC 3206 section 4: the credentials are wrong, not the server.
		s.no("[AUTH] login or password is wrong")
		if a.refused++; a.refused >= maxStrikes {
			s.end(ErrStrikes)
		}
	}
}

// passwords reports whether a password may be read now, and says no otherwise.
func (s *session) passwords() bool {
	if !s.account.Plaintext {
		s.no("passwords only after STLS")
	}
	return s.account.Plaintext
}

func trim(s string) string {
	if n := len(s); n > 0 && s[n-1] == ' ' {
		return s[:n-1]
	}
	return s
}
