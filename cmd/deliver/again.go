package main

import (
	"hash/maphash"
	"sync"
	"time"
)

// freshBases is how long a reading of a Maildir answers whether an earlier
// attempt stored a message. Another deliver may store one meanwhile, but the
// client that claims a message hands it over once at a time, and what we store
// ourselves after a failure makes the box be opened anew.
const freshBases = 10 * time.Second

// bases remembers which messages a Maildir holds. After a crash each message of
// a queue may have been stored before; reading the Maildir for each would make a
// backlog quadratic.
type bases struct {
	mu   sync.Mutex
	seed maphash.Seed
	read time.Time
	set  map[uint64]struct{} // hashes: a hit must be looked at, a miss is sure
}

// has reports whether an earlier attempt stored the message of this base,
// durably.
func (x *box) has(base string, now time.Time) (bool, error) {
	maybe, err := x.bases.maybe(x, base, now)
	if !maybe || err != nil {
		return false, err
	}
	return x.Maildir.Has(base)
}

func (b *bases) maybe(x *box, base string, now time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set == nil || now.Sub(b.read) > freshBases {
		if err := b.load(x); err != nil {
			return false, err
		}
		b.read = now
	}
	_, ok := b.set[maphash.String(b.seed, base)]
	return ok, nil
}

func (b *bases) load(x *box) error {
	l, err := x.Scan()
	if err != nil {
		return err
	}
	b.seed = maphash.MakeSeed()
	b.set = make(map[uint64]struct{}, l.Len())
	for i := range l.Len() {
		b.set[maphash.String(b.seed, l.At(i).Base)] = struct{}{}
	}
	return nil
}
