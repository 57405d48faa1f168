package uidlist_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/dotlock"
	"rohrpost/maildir/uidlist"
)

// promise is what somebody was told: a list as text has it.
type promise struct {
	validity, next uint32
	uids           map[string]uint32
}

func parsePromise(s string) promise {
	p := promise{uids: map[string]uint32{}}
	fields := strings.Fields(s)
	fmt.Sscanf(fields[0]+fields[1], "V%dN%d", &p.validity, &p.next)
	for _, f := range fields[2:] {
		uid, base, _ := strings.Cut(f, ":")
		var n uint32
		fmt.Sscan(uid, &n)
		p.uids[base] = n
	}
	return p
}

// keeps holds a list of later to a promise: under the same UIDVALIDITY each message
// has the UID that was told, no other message has it, and the next UID has not
// fallen; the UIDVALIDITY itself never falls. Messages in gone need not have a
// record any more.
func (p promise) keeps(l *uidlist.List, gone string) error {
	switch {
	case l.Validity < p.validity:
		return fmt.Errorf("UIDVALIDITY fell from %d to %d", p.validity, l.Validity)
	case l.Validity > p.validity:
		return fmt.Errorf("UIDVALIDITY %d is %d now", p.validity, l.Validity)
	case l.Next < p.next:
		return fmt.Errorf("next UID fell from %d to %d", p.next, l.Next)
	}
	for base, uid := range p.uids {
		if has := l.UID(base); has != uid && !strings.Contains(gone, base) {
			return fmt.Errorf("%s had UID %d and has %d", base, uid, has)
		}
	}
	for i := range l.Len() {
		r := l.Record(i)
		if was := p.uids[r.Name]; was != r.UID && r.UID < p.next {
			return fmt.Errorf("UID %d of %v is given to %s", r.UID, p.uids, r.Name)
		}
	}
	return nil
}

// judge runs change, which calls told with each list that it returned, and then
// holds what Assign gives in every world to all that was told before the cut.
func judge(t *testing.T, prepare, gone string, change func(m *maildir.Maildir, told func(l *uidlist.List))) {
	t.Helper()
	made := box(t, disktest.Fast)
	root := filepath.Dir(made.Path())
	if prepare != "" {
		write(t, made, uidlist.Name, prepare)
	}
	r := disktest.Record(t, root)
	m, err := maildir.Open(made.Path(), r)
	must(t, err)
	defer m.Close()
	change(m, func(l *uidlist.List) { r.Ack(text(l)) })
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		path := filepath.Join(root, "Maildir")
		os.Remove(filepath.Join(path, uidlist.Name+".lock")) // its holder is dead; dotlock has tests for that
		m, err := maildir.Open(path, disktest.Fast)
		if err != nil {
			return err
		}
		defer m.Close()
		l, err := uidlist.Assign(m, parse("9.after", "1.a", "2.b", "3.c", "4.d"), now)
		if err != nil {
			return err
		}
		for _, told := range w.Acks() {
			if err := parsePromise(told).keeps(l, gone); err != nil {
				return fmt.Errorf("told %s, now %s: %w", told, text(l), err)
			}
		}
		return nil
	})
	if n < 5 {
		t.Errorf("only %d worlds", n)
	}
}

func TestToldUIDsSurviveEveryPowerCut(t *testing.T) {
	t.Parallel()
	const old = "3 V7 N3 G0123456789abcdef0123456789abcdef\n2 :0.z\n"
	for about, c := range map[string]struct{ prepare, gone string }{
		"a new list":   {},
		"a good list":  {prepare: old},
		"a torn one":   {prepare: old + "3 :1.a"},
		"of version 1": {prepare: "1 7 3\n2 0.z\n"},
		"compacted":    {prepare: old, gone: "0.z 3.c"},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			judge(t, c.prepare, c.gone, func(m *maildir.Maildir, told func(l *uidlist.List)) {
				told(assign(t, m, "1.a"))
				told(assign(t, m, "2.b", "3.c"))
				if c.gone != "" {
					l, err := uidlist.Compact(m, func(base string) bool { return strings.Contains(c.gone, base) })
					must(t, err)
					told(l)
				}
				told(assign(t, m, "4.d"))
			})
		})
	}
}

// What was read, not assigned, is durable after Sync: lines of a process that was
// killed before its own.
func TestSyncMakesDurableWhatAnotherHasWritten(t *testing.T) {
	t.Parallel()
	judge(t, "3 V7 N3 G0123456789abcdef0123456789abcdef\n2 :0.z\n", "", func(m *maildir.Maildir, told func(l *uidlist.List)) {
		f, err := m.FS().Append(m.Dir(), uidlist.Name)
		must(t, err)
		_, err = f.Write([]byte("3 :1.a\n4 :2.b\n"))
		must(t, err)
		must(t, f.Close())
		l, err := uidlist.Read(m.Dir())
		must(t, err)
		must(t, uidlist.Sync(m))
		told(l)
	})
}

