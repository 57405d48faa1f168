package password

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// What a hash may ask for. Each bound is several times what any system writes
// by default and about four seconds of one core.
const (
	maxMemory     = 256 << 10 // argon2, KiB
	maxWork       = 2 << 20   // argon2, KiB times passes
	maxLanes      = 16        // argon2
	maxKey        = 64        // argon2, bytes
	maxBcryptCost = 15        // the base-2 logarithm of the rounds
	minSHARounds  = 1000      // crypt(5): fewer are not valid
	maxSHARounds  = 5_000_000
	maxYescryptN  = 16 // the base-2 logarithm; with 32 blocks of 128 bytes 256 MiB
	maxYescryptR  = 32
	minYescryptN  = 10
)

// formats are the IDs of crypt(3) with the readers of what follows: the whole
// text, and its fields after the ID.
var formats = map[string]func(text string, fields []string) (matcher, error){
	"argon2id": argon2id,
	"2a":       blowfish,
	"2b":       blowfish,
	"2y":       blowfish,
	"5":        sha2,
	"6":        sha2,
	"y":        yescrypt,
}

// decoded is a digest as a matcher. The library's errors quote the text they
// cannot read, which is a secret, so they are not passed on.
func decoded(d algorithm.Digest, err error) (matcher, error) {
	if err != nil {
		return nil, errors.New("salt or hash is not well formed")
	}
	return d, nil
}

// argon2id reads v=19, m=KiB,t=passes,p=lanes, salt, key.
func argon2id(text string, fields []string) (matcher, error) {
	if len(fields) != 4 {
		return nil, errors.New("it does not have version, parameters, salt and key")
	}
	var m, t, p int
	for _, kv := range strings.Split(fields[1], ",") {
		key, v, _ := strings.Cut(kv, "=")
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, errors.New("its parameters are not m=, t= and p= with numbers")
		}
		switch key {
		case "m":
			m = n
		case "t":
			t = n
		case "p":
			p = n
		}
	}
	switch {
	case m == 0 || t == 0 || p == 0:
		return nil, errors.New("its parameters are not m=, t= and p= with numbers")
	case m > maxMemory:
		return nil, fmt.Errorf("it asks for %d KiB of memory, more than %d", m, maxMemory)
	case t > maxWork/m:
		return nil, fmt.Errorf("it asks for %d passes over %d KiB, more than %d KiB in all", t, m, maxWork)
	case p > maxLanes:
		return nil, fmt.Errorf("it asks for %d lanes, more than %d", p, maxLanes)
	case len(fields[3]) > maxKey*4/3+1:
		return nil, fmt.Errorf("its key is longer than %d bytes", maxKey)
	}
	return decoded(argon2.DecodeVariant(argon2.VariantID)(text))
}

// blowfish reads cost, then salt and key in one.
func blowfish(text string, fields []string) (matcher, error) {
	if len(fields) != 2 {
		return nil, errors.New("it does not have cost and key")
	}
	cost, err := strconv.Atoi(fields[0])
	if err != nil || cost < 4 || cost > maxBcryptCost {
		return nil, fmt.Errorf("its cost is not between 4 and %d", maxBcryptCost)
	}
	return decoded(bcrypt.Decode(text))
}

// sha2 reads rounds=N or nothing, salt, key.
func sha2(text string, fields []string) (matcher, error) {
	if n := len(fields); n != 2 && n != 3 {
		return nil, errors.New("it does not have salt and key")
	}
	if len(fields) == 3 {
		v, ok := strings.CutPrefix(fields[0], "rounds=")
		n, err := strconv.Atoi(v)
		if !ok || err != nil || n < minSHARounds || n > maxSHARounds {
			return nil, fmt.Errorf("its rounds are not between %d and %d", minSHARounds, maxSHARounds)
		}
	}
	return decoded(shacrypt.Decode(text))
}

// yescrypt reads jNr (flags, log of N, block size), salt, key.
func yescrypt(text string, fields []string) (matcher, error) {
	if len(fields) != 3 || len(fields[0]) != 3 || fields[0][0] != 'j' {
		return nil, errors.New("its parameters are not the three letters that crypt(5) writes")
	}
	const itoa64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, r := strings.IndexByte(itoa64, fields[0][1])+1, strings.IndexByte(itoa64, fields[0][2])+1
	if n < minYescryptN || n > maxYescryptN || r < 1 || r > maxYescryptR {
		return nil, fmt.Errorf("its cost is not between 2^%d and 2^%d blocks of at most %d", minYescryptN, maxYescryptN, maxYescryptR)
	}
	return decoded(scrypt.DecodeVariant(scrypt.VariantYescrypt)(text))
}
