package maildir_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// takeBox makes a Maildir of two messages in new and one in cur.
func takeBox(t *testing.T, f disk.FS) *maildir.Maildir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Maildir")
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"new/1.M1P1.mx", "new/2.M1P1.mx,S=3", "cur/3.M1P1.mx:2,FX"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("a\n\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := maildir.Open(path, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func allOf(t *testing.T, m *maildir.Maildir) (msgs []maildir.Message) {
	t.Helper()
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Len() {
		msgs = append(msgs, l.At(i))
	}
	return msgs
}

// filesOf are the names in new and cur.
func filesOf(t *testing.T, m *maildir.Maildir) (names []string) {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(m.Path(), sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, sub+"/"+e.Name())
		}
	}
	return names
}

var taken = []string{"cur/1.M1P1.mx:2,S", "cur/2.M1P1.mx,S=3:2,S", "cur/3.M1P1.mx:2,FSX"}

func TestTakeMovesToCurAndFlags(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]disk.FS{
		"with hard links":    disk.OS,
		"without hard links": &disktest.Faulty{FS: disk.OS, Op: "link", At: 1, Err: unix.EPERM},
	} {
		m := takeBox(t, f)
		if err := m.Take(allOf(t, m), maildir.Seen); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := filesOf(t, m); !slices.Equal(got, taken) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTakeFollowsOthers(t *testing.T) {
	t.Parallel()
	m := takeBox(t, disk.OS)
	msgs := allOf(t, m)
	if err := os.Rename(m.Path()+"/new/1.M1P1.mx", m.Path()+"/cur/1.M1P1.mx:2,R"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.Path() + "/new/2.M1P1.mx,S=3"); err != nil {
		t.Fatal(err)
	}
	if err := m.Take(msgs, maildir.Seen); err != nil {
		t.Error(err)
	}
	if got := filesOf(t, m); !slices.Equal(got, []string{"cur/1.M1P1.mx:2,RS", "cur/3.M1P1.mx:2,FSX"}) {
		t.Errorf("%q", got)
	}
}

// whileSyncing has somebody else do something while cur is synced: between the link
// into cur and the end of the name in new.
type whileSyncing struct {
	disk.FS
	do func()
}

func (w whileSyncing) SyncDir(d *disk.Dir) error {
	if filepath.Base(d.Path()) == "cur" {
		w.do()
	}
	return w.FS.SyncDir(d)
}

// A mail reader that moves a message out of new by rename, as mutt does, while we
// have it linked into cur, must not leave it there twice.
func TestI27_MessageThatTwoMoveToCurIsThereOnce(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(m *maildir.Maildir, msgs []maildir.Message) ([]int, error){
		"Take": func(m *maildir.Maildir, msgs []maildir.Message) ([]int, error) { return nil, m.Take(msgs, 0) },
		"Refile": func(m *maildir.Maildir, msgs []maildir.Message) ([]int, error) {
			return m.Refile(msgs, make([]maildir.Flags, 3))
		},
	} {
		for other, want := range map[string]string{"1.M1P1.mx:2,F": "cur/1.M1P1.mx:2,F", "1.M1P1.mx:2,": "cur/1.M1P1.mx:2,"} {
			var path string
			m := takeBox(t, whileSyncing{disktest.Fast, func() { os.Rename(path+"/new/1.M1P1.mx", path+"/cur/"+other) }})
			path = m.Path()
			msgs := allOf(t, m)
			missing, err := move(m, msgs)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := filesOf(t, m); len(got) != 3 || got[0] != want {
				t.Errorf("%s, renamed to %s: %q", name, other, got)
			}
			if name == "Refile" && (len(missing) == 1) != (other == "1.M1P1.mx:2,F") {
				t.Errorf("%s, renamed to %s: missing %v", name, other, missing)
			}
		}
	}
}

// The end of the name in new may be the work of somebody who takes the message in
// the same way. Then ours is the only name left, and must stay.
func TestMessageThatTwoTakeAlikeStays(t *testing.T) {
	t.Parallel()
	var path string
	m := takeBox(t, whileSyncing{disktest.Fast, func() { os.Remove(path + "/new/1.M1P1.mx") }})
	path = m.Path()
	if err := m.Take(allOf(t, m), 0); err != nil {
		t.Error(err)
	}
	if got := filesOf(t, m); !slices.Contains(got, "cur/1.M1P1.mx:2,") {
		t.Errorf("%q", got)
	}
}

// No power cut during Take, and no sync of new by somebody else in between,
// loses a message.
func TestTakeLosesNothing(t *testing.T) {
	t.Parallel()
	m := takeBox(t, disk.OS)
	r := disktest.Record(t, m.Path())
	same, err := maildir.Open(m.Path(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer same.Close()
	if err := same.Take(allOf(t, same), maildir.Seen); err != nil {
		t.Fatal(err)
	}
	if err := same.Sync(); err != nil {
		t.Fatal(err)
	}
	for w := range disktest.Crashes(r.Trace()) {
		dir := t.TempDir()
		if err := w.Write(dir); err != nil {
			t.Fatal(err)
		}
		left, err := maildir.Open(dir, disk.OS)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(allOf(t, left)); n != 3 {
			t.Errorf("%s: %d messages: %q", w, n, filesOf(t, left))
		}
		// Whatever is left is taken, and can be removed for good.
		if err := left.Take(allOf(t, left), maildir.Seen); err != nil {
			t.Errorf("%s: %v", w, err)
		}
		if err := left.Expunge(allOf(t, left)); err != nil {
			t.Errorf("%s: %v", w, err)
		}
		if got := filesOf(t, left); len(got) > 0 {
			t.Errorf("%s: removed messages are back: %q", w, got)
		}
		left.Close()
	}
}
