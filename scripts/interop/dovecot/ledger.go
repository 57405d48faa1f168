package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// slot is where a message is. UIDVALIDITYs do not change here.
type slot struct {
	mailbox string
	uid     uint32
}

// title is a subject in a mailbox; copies there share it.
type title struct{ mailbox, id string }

// missing is a message that a server has not told.
type missing struct {
	slot
	server string
}

// ledger is all that anybody has told or done, and what was wrong with it.
type ledger struct {
	mu                  sync.Mutex
	validity            map[string]uint32 // by mailbox
	id                  map[slot]string   // by what was told
	uids                map[title][]uint32
	births              map[title]int            // how often a message came into a mailbox
	told                map[string]seen          // INTERNALDATE and size by subject: copies keep them
	doomed              map[slot]bool            // somebody is about to remove it
	dead                map[slot]time.Time       // a server said then that it is removed
	moved               map[slot]int             // how often MOVE said that it has moved it
	flags               map[slot]map[string]bool // set and cleared by one worker only
	wanted              map[string]bool          // subscriptions, each set by one worker only
	refused             map[string]int           // answers other than OK and the like, by kind
	late                time.Duration            // how long after its removal a message was told at most
	steps, views, times int
	busy                bool // all work at once: nobody can be sure that a message is gone
	missed              map[missing]int
	wrong               []string
	found               bool // what is told now was there before, and nobody saw it come
}

func newLedger() *ledger {
	return &ledger{
		validity: map[string]uint32{}, id: map[slot]string{}, uids: map[title][]uint32{}, births: map[title]int{},
		told: map[string]seen{}, doomed: map[slot]bool{}, dead: map[slot]time.Time{}, moved: map[slot]int{},
		flags: map[slot]map[string]bool{}, wanted: map[string]bool{}, refused: map[string]int{}, missed: map[missing]int{},
	}
}

func (l *ledger) complain(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault(format, args...)
}

func (l *ledger) fault(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// refuse counts what is not wrong, but no plain yes.
func (l *ledger) refuse(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[kind]++
}

// living is what must be in a listing that begins now.
func (l *ledger) living(mailbox string) (all []slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.id {
		if s.mailbox == mailbox && !l.doomed[s] {
			all = append(all, s)
		}
	}
	return all
}

// graves is when those were removed that must not be in a listing that begins now.
func (l *ledger) graves(mailbox string) map[uint32]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[uint32]time.Time{}
	for s, since := range l.dead {
		if s.mailbox == mailbox {
			all[s.uid] = since
		}
	}
	return all
}

// expected is what is known of a mailbox before somebody looks at it.
type expected struct {
	living []slot
	graves map[uint32]time.Time
	begun  time.Time
}

func (l *ledger) expect(mailbox string) expected {
	return expected{l.living(mailbox), l.graves(mailbox), time.Now()}
}

