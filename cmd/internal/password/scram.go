package password

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of SCRAM's iterations: RFC 7677 section 4 asks for 4096 at least.
const (
	minIterations = 4096
	maxIterations = 2_000_000
)

// scramKeys is what a server keeps for SCRAM-SHA-256 (RFC 5802 section 3): it
// can check a plain password as well as an exchange that never shows one.
type scramKeys struct {
	iterations int
	salt       []byte
	stored     []byte
}

// scram reads iterations,salt,StoredKey,ServerKey, the last three in base64:
// the form that Dovecot writes.
func scram(text string) (matcher, error) {
	f := strings.Split(text, ",")
	if len(f) != 4 {
		return nil, errors.New("it does not have iterations, salt and two keys")
	}
	n, err := strconv.Atoi(f[0])
	if err != nil || n < minIterations || n > maxIterations {
		return nil, fmt.Errorf("its iterations are not between %d and %d", minIterations, maxIterations)
	}
	k := scramKeys{iterations: n}
	var server []byte
	for i, dst := range []*[]byte{&k.salt, &k.stored, &server} {
		if *dst, err = base64.StdEncoding.DecodeString(f[i+1]); err != nil {
			return nil, errors.New("salt or key is not base64")
		}
	}
	if len(k.salt) == 0 || len(k.stored) != sha256.Size || len(server) != sha256.Size {
		return nil, errors.New("salt or key is of the wrong length")
	}
	return k, nil
}

// MatchAdvanced follows RFC 5802 section 3 from the password to StoredKey. A
// password is taken as its bytes: whoever made the keys with SASLprep made the
// same of every password in ASCII.
func (k scramKeys) MatchAdvanced(plain string) (bool, error) {
	salted, err := pbkdf2.Key(sha256.New, plain, k.salt, k.iterations, sha256.Size)
	if err != nil {
		return false, err
	}
	mac := hmac.New(sha256.New, salted)
	mac.Write([]byte("Client Key"))
	stored := sha256.Sum256(mac.Sum(nil))
	return subtle.ConstantTimeCompare(stored[:], k.stored) == 1, nil
}
