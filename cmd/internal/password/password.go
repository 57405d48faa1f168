// Package password makes and checks the password hashes of users(5): {SCHEME}
// and a text, as Dovecot writes them.
//
// A hash comes out of a file that people edit, and its parameters say how much
// memory and time a check takes. So each scheme bounds them before it starts: a
// bad line costs its user the login, not the host its memory.
//
// Only checkpw and the front door import this package. The programs that talk
// to strangers link no hash at all.
//
// Start reading at Verify, then schemes.
package password

import (
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm/argon2"
)

// What Hash takes for a password: 19 MiB of memory, two passes, one lane. It is
// the smallest that OWASP calls enough, since every login pays for it.
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 1
)

// DefaultScheme is the scheme of Hash.
const DefaultScheme = "ARGON2ID"

// Hash is a new hash of plain with a salt of its own, ready for users(5).
func Hash(plain string) (string, error) {
	h, err := argon2.New(argon2.WithVariantID(),
		argon2.WithM(hashMemory), argon2.WithT(hashPasses), argon2.WithP(hashLanes),
		argon2.WithS(16), argon2.WithK(32))
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	digest, err := h.Hash(plain)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return "{" + DefaultScheme + "}" + digest.Encode(), nil
}

// Verify reports whether plain is the password that stored is a hash of. An
// error says what is wrong with stored; it never contains it. No password
// matches an empty one, and an empty password matches nothing.
func Verify(stored, plain string) (bool, error) {
	h, err := parse(stored)
	if err != nil {
		return false, err
	}
	ok, err := h.MatchAdvanced(plain)
	if err != nil {
		return false, fmt.Errorf("compute the hash: %w", err)
	}
	return ok && plain != "", nil
}

// Check reports what is wrong with a hash, without the work of a Verify.
func Check(stored string) error {
	_, err := parse(stored)
	return err
}

// nobody is a well-formed hash of Hash's cost that is no password's: its key
// was not computed but drawn.
const nobody = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$" +
	"cm9ocnBvc3Qgbm9ib2R5IQ$Zm9yIHdob2V2ZXIgaXMgbm90IGluIHRoZSBmaWxlIC0"

// Pretend does the work of a Verify for a login that nobody has, so that the
// time of an answer does not tell which logins exist. like is the hash of some
// user, whose cost is taken; one that cannot be used stands for Hash's own.
func Pretend(like, plain string) {
	if _, err := Verify(like, plain); err != nil {
		Verify(nobody, plain)
	}
}

// matcher is a hash that was understood and whose cost is bounded.
type matcher interface {
	MatchAdvanced(plain string) (bool, error)
}

// parse understands a stored hash. Without {SCHEME} it is crypt(3)'s, as it is
// for Dovecot.
func parse(stored string) (matcher, error) {
	name, text := "CRYPT", stored
	if strings.HasPrefix(stored, "{") {
		var ok bool
		if name, text, ok = strings.Cut(stored[1:], "}"); !ok {
			return nil, fmt.Errorf("the scheme has no closing brace")
		}
	}
	s, ok := schemes[strings.ToUpper(name)]
	if !ok {
		return nil, fmt.Errorf("scheme %.40q is not known here", name)
	}
	m, err := s(text)
	if err != nil {
		return nil, fmt.Errorf("hash of scheme %s: %w", strings.ToUpper(name), err)
	}
	return m, nil
}