// look has a server look at a mailbox, and holds what it tells against the ledger.
func (l *ledger) look(who string, s *session, mailbox string) (view, error) {
	e := l.expect(mailbox)
	v, err := s.look(mailbox)
	if err != nil {
		return v, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.views++
	if was := l.validity[mailbox]; was != 0 && was != v.validity {
		l.fault("%s tells UIDVALIDITY %d of %s, was %d", who, v.validity, mailbox, was)
	}
	l.validity[mailbox] = v.validity
	for uid, m := range v.messages {
		at := slot{mailbox, uid}
		l.note(who, at, m.id)
		l.noteMessage(who, at, m)
		if since, ok := e.graves[uid]; ok {
			l.late = max(l.late, e.begun.Sub(since))
			if !l.busy && e.begun.Sub(since) > tick {
				l.fault("%s tells UID %d of %s, which was removed %v before", who, uid, mailbox, e.begun.Sub(since))
			}
		}
	}
	for _, at := range e.living {
		if at.uid >= v.next {
			l.fault("%s tells that the next UID of %s is %d, but %d was told", who, mailbox, v.next, at.uid)
		}
		if _, ok := v.messages[at.uid]; !ok && !l.doomed[at] {
			l.miss(who, s.server, at)
		}
	}
	return v, nil
}

// miss takes up that a message was not told. A listing can miss a file that is renamed
// meanwhile, of which that server has not heard before; the next one finds it.
func (l *ledger) miss(who, server string, at slot) {
	m := missing{at, server}
	if l.missed[m]++; !l.busy || l.missed[m] == 2 {
		l.fault("%s does not tell UID %d of %s, %s", who, at.uid, at.mailbox, l.id[at])
	}
}

// note takes up that a UID was told.
func (l *ledger) note(who string, at slot, id string) {
	l.times++
	was, known := l.id[at]
	switch {
	case known && was != id:
		l.fault("%s tells that UID %d of %s is %s, was %s", who, at.uid, at.mailbox, id, was)
	case !known:
		l.id[at] = id
		t := title{at.mailbox, id}
		if l.found {
			l.births[t]++
		}
		l.uids[t] = append(l.uids[t], at.uid)
		if len(l.uids[t]) > l.births[t] {
			l.fault("%s tells that %s has UIDs %v in %s, where it came %d times", who, id, l.uids[t], at.mailbox, l.births[t])
		}
	}
}

// noteMessage takes up what does not change.
func (l *ledger) noteMessage(who string, at slot, m seen) {
	was, known := l.told[m.id]
	if known && (was.date != m.date || was.size != m.size) {
		l.fault("%s tells date %d and size %d of UID %d of %s, were %d and %d", who, m.date, m.size, at.uid, at.mailbox, was.date, was.size)
	}
	l.told[m.id] = m
}

// born takes up that a message may have come into a mailbox n times more.
func (l *ledger) born(mailbox, id string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.births[title{mailbox, id}] += n
}

// copies is how often a message came into any mailbox.
func (l *ledger) copies(id string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, mailbox := range append(folders, played...) {
		n += l.births[title{mailbox, id}]
	}
	return n
}

// doom takes up that messages are about to be removed.
func (l *ledger) doom(mailbox string, uids []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, uid := range uids {
		l.doomed[slot{mailbox, uid}] = true
	}
}

// bury takes up that messages are removed.
func (l *ledger) bury(mailbox string, uids []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, uid := range uids {
		l.dead[slot{mailbox, uid}] = time.Now()
	}
}

// flagged takes up a flag that only one worker sets and clears. Nobody knows what it
// is after a refusal.
func (l *ledger) flagged(mailbox string, uids []uint32, flag string, on bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, uid := range uids {
		at := slot{mailbox, uid}
		if l.flags[at] == nil {
			l.flags[at] = map[string]bool{}
		}
		l.flags[at][flag] = on
		if err != nil {
			delete(l.flags[at], flag)
		}
	}
}

func (l *ledger) subscribed(name string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted[name] = on
}

// settle holds what a mailbox is in the end against the ledger.
func (l *ledger) settle(when, mailbox string, v view) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for t, births := range l.births {
		if t.mailbox == mailbox && len(l.uids[t]) != births {
			l.fault("%s: %s has UIDs %v in %s, where it came %d times", when, t.id, l.uids[t], mailbox, births)
			l.births[t] = len(l.uids[t]) // once is enough
		}
	}
	for at, flags := range l.flags {
		m, ok := v.messages[at.uid]
		if at.mailbox != mailbox || !ok {
			continue
		}
		for flag, on := range flags {
			if m.has(flag) != on {
				l.fault("%s: UID %d of %s has flags %s, %s should be %v", when, at.uid, mailbox, m.flags, flag, on)
			}
		}
	}
}

// settleSubscriptions holds what a server tells of them against the ledger.
func (l *ledger) settleSubscriptions(when, who string, names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, on := range l.wanted {
		if slices.Contains(names, name) != on {
			l.fault("%s: %s tells subscriptions %q, %s should be %v", when, who, names, name, on)
		}
	}
}

// report prints figures and what was wrong, and says how much that is.
func (l *ledger) report(part string) int {
	twice := 0
	for _, n := range l.moved {
		if n > 1 {
			twice++
		}
	}
	came := 0
	for _, n := range l.births {
		came += n
	}
	fmt.Printf("%s: %d messages, %d UIDs, %d steps, %d listings, %d UIDs told, %d moved twice, %d missed once, told %v after removal, %d wrong\n",
		part, len(l.told), came, l.steps, l.views, l.times, twice, len(l.missed), l.late.Round(time.Millisecond), len(l.wrong))
	for _, kind := range slices.Sorted(maps.Keys(l.refused)) {
		fmt.Printf("  %d × %s\n", l.refused[kind], kind)
	}
	const enough = 40
	for _, w := range l.wrong[:min(enough, len(l.wrong))] {
		fmt.Println("FAIL", w)
	}
	return len(l.wrong)
}
