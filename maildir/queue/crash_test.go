package queue

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// The crash tests replay what a put, an expansion, a retry, a report and an end
// do to the disk, in every world that a power cut can leave of them. A yes is the
// ID of an entry, or "gone ID" for one that must not come back.

const crashText = "Subject: power\n\nwill be cut\n"

// recorded is an empty queue whose steps are noted.
func recorded(t *testing.T) (*Queue, *disktest.Recorder) {
	t.Helper()
	root := t.TempDir()
	made, err := Create(filepath.Join(root, "queue"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	made.Close()
	r := disktest.Record(t, root)
	q, err := Open(filepath.Join(root, "queue"), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q, r
}

// world is the queue after a crash: recipients by ID, each with its names.
type world map[string]map[int]Entry

// open opens a world as relay does at its start. Every entry in it must be
// whole (invariant 2).
func open(w *disktest.World, root string) (*Queue, world, error) {
	q, err := Open(filepath.Join(root, "queue"), disk.OS)
	if err != nil {
		return nil, nil, err
	}
	l, err := q.Scan()
	if err != nil {
		return q, nil, err
	}
	for _, e := range l.Surplus {
		if err := q.Settle(e); err != nil {
			return q, nil, err
		}
	}
	found := world{}
	for _, e := range l.Entries {
		if err := whole(q, e); err != nil {
			return q, nil, fmt.Errorf("%s: %w", e.name, err)
		}
		if found[e.ID] == nil {
			found[e.ID] = map[int]Entry{}
		}
		found[e.ID][e.R] = e
	}
	return q, found, nil
}

func whole(q *Queue, e Entry) error {
	_, f, _, err := q.Read(e)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err == nil && string(b) != crashText {
		err = fmt.Errorf("message is %q", b)
	}
	return err
}

// judge runs a judgement over all worlds.
func judge(t *testing.T, r *disktest.Recorder, check func(w *disktest.World, q *Queue, found world) error) {
	t.Helper()
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		q, found, err := open(w, root)
		if q != nil {
			defer q.Close()
		}
		if err != nil {
			return err
		}
		return check(w, q, found)
	})
	if n < 4 {
		t.Errorf("only %d worlds", n)
	}
}

func TestCrashPut(t *testing.T) {
	t.Parallel()
	q, r := recorded(t)
	var ids []string
	for range 2 {
		id := put(t, q, one("", "a@x.example"), crashText)
		r.Ack(id)
		ids = append(ids, id)
	}
	judge(t, r, func(w *disktest.World, _ *Queue, found world) error {
		for _, id := range ids {
			if w.Acked(id) && len(found[id]) == 0 {
				return fmt.Errorf("lost %s", id)
			}
		}
		return nil
	})
}

func TestCrashExpand(t *testing.T) {
	t.Parallel()
	q, r := recorded(t)
	env := one("", "a@x.example", "b@x.example", "c@y.example")
	id := put(t, q, env, crashText)
	c := claim(t, q, only(t, q))
	if err := c.Expand(false); err != nil {
		t.Fatal(err)
	}
	r.Ack("expanded")
	// Now something may be sent, and its name go: it must not come back with the
	// common name.
	if err := q.Done(c.Entries[0]); err != nil {
		t.Fatal(err)
	}
	if err := q.Sync(c.Entries[:1]); err != nil {
		t.Fatal(err)
	}
	r.Ack("first done")
	judge(t, r, func(w *disktest.World, q *Queue, found world) error {
		if !w.Acked("expanded") && len(found[id]) == 0 {
			return nil // it was not acknowledged to anybody, so it need not be there
		}
		_, common := found[id][0]
		if w.Acked("expanded") && common {
			return errors.New("the common name is back")
		}
		if common {
			if err := expandAgain(q, found[id][0]); err != nil {
				return err
			}
			l, err := q.Scan()
			if err != nil || len(l.Entries) != 3 || len(l.Surplus) != 0 {
				return fmt.Errorf("expanded again into %+v and %+v, %v", l.Entries, l.Surplus, err)
			}
			return nil
		}
		for r := 1; r <= 3; r++ {
			_, there := found[id][r]
			if !there && r != 1 {
				return fmt.Errorf("recipient %d is lost", r)
			}
			if there && r == 1 && w.Acked("first done") {
				return errors.New("the first recipient is back")
			}
		}
		return nil
	})
}

func expandAgain(q *Queue, e Entry) error {
	c, err := q.Claim([]Entry{e}, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Expand(true)
}

func TestCrashRetry(t *testing.T) {
	t.Parallel()
	q, r := recorded(t)
	id := put(t, q, one("", "a@x.example"), crashText)
	r.Ack(id)
	e := only(t, q)
	for n := range 3 {
		var err error
		if e, err = q.Retry(e, time.Unix(int64(n), 0), n == 1); err != nil {
			t.Fatal(err)
		}
	}
	judge(t, r, func(w *disktest.World, q *Queue, found world) error {
		if w.Acked(id) && len(found[id]) != 1 {
			return fmt.Errorf("queue holds %+v", found)
		}
		// What was surplus has been settled: one name is left.
		l, err := q.Scan()
		if err != nil || len(l.Surplus) != 0 {
			return fmt.Errorf("still surplus: %+v, %v", l.Surplus, err)
		}
		return nil
	})
}

// bounce is what relay does with a failed recipient: report, then end.
func bounce(q *Queue, e Entry, again bool) error {
	p, err := q.BeginDerived(Derive(e.ID, Bounce, e.Number()), again, one("", "ann@example.org"))
	if err == nil {
		if _, err = p.Write([]byte(crashText)); err != nil {
			return err
		}
		err = p.Commit()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := q.Done(e); err != nil {
		return err
	}
	return q.Sync([]Entry{e})
}

func TestCrashBounce(t *testing.T) {
	t.Parallel()
	q, r := recorded(t)
	id := put(t, q, one("ann@example.org", "a@x.example"), crashText)
	r.Ack(id)
	if err := bounce(q, only(t, q), false); err != nil {
		t.Fatal(err)
	}
	r.Ack("reported")
	report := Derive(id, Bounce, 1)
	judge(t, r, func(w *disktest.World, q *Queue, found world) error {
		original, there := found[id][0]
		if !w.Acked(id) && !there {
			return nil
		}
		if !there && len(found[report]) == 0 {
			return errors.New("neither the message nor its report is there")
		}
		if there && w.Acked("reported") {
			return errors.New("the message is back, and would be reported again")
		}
		if there {
			if err := bounce(q, original, true); err != nil {
				return err
			}
			l, err := q.Scan()
			if err != nil || len(l.Entries) != 1 || l.Entries[0].ID != report {
				return fmt.Errorf("reported again: %+v, %v", l.Entries, err)
			}
		}
		return nil
	})
}

// The first process is killed between the link of the report and its sync. The
// second one finds the report, and must make it durable before the message ends.
func TestCrashBounceThatWasFoundIsDurable(t *testing.T) {
	t.Parallel()
	q, r := recorded(t)
	id := put(t, q, one("ann@example.org", "a@x.example"), crashText)
	r.Ack(id)
	killed, err := Open(q.Path(), &disktest.Faulty{FS: r, Op: "syncdir", At: 1, Err: io.ErrUnexpectedEOF})
	if err != nil {
		t.Fatal(err)
	}
	defer killed.Close()
	if err := bounce(killed, only(t, killed), false); err == nil {
		t.Fatal("a report whose sync failed counts as made")
	}
	for _, e := range scan(t, q).Entries {
		if e.ID == id {
			if err := bounce(q, e, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	judge(t, r, func(w *disktest.World, _ *Queue, found world) error {
		if w.Acked(id) && len(found[id]) == 0 && len(found[Derive(id, Bounce, 1)]) == 0 {
			return errors.New("neither the message nor its report is there")
		}
		return nil
	})
}

func TestCrashCreate(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	r := disktest.Record(t, root)
	q, err := Create(filepath.Join(root, "queue"), r)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	id := put(t, q, one("", "a@x.example"), crashText)
	r.Ack(id)
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		q, err := Create(filepath.Join(root, "queue"), disk.OS)
		if err != nil {
			return fmt.Errorf("the next start: %w", err)
		}
		defer q.Close()
		l, err := q.Scan()
		if w.Acked(id) && len(l.Entries) != 1 {
			return fmt.Errorf("lost %s: %+v, %v", id, l, err)
		}
		return err
	})
	if n < 4 {
		t.Errorf("only %d worlds", n)
	}
}
