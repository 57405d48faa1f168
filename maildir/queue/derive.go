package queue

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Derivation is what an entry that follows from another one is to it. The ID of
// such an entry is made of the other's and of the lowest recipient it stands
// for, "ID.B2", so that a crash between its Commit and the end of that recipient
// makes no second one.
type Derivation byte

// The derivations. They are capital letters, which the host name at the end of
// an ordinary ID never has.
const (
	Bounce  Derivation = 'B' // a report of failure
	Delay   Derivation = 'D' // a report of delay
	Success Derivation = 'S' // a report of delivery
	Alias   Derivation = 'A' // the message, for the members of an alias
)

// Derive is the ID of an entry that follows from recipient n of entry id.
func Derive(id string, d Derivation, n int) string {
	suffix := "." + string(rune(d)) + strconv.Itoa(n)
	if len(id)+len(suffix) > maxID {
		h := fnv.New128a()
		h.Write([]byte(id))
		id = "H" + fmt.Sprintf("%x", h.Sum(nil))
	}
	return id + suffix
}

// Underive takes a derived ID apart. ok is false for an ordinary one.
func Underive(id string) (parent string, d Derivation, n int, ok bool) {
	i := strings.LastIndexByte(id, '.')
	if i < 1 || i+2 >= len(id) {
		return "", 0, 0, false
	}
	d = Derivation(id[i+1])
	if !strings.ContainsRune("BDSA", rune(d)) {
		return "", 0, 0, false
	}
	number, rest, ok := number(id[i+2:])
	if !ok || rest != "" || number < 1 || number > MaxRecipients {
		return "", 0, 0, false
	}
	return id[:i], d, int(number), true
}

// Waits reports whether a derived entry has to wait: the recipient that it
// follows from, whose present entry is parent, has not been ended yet, so whoever
// made the derived entry may do so again.
func Waits(d Derivation, parent Entry) bool { return d != Delay || !parent.DelaySent }

// BeginDerived starts an entry under a derived ID. again says that it may have
// been made before; if so, it is durable now, and the error is fs.ErrExist. Commit
// finds one that is there under the same name too, and returns nil.
func (q *Queue) BeginDerived(id string, again bool, env Envelope) (*Put, error) {
	if !validID(id) {
		return nil, fmt.Errorf("%q cannot be the ID of an entry", id)
	}
	if again {
		there, err := q.named(id)
		if err != nil {
			return nil, err
		}
		if len(there) > 0 {
			// Whoever made it may have died before the sync.
			if err := q.Sync(there); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("queue entry %s: %w", id, fs.ErrExist)
		}
	}
	p, err := q.Begin(env)
	if err != nil {
		return nil, err
	}
	// T is 0, at once, and not the time: made twice, it gets the same name.
	first := Entry{ID: id, Domain: domainField(env.Recipients[0].Address), Next: time.Unix(0, 0)}
	p.entry, p.derived = fresh(first), true
	return p, nil
}

// published is Publish for a derived entry: one that is there already needs only
// to be durable.
func (p *Put) published(err error) error {
	if p.derived && errors.Is(err, fs.ErrExist) {
		p.q.fs.Remove(p.q.tmp, p.tmp)
		return p.q.fs.SyncDir(p.q.fresh)
	}
	return err
}
