package maildir_test

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

const crashText = "Subject: power\n\nwill be cut\n"

// judgeMail holds the Maildir at path to invariants 1 and 2: every message that
// is listed is whole, and each that was acknowledged is there.
func judgeMail(w *disktest.World, path string) error {
	if err := hasWhole(path, w.Acks()); err != nil {
		return fmt.Errorf("said yes to %v: %w", w.Acks(), err)
	}
	return nil
}

// hasWhole looks through the Maildir with the real code, as a delivery after the
// crash would open it.
func hasWhole(path string, bases []string) error {
	m, err := maildir.Create(path, disktest.Fast)
	if err != nil {
		return err
	}
	defer m.Close()
	l, err := m.Scan()
	if err != nil {
		return err
	}
	for i := range l.Len() {
		f, _, err := m.OpenMessage(l.At(i))
		if err != nil {
			return err
		}
		b, err := io.ReadAll(f)
		f.Close()
		if err != nil || string(b) != crashText {
			return fmt.Errorf("%s holds %q, %v", l.At(i).Name, b, err)
		}
	}
	for _, base := range bases {
		if l.Find(base) < 0 {
			return fmt.Errorf("%s is not among %d messages", base, l.Len())
		}
	}
	return nil
}

// recorded is an empty Maildir whose steps are noted.
func recorded(t *testing.T) (*maildir.Maildir, *disktest.Recorder) {
	t.Helper()
	root := t.TempDir()
	made, err := maildir.Create(filepath.Join(root, "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	made.Close()
	r := disktest.Record(t, root)
	m, err := maildir.Open(filepath.Join(root, "Maildir"), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, r
}

// judge runs judgeMail over all worlds. A yes is the base of a message.
func judge(t *testing.T, r *disktest.Recorder, path string) {
	t.Helper()
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		return judgeMail(w, filepath.Join(root, path))
	})
	if n < 4 {
		t.Errorf("only %d worlds", n)
	}
}

func TestD23_AcknowledgedDeliverySurvivesEveryPowerCut(t *testing.T) {
	t.Parallel()
	m, r := recorded(t)
	for range 2 {
		name := deliver(t, m, "", crashText)
		r.Ack(maildir.ParseName(name).Base)
	}
	judge(t, r, "Maildir")
}

func TestD23_SecondDeliveryOfOneBaseIsAsDurableAsTheFirst(t *testing.T) {
	t.Parallel()
	m, r := recorded(t)
	// The first try is killed between its link and its sync.
	broken := &disktest.Faulty{FS: r, Op: "syncdir", At: 1, Err: io.ErrUnexpectedEOF}
	first, err := maildir.Open(m.Path(), broken)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := tryDeliver(first, "entry.1", crashText); err == nil {
		t.Fatal("delivery whose sync failed said yes")
	}
	deliver(t, m, "entry.1", crashText)
	r.Ack("entry.1")
	if l := scan(t, m); l.Len() != 1 {
		t.Errorf("%d copies", l.Len())
	}
	judge(t, r, "Maildir")
}

func TestD23_HasMakesAnEarlierDeliveryDurable(t *testing.T) {
	t.Parallel()
	for _, moved := range []bool{false, true} {
		m, r := recorded(t)
		broken := &disktest.Faulty{FS: r, Op: "syncdir", At: 1, Err: io.ErrUnexpectedEOF}
		first, err := maildir.Open(m.Path(), broken)
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		if _, err := tryDeliver(first, "entry.1", crashText); err == nil {
			t.Fatal("delivery whose sync failed said yes")
		}
		if moved {
			if _, err := m.SetFlags(scan(t, m).At(0), maildir.Seen, 0); err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := m.Has("entry.1"); !ok || err != nil {
			t.Fatalf("Has: %t, %v", ok, err)
		}
		r.Ack("entry.1")
		judge(t, r, "Maildir")
	}
}

func TestD23_NewMaildirSurvivesWithItsFirstMessage(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	r := disktest.Record(t, root)
	m, err := maildir.Create(filepath.Join(root, "example.org/bob/Maildir"), r)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	name := deliver(t, m, "", crashText)
	r.Ack(maildir.ParseName(name).Base)
	judge(t, r, "example.org/bob/Maildir")
}

func TestD23_CreateCompletesWhatWasKilled(t *testing.T) {
	t.Parallel()
	for kill := 1; ; kill++ {
		root := t.TempDir()
		r := disktest.Record(t, root)
		path := filepath.Join(root, "bob/Maildir")
		killed := &disktest.Faulty{FS: r, At: kill, Err: io.ErrUnexpectedEOF}
		m, err := maildir.Create(path, killed)
		if err == nil {
			m.Close()
			if killed.Hit() {
				t.Fatalf("step %d failed, and Create did not", kill)
			}
			return
		}
		if m, err = maildir.Create(path, r); err != nil {
			t.Fatalf("after a kill at step %d: %v", kill, err)
		}
		name := deliver(t, m, "", crashText)
		m.Close()
		r.Ack(maildir.ParseName(name).Base)
		judge(t, r, "bob/Maildir")
	}
}

func TestD23_NewFolderSurvivesWithItsFirstMessage(t *testing.T) {
	t.Parallel()
	m, r := recorded(t)
	f, err := m.CreateFolder("Lists.Größe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := deliver(t, f, "", crashText)
	r.Ack(maildir.ParseName(name).Base)
	judge(t, r, "Maildir/.Lists.Gr&APYA3w-e")
}

func TestD23_CreateFolderCompletesWhatWasKilled(t *testing.T) {
	t.Parallel()
	for kill := 1; ; kill++ {
		m, r := recorded(t)
		f := &disktest.Faulty{FS: r, At: kill, Err: io.ErrUnexpectedEOF}
		folder, err := through(t, m, f).CreateFolder("Lists")
		if err == nil {
			folder.Close()
			if f.Hit() {
				t.Fatalf("step %d failed, and CreateFolder did not", kill)
			}
			return
		}
		if names, err := m.Folders(); err != nil || len(names) > 1 {
			t.Fatalf("after a kill at step %d: folders %q, %v", kill, names, err)
		}
		if folder, err = m.CreateFolder("Lists"); err != nil {
			t.Fatalf("after a kill at step %d: %v", kill, err)
		}
		name := deliver(t, folder, "", crashText)
		folder.Close()
		r.Ack(maildir.ParseName(name).Base)
		judge(t, r, "Maildir/.Lists")
	}
}

func TestP07_ExpungedMessageNeverComesBack(t *testing.T) {
	t.Parallel()
	m, r := recorded(t)
	for range 3 {
		deliver(t, m, "", crashText)
	}
	l := scan(t, m)
	seen, err := m.SetFlags(l.At(0), maildir.Seen, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := m.Expunge([]maildir.Message{seen, l.At(1)}); err != nil {
		t.Fatal(err)
	}
	r.Ack("expunge")
	disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		if !w.Acked("expunge") {
			return nil
		}
		m, err := maildir.Open(filepath.Join(root, "Maildir"), disktest.Fast)
		if err != nil {
			return err
		}
		defer m.Close()
		l, err := m.Scan()
		if err == nil && l.Len() != 1 {
			err = fmt.Errorf("%d messages", l.Len())
		}
		return err
	})
}
