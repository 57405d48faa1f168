package main

import (
	"container/heap"
	"time"

	"rohrpost/maildir/queue"
)

// busyPause is how long an entry that somebody else handles is left alone.
const busyPause = 30 * time.Second

// key names a recipient.
type key struct {
	id string
	r  int
}

// item is one entry that relay knows of.
type item struct {
	queue.Entry
	at    time.Time // when to handle it; never before
	again bool      // an earlier attempt may have got anywhere
	busy  bool      // a job has it
	taken string    // the name under which that job took it
	hurry bool      // to be handled again as soon as that job has ended
	stuck string    // the name under which it cannot be handled, ever
	// finished says that it is done, but its name could not be taken away.
	finished bool
	place    int // in the heap; -1 if it is not there
}

// table is all that relay knows of the queue: every entry, and a heap of those
// that wait for their time. Only the loop in relay.go uses it.
type table struct {
	items map[key]*item
	wait  schedule
}

func newTable() *table { return &table{items: map[key]*item{}} }

// schedule is a heap of items by time, and the recipients of one entry side by
// side, with the whole one first.
type schedule []*item

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	a, b := s[i], s[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	if a.ID != b.ID {
		return a.ID < b.ID
	}
	return a.R < b.R
}
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}
func (s *schedule) Push(x any) {
	it := x.(*item)
	it.place = len(*s)
	*s = append(*s, it)
}
func (s *schedule) Pop() any {
	old := *s
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	it.place = -1
	return it
}

// put adds an entry, or takes note of its new name. at is when to handle it. An
// entry that a job has keeps its time: the job will say.
func (t *table) put(e queue.Entry, at time.Time, again bool) {
	it := t.items[key{e.ID, e.R}]
	if it == nil {
		it = &item{again: again, place: -1}
		t.items[key{e.ID, e.R}] = it
	}
	it.Entry = e
	it.Held = e.Held || e.Name() == it.stuck
	if !it.busy {
		t.setTime(it, at)
	}
}

// setTime puts an item into the schedule, or takes it out if it is not to be
// handled.
func (t *table) setTime(it *item, at time.Time) {
	it.at = at
	switch {
	case it.Held && it.place >= 0:
		heap.Remove(&t.wait, it.place)
	case it.Held:
	case it.place >= 0:
		heap.Fix(&t.wait, it.place)
	default:
		heap.Push(&t.wait, it)
	}
}

// drop forgets a recipient.
func (t *table) drop(k key) {
	if it := t.items[k]; it != nil {
		if it.place >= 0 {
			heap.Remove(&t.wait, it.place)
		}
		delete(t.items, k)
	}
}

// take takes the next recipients of one entry that are due, or nothing. They are
// busy until release or drop.
func (t *table) take(now time.Time) []*item {
	var group []*item
	for len(t.wait) > 0 {
		it := t.wait[0]
		if it.at.After(now) || len(group) > 0 && (it.ID != group[0].ID || it.finished != group[0].finished) {
			break
		}
		if len(group) == 0 && t.blocked(it) {
			t.setTime(it, now.Add(busyPause))
			continue
		}
		heap.Pop(&t.wait)
		it.busy, it.taken = true, it.Name()
		group = append(group, it)
	}
	return group
}

// blocked reports whether an item has to wait for another one: a recipient for
// the entry that is being expanded, a derived entry for the recipient it follows
// from.
func (t *table) blocked(it *item) bool {
	if it.R > 0 && t.items[key{it.ID, 0}] != nil {
		return true
	}
	id, d, n, ok := queue.Underive(it.ID)
	if !ok {
		return false
	}
	for _, k := range []key{{id, n}, {id, 0}} {
		if p := t.items[k]; p != nil && queue.Waits(d, p.Entry) {
			return true
		}
	}
	return false
}

// end takes note of what a job says of an entry. A name that appeared meanwhile
// is news that the job may not have: then it does not count as gone, nor as what
// the job left alone.
func (t *table) end(end ending) {
	k := key{end.entry.ID, end.entry.R}
	it := t.items[k]
	if it == nil {
		if !end.gone {
			t.put(end.entry, end.at, true)
		}
		return
	}
	it.busy = false
	if it.again {
		defer t.wake(end.entry)
	}
	if it.hurry {
		it.hurry, end.at = false, time.Now()
	}
	renamed := it.Name() != it.taken && it.Name() != end.entry.Name()
	switch {
	case renamed && (end.gone || end.entry.Name() == it.taken):
		it.again = true
		t.setTime(it, end.at)
	case end.gone:
		t.drop(k)
	default:
		it.Entry, it.again, it.finished = end.entry, true, end.finished
		if end.stuck {
			it.Held, it.stuck = true, it.Name()
		}
		t.setTime(it, end.at)
	}
}

// wake makes the entries due that follow from this one, which an earlier run may
// have made: those that still have to wait are put off again.
func (t *table) wake(parent queue.Entry) {
	for _, d := range []queue.Derivation{queue.Alias, queue.Bounce, queue.Delay, queue.Success} {
		child := t.items[key{queue.Derive(parent.ID, d, parent.Number()), 0}]
		if child != nil && !child.busy {
			t.setTime(child, time.Now())
		}
	}
}

// hurry makes everything due.
func (t *table) hurry(now time.Time) {
	for _, it := range t.items {
		if it.busy {
			it.hurry = true
		} else {
			t.setTime(it, now)
		}
	}
}

// next is when the first item is due; ok is false if none waits.
func (t *table) next() (at time.Time, ok bool) {
	if len(t.wait) == 0 {
		return time.Time{}, false
	}
	return t.wait[0].at, true
}
