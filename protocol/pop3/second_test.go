package pop3

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/index"
)

// A second session over a Maildir that has not changed reads no directory: all it
// says comes from rohrpost.sizes, and must be what it would be without.

// secondBox is a Maildir of n messages, which one session has listed.
func secondBox(t *testing.T, n int) string {
	t.Helper()
	path := newBox(t, n)
	age(t, path)
	if _, _, err := transact(t, path, disk.OS, "QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(path, "rohrpost.sizes")); err != nil {
		t.Fatal(err)
	}
	return path
}

// age makes the last change older than any tick.
func age(t *testing.T, path string) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	for _, sub := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(path, sub), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondSessionAnswersAsTheFirst(t *testing.T) {
	t.Parallel()
	const said = "STAT\r\nLIST\r\nUIDL\r\nLIST 7\r\nUIDL 130\r\nTOP 8 1\r\nTOP 129 0\r\nDELE 3\r\nDELE 140\r\nSTAT\r\nLIST\r\nUIDL 3\r\nRSET\r\nSTAT\r\nLIST 141\r\nLIST 0\r\n"
	path := secondBox(t, 140)
	_, second, _ := transact(t, path, disk.OS, said)
	if err := os.Remove(filepath.Join(path, "rohrpost.sizes")); err != nil {
		t.Fatal(err)
	}
	_, first, _ := transact(t, path, disk.OS, said)
	if first != second || !strings.Contains(first, "\r\n140 ") {
		t.Errorf("first:\n%s\nsecond:\n%s", first, second)
	}
}

func TestSecondSessionRetrievesAndRemovesTheRightMessages(t *testing.T) {
	t.Parallel()
	path := secondBox(t, 140)
	stats, out, err := transact(t, path, disk.OS, "RETR 130\r\nRETR 2\r\nDELE 1\r\nDELE 129\r\nDELE 140\r\nQUIT\r\n")
	if err != nil || stats.Deleted != 3 || stats.Messages != 140 {
		t.Fatalf("%+v, %v:\n%s", stats, err, out)
	}
	if !strings.Contains(out, "Subject: 130\r\n") || !strings.Contains(out, "Subject: 2\r\n") {
		t.Errorf("got:\n%s", out)
	}
	left := subjects(t, path)
	for subject, want := range map[string]bool{"Subject: 1": false, "Subject: 129": false, "Subject: 140": false,
		"Subject: 2": true, "Subject: 128": true, "Subject: 130": true} {
		if left[subject] != want {
			t.Errorf("%s is there: %t", subject, left[subject])
		}
	}
	seen, _ := filepath.Glob(filepath.Join(path, "cur", "*:2,S"))
	if len(left) != 137 || len(seen) != 2 {
		t.Errorf("%d messages are left, %d seen", len(left), len(seen))
	}
	// And the third session sees what the second one did.
	if _, out, _ = transact(t, path, disk.OS, "STAT\r\n"); !strings.Contains(out, "+OK 137 ") {
		t.Errorf("third session: %s", out)
	}
}

// turns is a peer that says one line at a time, and does something before each.
type turns struct {
	lines []string
	do    map[string]func()
	out   bytes.Buffer
}

func (c *turns) Write(p []byte) (int, error)         { return c.out.Write(p) }
func (c *turns) ReadLineBytes(p []byte) (int, error) { return c.Read(p) }

func (c *turns) Read(p []byte) (int, error) {
	if len(c.lines) == 0 {
		return 0, io.EOF
	}
	l := c.lines[0]
	c.lines = c.lines[1:]
	if do := c.do[l]; do != nil {
		do()
	}
	return copy(p, l+"\r\n"), nil
}

// take is a session that takes turns.
func take(t *testing.T, path string, c *turns) error {
	t.Helper()
	box, err := maildir.Open(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	return (&Transaction{Conn: c, Log: quiet, Box: box}).Transact()
}

// P04: what other programs do to the files in the middle of a second session
// changes no number.
func TestP04_SecondSessionKeepsItsNumbers(t *testing.T) {
	t.Parallel()
	path := secondBox(t, 140)
	c := &turns{lines: []string{"STAT", "RETR 131", "RETR 132", "RETR 133", "DELE 134", "QUIT"}}
	c.do = map[string]func(){"RETR 131": func() {
		box, err := maildir.Open(path, disk.OS)
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		l, err := box.Scan()
		if err != nil {
			t.Fatal(err)
		}
		l.Sort()
		if err := box.Expunge([]maildir.Message{l.At(0), l.At(130)}); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{131, 132, 133} {
			if _, err := box.SetFlags(l.At(i), maildir.Replied, 0); err != nil {
				t.Fatal(err)
			}
		}
	}}
	if err := take(t, path, c); err != nil {
		t.Fatal(err)
	}
	out := c.out.String()
	if !strings.Contains(out, "-ERR message is gone\r\n+OK message follows\r\nSubject: 132\r\n") || !strings.Contains(out, "Subject: 133\r\n") {
		t.Errorf("got:\n%s", out)
	}
	if left := subjects(t, path); len(left) != 137 || left["Subject: 134"] {
		t.Errorf("%d messages are left", len(left))
	}
}

// Somebody damages the file in the middle of a session. The numbers are found again
// in the directories, or, if these have changed too, the session ends: no list is
// ended that is not whole, no other message is given, none is removed.
func TestSecondSessionWhoseListIsDamaged(t *testing.T) {
	t.Parallel()
	for _, changed := range []bool{false, true} {
		for _, command := range []string{"LIST", "UIDL", "RETR 131", "TOP 131 0", "DELE 131", "LIST 131"} {
			path := secondBox(t, 140)
			c := &turns{lines: []string{"LIST 1", command, "QUIT"}}
			c.do = map[string]func(){command: func() {
				if err := os.Truncate(filepath.Join(path, "rohrpost.sizes"), 100); err != nil {
					t.Fatal(err)
				}
				if !changed {
					return
				}
				if err := os.WriteFile(filepath.Join(path, "new/1600000000.M1P1.mx"), []byte("Subject: first\n\nbody\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}}
			err := take(t, path, c)
			out, left := c.out.String(), len(subjects(t, path))
			if changed {
				if !errors.Is(err, index.ErrChanged) || strings.Contains(out, "\r\n.\r\n") || strings.Contains(out, "Subject") || left != 141 {
					t.Errorf("%s: %v, %d messages left:\n%s", command, err, left, out)
				}
				continue
			}
			deleted := 0
			if command == "DELE 131" {
				deleted = 1
			}
			if err != nil || !strings.HasSuffix(out, "+OK bye\r\n") || left != 140-deleted {
				t.Errorf("%s: %v, %d messages left:\n%s", command, err, left, out)
			}
		}
	}
}

// QUIT must know names: with the list lost, nothing is removed, and QUIT says so.
func TestQuitRemovesNothingIfItsListIsLost(t *testing.T) {
	t.Parallel()
	path := secondBox(t, 140)
	c := &turns{lines: []string{"DELE 1", "DELE 131", "DELE 2", "QUIT"}}
	c.do = map[string]func(){"QUIT": func() {
		if err := os.Truncate(filepath.Join(path, "rohrpost.sizes"), 100); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(path, "new/1700000003.M1P1.mx")); err != nil {
			t.Fatal(err)
		}
	}}
	if err := take(t, path, c); err != nil {
		t.Fatal(err)
	}
	out := c.out.String()
	if !strings.HasSuffix(out, "-ERR [SYS/TEMP] some deleted messages not removed\r\n") || len(subjects(t, path)) != 139 {
		t.Errorf("%d messages left:\n%s", len(subjects(t, path)), out)
	}
}