// Another process, Dovecot say, has replaced the list and not synced the directory.
func TestNameOfAYoungListIsMadeDurable(t *testing.T) {
	t.Parallel()
	judge(t, "", "", func(m *maildir.Maildir, told func(l *uidlist.List)) {
		killed, err := maildir.Open(m.Path(), &disktest.Faulty{FS: m.FS(), Op: "syncdir", At: 2, Err: unix.EIO})
		must(t, err)
		defer killed.Close()
		if _, err := uidlist.Assign(killed, parse("1.a"), now); err == nil {
			t.Fatal("Assign hides that the sync failed")
		}
		told(assign(t, m, "1.a", "2.b"))
	})
}

// A sync that failed is final for a file: the next one could lie.
func TestListWhoseSyncFailedIsAnotherFile(t *testing.T) {
	t.Parallel()
	m := box(t, disktest.Fast)
	before := assign(t, m, "1.a").Stamp()
	broken, err := maildir.Open(m.Path(), &disktest.Faulty{FS: disktest.Fast, Op: "sync", At: 1, Err: unix.EIO})
	must(t, err)
	defer broken.Close()
	if _, err := uidlist.Assign(broken, parse("2.b"), now); err == nil {
		t.Error("Assign hides that the sync failed")
	}
	if after, err := uidlist.StampOf(m); err != nil || after.Inode == before.Inode {
		t.Errorf("the same file: %v", err)
	}
}

// Dovecot has taken our lock for stale while we were stopped, and goes on with the
// list: what we would append now could be UIDs that it has given.
func TestNothingIsWrittenWithoutTheLock(t *testing.T) {
	t.Parallel()
	m := box(t, disktest.Fast)
	l := assign(t, m, "1.a")
	before := read(t, m)
	known := uidlist.Known{Validity: l.Validity, Expunged: func(uint32) bool {
		lock := filepath.Join(m.Path(), uidlist.Name+".lock")
		must(t, os.WriteFile(lock+"2", []byte("1:elsewhere"), 0o600))
		must(t, os.Rename(lock+"2", lock))
		return false
	}}
	if _, err := uidlist.AssignAfter(m, known, parse("1.a", "2.b"), now); !errors.Is(err, dotlock.ErrLost) {
		t.Errorf("error %v", err)
	}
	if after := read(t, m); after != before {
		t.Errorf("the list was %q and is %q", before, after)
	}
}

// I31 after a power cut: a UIDVALIDITY that was told is not given again to a folder
// of that name, though the clock is back.
func TestI31CounterSurvivesEveryPowerCut(t *testing.T) {
	t.Parallel()
	made := box(t, disktest.Fast)
	f, err := made.CreateFolder("a")
	must(t, err)
	must(t, f.Close())
	r := disktest.Record(t, filepath.Dir(made.Path()))
	m, err := maildir.Open(made.Path(), r)
	must(t, err)
	defer m.Close()
	f, err = m.Folder("a")
	must(t, err)
	defer f.Close()
	r.Ack(text(assign(t, f, "1.a")))
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		m, err := maildir.Open(filepath.Join(root, "Maildir"), disktest.Fast)
		if err != nil {
			return err
		}
		defer m.Close()
		if err := m.DeleteFolder("a"); err != nil {
			return err
		}
		f, err := m.CreateFolder("a")
		if err != nil {
			return err
		}
		defer f.Close()
		l, err := uidlist.Assign(f, nil, now.Add(-time.Hour))
		if err != nil {
			return err
		}
		for _, told := range w.Acks() {
			if l.Validity <= parsePromise(told).validity {
				return fmt.Errorf("told %s, now %s", told, text(l))
			}
		}
		return nil
	})
	if n < 10 {
		t.Errorf("only %d worlds", n)
	}
}

// Every call fails once, with or without effect: whoever is answered all the same
// was told what holds.
func TestFailedCallTellsNoLie(t *testing.T) {
	t.Parallel()
	for _, prepare := range []string{"", "3 V7 N3 G0123456789abcdef0123456789abcdef\n2 :0.z\n", "1 7 3\n2 0.z\n"} {
		for _, done := range []bool{false, true} {
			for at := 1; ; at++ {
				m := box(t, disktest.Fast)
				if prepare != "" {
					write(t, m, uidlist.Name, prepare)
				}
				faulty := &disktest.Faulty{FS: disktest.Fast, At: at, Err: unix.EIO, Done: done}
				f, err := maildir.Open(m.Path(), faulty)
				must(t, err)
				l, ferr := uidlist.Assign(f, parse("1.a", "2.b"), now)
				f.Close()
				if !faulty.Hit() {
					break
				}
				os.Remove(filepath.Join(m.Path(), uidlist.Name+".lock"))
				again := assign(t, m, "3.c", "2.b", "1.a")
				if ferr == nil {
					if err := parsePromise(text(l)).keeps(again, ""); err != nil {
						t.Errorf("call %d fails, done %t, with %q: told %s, now %s: %v", at, done, prepare, text(l), text(again), err)
					}
				}
				if prepare != "" && again.Validity != 7 {
					t.Errorf("call %d fails, done %t, with %q: list is %s", at, done, prepare, text(again))
				}
			}
		}
	}
}
