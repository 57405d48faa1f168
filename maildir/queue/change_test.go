package queue

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// reader does what a mail reader does with new mail.
func reader(t *testing.T, path string, e Entry, flags string) {
	t.Helper()
	from := path + "/cur/" + e.name
	if e.Fresh() {
		from = path + "/new/" + e.name
	}
	base, _, _ := strings.Cut(e.name, ":")
	if err := os.Rename(from, path+"/cur/"+base+":2,"+flags); err != nil {
		t.Fatal(err)
	}
}

func only(t *testing.T, q *Queue) Entry {
	t.Helper()
	l := scan(t, q)
	if len(l.Entries) != 1 || len(l.Surplus) != 0 {
		t.Fatalf("queue holds %+v and %+v", l.Entries, l.Surplus)
	}
	return l.Entries[0]
}

func TestRetryMovesToCurAndCounts(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	at := time.Unix(1767323145, 0)
	e, err := q.Retry(only(t, q), at, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := only(t, q); got != e || got.Fresh() || got.Tries != 1 || !got.Next.Equal(at) || got.DelaySent {
		t.Errorf("%+v", got)
	}
	if e, err = q.Retry(e, at, true); err != nil || e.Tries != 2 || !e.DelaySent {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err = q.Retry(e, at, false); err != nil || !only(t, q).DelaySent {
		t.Errorf("%+v, %v: the note of the delay is lost", e, err)
	}
}

func TestReaderChangesNothing(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	seen := only(t, q)
	reader(t, path, seen, "S")
	e, err := q.Retry(seen, time.Unix(1767323145, 0), false)
	if err != nil || only(t, q) != e || e.flags != "S" {
		t.Fatalf("after new became cur: %+v, %v", e, err)
	}
	reader(t, path, e, "RS")
	if err := q.Done(e); err != nil {
		t.Fatal(err)
	}
	if l := scan(t, q); len(l.Entries) != 0 {
		t.Errorf("queue holds %+v", l.Entries)
	}
}

func TestHoldReleaseCancel(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	held, err := q.Hold(only(t, q))
	if err != nil || !held.Held || !only(t, q).Held {
		t.Fatalf("%+v, %v", held, err)
	}
	free, err := q.Release(held)
	if err != nil || free.Held || only(t, q).Held {
		t.Fatalf("%+v, %v", free, err)
	}
	if now, err := q.RetryNow(free, time.Unix(7, 0)); err != nil || !only(t, q).Next.Equal(time.Unix(7, 0)) || now.Tries != 0 {
		t.Fatalf("%+v, %v", now, err)
	}
	reader(t, path, only(t, q), "T")
	if e := only(t, q); !e.Cancelled {
		t.Errorf("a trashed entry is %+v", e)
	}
	if err := q.Cancel(only(t, q)); err != nil {
		t.Fatal(err)
	}
	if err := q.Cancel(free); !errors.Is(err, ErrGone) {
		t.Errorf("cancelled what is not there: %v", err)
	}
	if _, err := q.Retry(free, time.Unix(9, 0), false); !errors.Is(err, ErrGone) {
		t.Errorf("retry of a cancelled entry: %v", err)
	}
	if err := q.Done(free); err != nil {
		t.Errorf("end of a cancelled entry: %v", err)
	}
}

func TestSurplusNamesAreSettled(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	e := only(t, q)
	// A crash between the link and the removal.
	retried := strings.Replace(e.name, ",A=0", ",A=1", 1) + ":2,"
	if err := os.Link(path+"/new/"+e.name, path+"/cur/"+retried); err != nil {
		t.Fatal(err)
	}
	l := scan(t, q)
	if len(l.Entries) != 1 || l.Entries[0].Tries != 1 || len(l.Surplus) != 1 {
		t.Fatalf("%+v and %+v", l.Entries, l.Surplus)
	}
	if err := q.Settle(l.Surplus[0]); err != nil {
		t.Fatal(err)
	}
	if got := only(t, q); got.Tries != 1 {
		t.Errorf("%+v", got)
	}
}

func TestQ25_FullDiskLeavesTheEntryAsItWas(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"link", "rename", "syncdir"} {
		q, path := newQueue(t)
		put(t, q, one("", "a@x.example"), "m\n")
		e := only(t, q)
		if op == "rename" {
			var err error
			if e, err = q.Retry(e, time.Unix(5, 0), false); err != nil {
				t.Fatal(err)
			}
		}
		full := &disktest.Faulty{FS: disk.OS, Op: op, At: 1, Err: unix.ENOSPC}
		sick, err := Open(path, full)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sick.Retry(e, time.Unix(9, 0), false); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%s: %v", op, err)
		}
		sick.Close()
		l := scan(t, q)
		if len(l.Entries) != 1 {
			t.Errorf("%s: queue holds %+v", op, l.Entries)
		}
	}
}

func TestPutThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "write", "sync", "close", "link", "syncdir"} {
		_, path := newQueue(t)
		sick, err := Open(path, &disktest.Faulty{FS: disk.OS, Op: op, At: 1, Err: unix.ENOSPC})
		if err != nil {
			t.Fatal(err)
		}
		p, err := sick.Begin(one("", "a@x.example"))
		if err == nil {
			p.Write([]byte("m\n"))
			err = p.Commit()
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%s: %v", op, err)
		}
		sick.Close()
		if got := names(t, path+"/tmp"); len(got) != 0 {
			t.Errorf("%s: tmp holds %q", op, got)
		}
		if got := names(t, path+"/new"); len(got) != 0 && op != "syncdir" {
			t.Errorf("%s: new holds %q", op, got)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	e := only(t, q)
	if err := q.Note(e, "451 4.3.0 hostile\r\nSubject: x\x00\x1b[2J"); err != nil {
		t.Fatal(err)
	}
	if got, err := q.ReadNote(e); err != nil || got != "451 4.3.0 hostile  Subject: x  [2J" {
		t.Errorf("%q, %v", got, err)
	}
	if err := q.Note(e, strings.Repeat("x", 10*maxNote)); err != nil {
		t.Fatal(err)
	}
	if got, err := q.ReadNote(e); err != nil || len(got) > maxNote {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	e, err := q.Retry(e, time.Unix(5, 0), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Done(e); err != nil {
		t.Fatal(err)
	}
	if got := append(names(t, path+"/"+NotesDir), names(t, path+"/tmp")...); len(got) != 0 {
		t.Errorf("left %q", got)
	}
	if got, err := q.ReadNote(e); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDerivedEntryIsMadeOnce(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	id := Derive("1.M2.mx", Bounce, 1)
	make := func(again bool) error {
		p, err := q.BeginDerived(id, again, one("", "a@x.example"))
		if err != nil {
			return err
		}
		p.Write([]byte("m\n"))
		return p.Commit()
	}
	for range 2 {
		if err := make(false); err != nil {
			t.Fatal(err)
		}
	}
	if e := only(t, q); e.ID != id || !e.Next.Equal(time.Unix(0, 0)) {
		t.Errorf("%+v", e)
	}
	reader(t, path, only(t, q), "S")
	if err := make(true); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made again after a mail reader renamed it: %v", err)
	}
	only(t, q)
	if got := names(t, path+"/tmp"); len(got) != 0 {
		t.Errorf("tmp holds %q", got)
	}
}
