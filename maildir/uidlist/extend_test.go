package uidlist_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/uidlist"
)

func extend(t *testing.T, m *maildir.Maildir, l *uidlist.List, names ...string) *uidlist.List {
	t.Helper()
	longer, err := uidlist.Extend(m, l.Stamp(), l.Validity, l.Next, parse(names...))
	must(t, err)
	return longer
}

func TestListIsExtendedAsIfItHadBeenRead(t *testing.T) {
	t.Parallel()
	m := box(t, disktest.Fast)
	l := assign(t, m, "1.a", "2.b")
	if !l.Appendable() {
		t.Fatal("our own list is not appendable")
	}
	longer := extend(t, m, l, "3.c,S=5:2,S", "4.d\n", "5.e")
	if longer.UID("3.c") != 3 || longer.UID("5.e") != 4 || longer.UID("4.d\n") != 0 || longer.Next != 5 {
		t.Errorf("UIDs %d %d %d, next %d", longer.UID("3.c"), longer.UID("5.e"), longer.UID("4.d\n"), longer.Next)
	}
	all := assign(t, m)
	if all.UID("1.a") != 1 || all.UID("3.c") != 3 || all.UID("5.e") != 4 || all.Next != 5 || all.Stamp() != longer.Stamp() || !all.Appendable() {
		t.Errorf("the list on disk: %s", read(t, m))
	}
}

func TestI29ListThatHasChangedIsNotExtended(t *testing.T) {
	t.Parallel()
	m := box(t, disktest.Fast)
	l := assign(t, m, "1.a")
	assign(t, m, "2.b")
	before := read(t, m)
	if extend(t, m, l, "3.c") != nil || read(t, m) != before {
		t.Error("a list that had changed was extended")
	}
	if longer, err := uidlist.Extend(m, uidlist.Stamp{}, 7, 1, parse("3.c")); longer != nil || err != nil {
		t.Error("no list was extended")
	}
	l = assign(t, m)
	if longer, err := uidlist.Extend(m, l.Stamp(), l.Validity, 1<<32-2, parse("3.c", "4.d")); longer != nil || err != nil {
		t.Error("UIDs beyond the last were given")
	}
}

func TestListWhoseExtensionFailedIsMadeAnew(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"write", "sync"} {
		f := &disktest.Faulty{FS: disktest.Fast, Op: op, Err: unix.EIO}
		m := box(t, f)
		l := assign(t, m, "1.a", "2.b")
		f.At = f.Calls() + 1
		if op == "write" {
			f.At++ // the first is the lock file's
		}
		if _, err := uidlist.Extend(m, l.Stamp(), l.Validity, l.Next, parse("3.c", "4.d")); err == nil {
			t.Errorf("%s: no error", op)
		}
		f.At = 0
		if strings.Contains(read(t, m), "\n3 :3.c\n4 :4.d\n") != (op == "sync") {
			t.Errorf("%s: %s", op, read(t, m))
		}
		now, err := uidlist.StampOf(m)
		must(t, err)
		if now.Inode == l.Stamp().Inode {
			t.Errorf("%s: the file whose lines are in doubt is still the list", op)
		}
		if again := assign(t, m, "1.a", "2.b", "5.e"); again.UID("1.a") != 1 || again.UID("2.b") != 2 || again.UID("5.e") < 5 {
			t.Errorf("%s: afterwards %s", op, read(t, m))
		}
	}
}

func TestUIDsOfAnExtensionSurviveEveryPowerCut(t *testing.T) {
	t.Parallel()
	judge(t, "3 V7 N3 G0123456789abcdef0123456789abcdef\n2 :0.z\n", "", func(m *maildir.Maildir, told func(l *uidlist.List)) {
		l := assign(t, m, "1.a")
		told(l)
		for _, names := range [][]string{{"2.b", "3.c"}, {"4.d"}} {
			l = extend(t, m, l, names...)
			all, err := uidlist.Read(m.Dir()) // not Sync: it has to be durable
			must(t, err)
			told(all)
		}
	})
}
