package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
)

// ErrMalformed is a response of SASL that is not what the mechanism says.
var ErrMalformed = errors.New("malformed response")

// Plain takes apart a response of the mechanism PLAIN in base64, as the protocols
// carry it; see PlainMessage.
func Plain(response string) (login, password string, err error) {
	b, err := base64.StdEncoding.Strict().DecodeString(response)
	if err != nil || strings.ContainsAny(response, "\r\n") {
		return "", "", ErrMalformed
	}
	return PlainMessage(b)
}

// PlainMessage takes apart a message of the mechanism PLAIN (RFC 4616):
// authorization identity, NUL, login, NUL, password. An authorization identity
// other than none and the login itself would be acting for somebody else, which
// nobody may: ErrMalformed, as for everything that is no such message.
func PlainMessage(b []byte) (login, password string, err error) {
	f := bytes.Split(b, []byte{0})
	if len(f) != 3 || len(f[1]) == 0 || len(f[2]) == 0 {
		return "", "", ErrMalformed
	}
	if len(f[0]) > 0 && !bytes.Equal(f[0], f[1]) {
		return "", "", ErrMalformed
	}
	return string(f[1]), string(f[2]), nil
}
