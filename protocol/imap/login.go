package imap

import (
	"encoding/base64"
	"errors"
)

// Login is the arguments of LOGIN.
type Login struct{ User, Password string }

// ParseLogin reads the arguments of LOGIN.
func ParseLogin(d *Decoder) (Login, error) {
	var l Login
	d.SP()
	l.User = d.AString()
	d.SP()
	l.Password = d.AString()
	return l, d.End()
}

// Authenticate is the arguments of AUTHENTICATE.
type Authenticate struct {
	Mechanism string // in capital letters, any atom
	Initial   []byte // the initial response (SASL-IR, RFC 4959), decoded
	// HasInitial tells an empty initial response, "=", from none.
	HasInitial bool
}

// ParseAuthenticate reads the arguments of AUTHENTICATE. The rest of the exchange is
// read with SASLResponse.
func ParseAuthenticate(d *Decoder) (Authenticate, error) {
	var a Authenticate
	d.SP()
	a.Mechanism = d.atomUpper()
	if d.More() {
		a.HasInitial = true
		// RFC 4959 section 3: an empty response is a single "=".
		switch text := d.run(isAstring); string(text) {
		case "":
			d.fail("initial response expected")
		case "=":
		default:
			a.Initial = d.base64(text)
		}
	}
	return a, d.End()
}

// ErrCancelled is the answer "*" of a client that gives up AUTHENTICATE (RFC 9051
// section 6.2.2): the session says BAD.
var ErrCancelled = errors.New("authentication cancelled")

// SASLResponse reads one answer of the client in AUTHENTICATE and decodes it. Tag is
// that of the command. The error is ErrCancelled, *SyntaxError if it is no base64,
// *Bye or the reader's. After any of them the exchange is over.
func (d *Decoder) SASLResponse(tag string) ([]byte, error) {
	d.tag = tag
	text, err := d.Line()
	if err != nil {
		return nil, err
	}
	if string(text) == "*" {
		return nil, ErrCancelled
	}
	p := d.base64(text)
	return p, d.err
}

func (d *Decoder) base64(text []byte) []byte {
	if d.err != nil {
		return nil
	}
	p := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(p, text)
	if err != nil {
		d.fail("not base64")
		return nil
	}
	return p[:n]
}

// Done reads the line with which the client ends IDLE (RFC 9051 section 6.3.13). Tag
// is that of the command; anything but DONE is a *SyntaxError.
func (d *Decoder) Done(tag string) error {
	d.tag = tag
	text, err := d.Line()
	if err != nil {
		return err
	}
	if !equalFold(text, "DONE") {
		return d.Fail("DONE expected")
	}
	return nil
}
