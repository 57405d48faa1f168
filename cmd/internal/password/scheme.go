package password

import (
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
)

// schemes are the words that may stand in braces (users(5)), upper case, each
// with the reader of the text behind them.
var schemes = map[string]func(text string) (matcher, error){
	"ARGON2ID":      only("argon2id"),
	"BCRYPT":        only("2a", "2b", "2y"),
	"BLF-CRYPT":     only("2a", "2b", "2y"),
	"SHA256-CRYPT":  only("5"),
	"SHA512-CRYPT":  only("6"),
	"CRYPT":         only("argon2id", "2a", "2b", "2y", "5", "6", "y"),
	"SCRAM-SHA-256": scram,
	"PLAIN":         plaintext,
}

// only reads crypt(3)'s form, $ID$…, with one of these IDs.
func only(ids ...string) func(text string) (matcher, error) {
	return func(text string) (matcher, error) {
		fields := strings.Split(text, "$")
		if len(fields) < 3 || fields[0] != "" {
			return nil, errors.New("it is not of the form $ID$SALT$HASH")
		}
		if id := fields[1]; !slices.Contains(ids, id) {
			return nil, errors.New("$" + printable(id) + "$ is not of this scheme")
		}
		return formats[fields[1]](text, fields[2:])
	}
}

// printable is a short id for a message; what is no id is not repeated, since
// it may be part of a secret in the wrong place.
func printable(id string) string {
	if len(id) <= 10 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
		return id
	}
	return "…"
}

// plain is a password as it is, for tests: whoever reads the file has them all.
type plain string

func plaintext(text string) (matcher, error) {
	if text == "" {
		return nil, errors.New("the password is empty")
	}
	return plain(text), nil
}

func (p plain) MatchAdvanced(password string) (bool, error) {
	return subtle.ConstantTimeCompare([]byte(p), []byte(password)) == 1, nil
}
