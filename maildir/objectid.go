package maildir

import (
	"hash/fnv"
	"strconv"
)

// ObjectID identifies the content of a message by its base: that of a message and
// of its copies is the same. A base as the Namer makes it holds the number as its
// random part, which the base of a copy repeats; of all other bases it is a hash.
// So it survives whatever a file's name survives.
func ObjectID(base string) uint64 {
	if id, ok := randomPart(base); ok {
		return id
	}
	h := fnv.New64a()
	h.Write([]byte(base))
	return h.Sum64()
}

// Ours reports whether a base was made by a Namer, so that the file was synced
// before it got its name.
func Ours(base string) bool {
	_, ok := randomPart(base)
	return ok
}

// randomPart is the 64 bits between R and the host in a base of a Namer.
func randomPart(base string) (uint64, bool) {
	rest := base
	for _, mark := range []string{".M", "P", "Q", "R"} {
		digits := 0
		for digits < len(rest) && isDigit(rest[digits]) {
			digits++
		}
		if digits == 0 || len(rest) < digits+len(mark) || rest[digits:digits+len(mark)] != mark {
			return 0, false
		}
		rest = rest[digits+len(mark):]
	}
	if len(rest) < 18 || rest[16] != '.' {
		return 0, false
	}
	for i := range 16 {
		if c := rest[i]; !isDigit(c) && (c < 'a' || c > 'f') {
			return 0, false
		}
	}
	id, err := strconv.ParseUint(rest[:16], 16, 64)
	return id, err == nil
}
