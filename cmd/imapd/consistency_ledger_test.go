package main

import (
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
)

// ledger is what all who work on the world know of its messages, which are known by
// an id in their headers.
type ledger struct {
	mu        sync.Mutex
	clock     int64
	acked     map[string]bool   // ids: the server or deliver said that it is there
	trashed   map[string]bool   // ids that somebody has given up
	transfers map[string]int    // ids: how many copies and moves were asked for
	ids       map[place]string  // I4
	gone      map[place]int64   // when a session was told that it is
	next      map[string]uint64 // UIDNEXT and HIGHESTMODSEQ that were told, by mailbox
}

// place is where a message is, for ever.
type place struct {
	box           string
	validity, uid uint32
}

func newLedger() ledger {
	return ledger{acked: map[string]bool{}, trashed: map[string]bool{}, transfers: map[string]int{},
		ids: map[place]string{}, gone: map[place]int64{}, next: map[string]uint64{}}
}

// now is a point in the order of all that the ledger was told.
func (l *ledger) now() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	return l.clock
}

func (l *ledger) ack(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[id] = true
}

func (l *ledger) trash(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trashed[id] = true
}

func (l *ledger) transfer(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.transfers[id]++
}

// id is the message at a place, "" if nobody has read it yet.
func (l *ledger) id(p place) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids[p]
}

// see takes up what message is at a place (I4).
func (l *ledger) see(p place, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if was := l.ids[p]; was != "" && was != id {
		return fmt.Errorf("I4: %v was %s and is %s", p, was, id)
	}
	l.ids[p] = id
	return nil
}

// vanish takes up that a session was told of a message's end.
func (l *ledger) vanish(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone[p] == 0 {
		l.clock++
		l.gone[p] = l.clock
	}
}

// meet takes up that a session, which selected its mailbox at a point in time, was
// told of a message (I11).
func (l *ledger) meet(p place, since int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.gone[p]; at != 0 && at < since {
		return fmt.Errorf("I11: %v (%s) was told to be gone, and is back", p, l.ids[p])
	}
	return nil
}

// floor is the highest number of its kind that was told up to now.
func (l *ledger) floor(what string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next[what]
}

// tell takes up a number of a kind that never falls (I5), which must be at least
// what was told before it was asked for.
func (l *ledger) tell(what string, n, floor uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < floor {
		return fmt.Errorf("I5: %s is %d and was %d", what, n, floor)
	}
	l.next[what] = max(l.next[what], n)
	return nil
}

// textOf is the message of an id, with LF line ends.
func textOf(id string) string {
	h := fnv.New32()
	h.Write([]byte(id))
	return fmt.Sprintf("Subject: message %s\nX-Id: %s\n\n%s", id, id, strings.Repeat(id+" and so on\n", int(h.Sum32()%300)))
}

// mortal reports whether a message may be deleted: every other one.
func mortal(id string) bool { return len(id) > 0 && id[len(id)-1]%2 == 0 }

// idOf is the id in a message.
func idOf(text string) string {
	_, id, _ := strings.Cut(text, "X-Id: ")
	id, _, _ = strings.Cut(id, "\n")
	return strings.TrimSuffix(id, "\r")
}
