package server

import (
	"encoding/base64"
	"errors"
	"strings"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
)

// maxAuthLine is the longest line of a login, in bytes without CRLF (RFC 4954
// section 4). The command itself, with an initial response, keeps to
// maxCommandLine: what a checkpassword program reads is shorter than either.
const maxAuthLine = 12288

// mechanism is a SASL mechanism that shows us login and password. start is what
// the client said with the command, nil if nothing.
type mechanism struct {
	name string
	run  func(s *Session, start []byte) (login, password string, err error)
}

var mechanisms = []mechanism{
	{"PLAIN", (*Session).authPlain},
	{"LOGIN", (*Session).authLogin},
}

// The ways in which an exchange can fail before there is a login to check.
var (
	errAuthAborted = errors.New("login cancelled by the client")
	errAuthSyntax  = errors.New("malformed login")
)

// offersAuth reports whether the client may log in now.
func (s *Session) offersAuth() bool {
	return s.conf.Login != nil && (s.conf.TLS || !s.conf.LoginNeedsTLS)
}

// auth is AUTH (RFC 4954 section 4).
func (s *Session) auth(args string) smtp.Reply {
	switch {
	case s.conf.Login == nil:
		return replyNoAuth
	case !s.offersAuth():
		return replyNeedTLS
	case s.client.Login != "" || s.mail != nil || !s.extended:
		return replyNotNow
	}
	name, initial, given := strings.Cut(args, " ")
	for _, m := range mechanisms {
		if strings.EqualFold(m.name, name) {
			start, ok := initialResponse(initial, given)
			if !ok {
				return replyAuthSyntax
			}
			return s.login(m, start)
		}
	}
	return replyMechanism
}

// initialResponse decodes what came with the command; "=" is an empty one.
func initialResponse(text string, given bool) (start []byte, ok bool) {
	if !given {
		return nil, true
	}
	if text == "=" {
		return []byte{}, true
	}
	start, err := base64.StdEncoding.Strict().DecodeString(text)
	return start, err == nil && len(start) > 0
}

// login runs the exchange and asks whether login and password are right.
func (s *Session) login(m mechanism, start []byte) smtp.Reply {
	login, password, err := m.run(s, start)
	switch {
	case errors.Is(err, errAuthAborted):
		return replyAuthAborted
	case errors.Is(err, errAuthSyntax):
		return replyAuthSyntax
	case errors.Is(err, line.ErrTooLong):
		return replyAuthTooLong
	case err != nil:
		s.lost = err
		return smtp.Reply{}
	}
	switch s.conf.Login(login, password) {
	case LoginGranted:
		s.client.Login = login
		s.nameProtocol()
		return replyLoggedIn
	case LoginDenied:
		return s.denied()
	}
	return replyLoginUnknown
}

// denied answers a wrong login, and ends the session after the last try.
func (s *Session) denied() smtp.Reply {
	if s.counts.tries++; s.counts.tries >= s.conf.Limits.Tries {
		s.reply(replyDenied)
		s.hangUp(replyTooManyTries)
		return smtp.Reply{}
	}
	return replyDenied
}

// authPlain is PLAIN (RFC 4616): authorisation identity, login and password with
// NUL between them. Acting for somebody else is not on offer.
func (s *Session) authPlain(start []byte) (login, password string, err error) {
	if start == nil {
		if start, err = s.challenge(""); err != nil {
			return "", "", err
		}
	}
	parts := strings.Split(string(start), "\x00")
	if len(parts) != 3 || parts[0] != "" && parts[0] != parts[1] {
		return "", "", errAuthSyntax
	}
	return parts[1], parts[2], nil
}

// authLogin is LOGIN, which nobody ever standardised: two questions whose text
// clients look for.
func (s *Session) authLogin(start []byte) (login, password string, err error) {
	if start == nil {
		if start, err = s.challenge("Username:"); err != nil {
			return "", "", err
		}
	}
	secret, err := s.challenge("Password:")
	return string(start), string(secret), err
}

// challenge asks and returns the decoded answer.
func (s *Session) challenge(text string) ([]byte, error) {
	s.reply(smtp.Reply{Code: 334, Text: base64.StdEncoding.EncodeToString([]byte(text))})
	l, err := s.readLine(maxAuthLine)
	switch {
	case err != nil:
		return nil, err
	case string(l) == "*":
		return nil, errAuthAborted
	case s.in.BareLF():
		return nil, errAuthSyntax
	}
	answer, err := base64.StdEncoding.Strict().DecodeString(string(l))
	if err != nil {
		return nil, errAuthSyntax
	}
	return answer, nil
}
