package main

import (
	"fmt"
	"testing"
	"time"

	"rohrpost/maildir/queue"
)

var noon = time.Unix(1767323045, 0)

func entry(t *testing.T, name string) queue.Entry {
	t.Helper()
	e, ok := queue.ParseName(name, queue.InCur)
	if !ok {
		t.Fatalf("%q is no entry", name)
	}
	return e
}

func taken(group []*item) string {
	s := ""
	for _, it := range group {
		s += fmt.Sprintf("%s/%d ", it.ID, it.R)
	}
	return s
}

func TestRecipientsOfOneEntryAreTakenTogether(t *testing.T) {
	t.Parallel()
	tab := newTable()
	for _, name := range []string{"b,R=2,D=x,T=5,A=0:2,", "a,R=1,D=x,T=5,A=0:2,", "b,R=1,D=x,T=5,A=0:2,", "c,D=x,T=4,A=0:2,", "b,R=3,D=x,T=6,A=0:2,"} {
		e := entry(t, name)
		tab.put(e, e.Next, false)
	}
	for _, want := range []string{"c/0 ", "a/1 ", "b/1 b/2 ", ""} {
		if got := taken(tab.take(time.Unix(5, 0))); got != want {
			t.Errorf("took %q, want %q", got, want)
		}
	}
	if at, ok := tab.next(); !ok || at.Unix() != 6 {
		t.Errorf("next at %v, %t", at, ok)
	}
}

func TestHeldIsNotTakenUntilReleased(t *testing.T) {
	t.Parallel()
	tab := newTable()
	tab.put(entry(t, "a,D=x,T=5,A=0:2,"), noon, false)
	tab.put(entry(t, "a,D=x,T=5,A=0:2,F"), noon, false)
	if got := tab.take(noon); got != nil {
		t.Errorf("took %q", taken(got))
	}
	tab.put(entry(t, "a,D=x,T=5,A=0:2,"), noon, false)
	if got := taken(tab.take(noon)); got != "a/0 " {
		t.Errorf("took %q", got)
	}
}

func TestDerivedEntryWaitsForItsParent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parent, child string
		waits         bool
	}{
		{"a,R=2,D=x,T=999,A=0:2,", "a.B2,D=x,T=0,A=0:2,", true},
		{"a,D=x,T=999,A=0:2,", "a.B1,D=x,T=0,A=0:2,", true},
		{"a,R=1,D=x,T=999,A=0:2,", "a.B2,D=x,T=0,A=0:2,", false},
		{"a,D=x,T=999,A=1:2,", "a.D1,D=x,T=0,A=0:2,", true},
		{"a,D=x,T=999,A=1,N=d:2,", "a.D1,D=x,T=0,A=0:2,", false},
		{"a,D=x,T=999,A=1,N=d:2,", "a.A1,D=x,T=0,A=0:2,", true},
		{"a,D=x,T=999,A=0:2,", "a,R=1,D=x,T=0,A=0:2,", true},
	} {
		tab := newTable()
		for _, name := range []string{c.parent, c.child} {
			e := entry(t, name)
			tab.put(e, e.Next, false)
		}
		if got := taken(tab.take(time.Unix(5, 0))); (got == "") != c.waits {
			t.Errorf("with %s took %q of %s", c.parent, got, c.child)
		}
	}
}

// What a killed relay has made waits for its parent, and no longer.
func TestEntryOfAnEarlierRunIsWoken(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, child := range []string{"a.A2", "a.B2", "a.S2"} {
		tab := newTable()
		parent := entry(t, "a,R=2,D=x,T=5,A=0:2,")
		tab.put(parent, now, true)
		tab.put(entry(t, child+",D=x,T=0,A=0:2,"), time.Unix(0, 0), true)
		if got := taken(tab.take(now)); got != "a/2 " {
			t.Fatalf("took %q", got)
		}
		if got := taken(tab.take(now)); got != "" {
			t.Errorf("took %q before its parent ended", got)
		}
		tab.end(ending{entry: parent, gone: true})
		if got := taken(tab.take(time.Now())); got != child+"/0 " {
			t.Errorf("took %q, want %s", got, child)
		}
	}
}

// An event may come while a job has the entry, before or after the job's own
// rename, and late ones even after its end.
func TestNamesThatAppearWhileAJobRuns(t *testing.T) {
	t.Parallel()
	const first, second, third = "a,D=x,T=5,A=0:2,", "a,D=x,T=9,A=1:2,", "a,D=x,T=9,A=1:2,F"
	for _, c := range []struct {
		claim  string
		heard  []string
		end    ending
		wanted string // the name known afterwards; "" if forgotten
	}{
		{"nothing heard, done", nil, ending{entry: entry(t, first), gone: true}, ""},
		{"nothing heard, retried", nil, ending{entry: entry(t, second)}, second},
		{"the job's own rename", []string{second}, ending{entry: entry(t, second)}, second},
		{"renamed, and gone for the job", []string{second}, ending{entry: entry(t, first), gone: true}, second},
		{"renamed, and left alone by the job", []string{second}, ending{entry: entry(t, first)}, second},
		{"renamed, and renamed again by the job", []string{third}, ending{entry: entry(t, second)}, second},
	} {
		tab := newTable()
		tab.put(entry(t, first), noon, false)
		if tab.take(noon) == nil {
			t.Fatal("nothing to take")
		}
		for _, name := range c.heard {
			tab.put(entry(t, name), noon, false)
		}
		if got := tab.take(noon); got != nil {
			t.Errorf("%s: taken twice", c.claim)
		}
		tab.end(c.end)
		got := ""
		if it := tab.items[key{"a", 0}]; it != nil {
			got = it.Name()
			if it.busy {
				t.Errorf("%s: still busy", c.claim)
			}
		}
		if got != c.wanted {
			t.Errorf("%s: known as %q, want %q", c.claim, got, c.wanted)
		}
	}
}

func TestWatchWithoutInotifyLooks(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	q := testQueue(t, h)
	w := &watcher{news: make(chan news, 1), stop: make(chan struct{})}
	go w.look(q)
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	n := <-w.news
	if n.entries != nil || n.drop {
		t.Errorf("%+v does not say to read the directories", n)
	}
	w.close()
}

func TestLostNamesAreReadAgain(t *testing.T) {
	t.Parallel()
	w := &watcher{watches: map[int32]watched{1: watchNew}}
	overflow := make([]byte, inotifyHeader)
	overflow[5] = 0x40 // IN_Q_OVERFLOW, little endian
	if n := w.parse(overflow); n.entries != nil {
		t.Errorf("%+v does not say to read the directories", n)
	}
	ours := make([]byte, inotifyHeader+32)
	ours[0], ours[5], ours[12] = 1, 0x01, 32 // IN_CREATE
	copy(ours[inotifyHeader:], "a,D=x,T=5,A=0")
	if n := w.parse(ours); len(n.entries) != 1 || n.entries[0].ID != "a" || !n.entries[0].Fresh() {
		t.Errorf("%+v", n)
	}
	copy(ours[inotifyHeader:], "README\x00")
	if n := w.parse(ours); n.entries == nil || len(n.entries) != 0 {
		t.Errorf("%+v for a name that is no entry's", n)
	}
}
