package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// steps are what is done in a session, and how often.
var steps = []struct {
	often int
	do    func(*turn) error
}{
	{6, (*turn).append},
	{4, (*turn).storeOwn},
	{3, (*turn).storeShared},
	{4, (*turn).copy},
	{4, (*turn).move},
	{3, (*turn).expunge},
	{2, (*turn).subscribe},
	{1, (*turn).status},
	{2, (*turn).noop},
}

// turn is a session at work in a folder.
type turn struct {
	*worker
	s      *session
	folder string
	v      view // without what this session has removed
}

// step does one of steps.
func (t *turn) step() error {
	t.ledger.mu.Lock()
	t.ledger.steps++
	t.ledger.mu.Unlock()
	if len(t.v.messages) > t.full {
		return t.expunge()
	}
	sum := 0
	for _, s := range steps {
		sum += s.often
	}
	n := t.r.IntN(sum)
	for _, s := range steps {
		if n -= s.often; n < 0 {
			return s.do(t)
		}
	}
	return nil
}

// some is a few UIDs of the view, none twice.
func (t *turn) some() (uids []uint32) {
	all := t.v.uids()
	t.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(len(all), 1+t.r.IntN(4))]
}

// set is UIDs as a command has them.
func set(uids []uint32) string {
	var b strings.Builder
	for i, uid := range uids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(uid), 10))
	}
	return b.String()
}

// keywords is what all give; case differs to see who minds.
var keywords = []string{"Work", "work", "$MDNSent", "later", "LATER", "Junk"}

func message(id string) string { return "Subject: " + id + "\r\n\r\nText of " + id + "\r\n" }

var appended = regexp.MustCompile(`\[APPENDUID (\d+) (\d+)\]`)

// append stores a message with a date of the past.
func (t *turn) append() error {
	id, folder := nextID(t.name), folders[t.r.IntN(len(folders))]
	date := time.Unix(1500000000+t.r.Int64N(100000000), 0).In(time.FixedZone("", 3600*(t.r.IntN(20)-10)))
	text := message(id)
	t.ledger.born(folder, id, 1)
	lines, err := t.s.do("APPEND %s (%s) \"%s\" {%d}\r\n%s", folder, keywords[t.r.IntN(len(keywords))], date.Format("_2-Jan-2006 15:04:05 -0700"), len(text), text)
	if err != nil {
		t.ledger.born(folder, id, -1)
		return t.pass(err)
	}
	m := appended.FindStringSubmatch(lines[len(lines)-1])
	if m == nil {
		return fmt.Errorf("%s: no APPENDUID in %q", t.name, lines)
	}
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	at := slot{folder, number(m[2])}
	t.ledger.note(t.name, at, id)
	t.ledger.noteMessage(t.name, at, seen{id: id, date: date.Unix(), size: int64(len(text))})
	return nil
}

// storeOwn sets or clears a keyword that nobody else does.
func (t *turn) storeOwn() error {
	uids, on := t.some(), t.r.IntN(2) == 0
	if len(uids) == 0 {
		return nil
	}
	_, err := t.s.do("UID STORE %s %cFLAGS ($%s)", set(uids), "-+"[b2i(on)], t.name)
	t.ledger.flagged(t.folder, uids, "$"+t.name, on, err)
	return t.pass(err)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// storeShared changes flags that all change.
func (t *turn) storeShared() error {
	uids := t.some()
	if len(uids) == 0 {
		return nil
	}
	_, err := t.s.do(`UID STORE %s %cFLAGS (\Seen \Flagged %s)`, set(uids), "-+"[t.r.IntN(2)], keywords[t.r.IntN(len(keywords))])
	return t.pass(err)
}

var copied = regexp.MustCompile(`\[COPYUID (\d+) (\S+) (\S+)\]`)

// copy copies to another folder.
func (t *turn) copy() error {
	_, err := t.transfer("COPY", t.some())
	return err
}

// move moves to another folder.
func (t *turn) move() error {
	uids := t.some()
	t.ledger.doom(t.folder, uids)
	from, err := t.transfer("MOVE", uids)
	t.ledger.bury(t.folder, from)
	for _, uid := range uids {
		delete(t.v.messages, uid)
	}
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	for _, uid := range from {
		t.ledger.moved[slot{t.folder, uid}]++
	}
	return err
}

// transfer copies or moves to another folder, and returns which UIDs it was.
func (t *turn) transfer(verb string, uids []uint32) (from []uint32, err error) {
	to := folders[t.r.IntN(len(folders))]
	for to == t.folder {
		to = folders[t.r.IntN(len(folders))]
	}
	if len(uids) == 0 {
		return nil, nil
	}
	for _, uid := range uids {
		t.ledger.born(to, t.v.messages[uid].id, 1)
	}
	lines, err := t.s.do("UID %s %s %s", verb, set(uids), to)
	var there []uint32
	for _, line := range lines {
		if m := copied.FindStringSubmatch(line); m != nil {
			from, there = append(from, expand(m[2])...), append(there, expand(m[3])...)
		}
	}
	if len(from) != len(there) {
		return nil, fmt.Errorf("%s: COPYUID in %q", t.name, lines)
	}
	t.arrived(to, uids, from, there)
	return from, t.pass(err)
}

// arrived takes up what has become of messages that were to be in another folder:
// those that are not in from were gone.
func (t *turn) arrived(to string, uids, from, there []uint32) {
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	for i, uid := range from {
		t.ledger.note(t.name, slot{to, there[i]}, t.v.messages[uid].id)
	}
	for _, uid := range uids {
		if !slices.Contains(from, uid) {
			t.ledger.births[title{to, t.v.messages[uid].id}]--
		}
	}
}

// expunge removes messages for good.
func (t *turn) expunge() error {
	uids := t.some()
	if len(uids) == 0 {
		return nil
	}
	t.ledger.doom(t.folder, uids)
	_, err := t.s.do(`UID STORE %s +FLAGS.SILENT (\Deleted)`, set(uids))
	if err == nil {
		_, err = t.s.do("UID EXPUNGE %s", set(uids))
	}
	if err == nil {
		t.ledger.bury(t.folder, uids)
	}
	for _, uid := range uids {
		delete(t.v.messages, uid)
	}
	return t.pass(err)
}

// subscribe subscribes to a mailbox that nobody else subscribes to, or ends that.
func (t *turn) subscribe() error {
	name, on := own(t.name), t.r.IntN(2) == 0
	_, err := t.s.do("%s %s", []string{"UNSUBSCRIBE", "SUBSCRIBE"}[b2i(on)], name)
	if err == nil {
		t.ledger.subscribed(name, on)
	}
	return t.pass(err)
}

var statusValidity = regexp.MustCompile(`UIDVALIDITY (\d+)`)

// status asks for another folder.
func (t *turn) status() error {
	folder := folders[t.r.IntN(len(folders))]
	lines, err := t.s.do("STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", folder)
	if err != nil {
		return t.pass(err)
	}
	got := find(statusValidity, lines)
	if got == 0 && t.server == dovecot {
		return nil // the folder was being looked at for the first time
	}
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	if was := t.ledger.validity[folder]; was != 0 && was != got {
		t.ledger.fault("%s tells UIDVALIDITY %d of %s by STATUS, was %d", t.name, got, folder, was)
	}
	return nil
}

// noop hears what others have done.
func (t *turn) noop() error {
	_, err := t.s.do("NOOP")
	return err
}
