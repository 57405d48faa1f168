package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/protocol/auth"

	"golang.org/x/sys/unix"
)

// script is a peer that has said all it will ever say.
type script struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func newScript(s string) *script { return &script{in: bytes.NewReader([]byte(s))} }

func (c *script) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *script) Write(p []byte) (int, error) { return c.out.Write(p) }

func (c *script) ReadLineBytes(p []byte) (int, error) {
	for n := range p {
		b, err := c.in.ReadByte()
		if err != nil {
			return n, err
		}
		if p[n] = b; b == '\n' {
			return n + 1, nil
		}
	}
	return len(p), nil
}

func quiet(string, ...any) {}

// newBox makes a Maildir of n messages.
func newBox(t testing.TB, n int) string {
	path := filepath.Join(t.TempDir(), "Maildir")
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		name := fmt.Sprintf("%s/%d.M1P1.mx", []string{"new", "cur"}[i%2], 1700000001+i)
		if i%2 == 1 {
			name += ":2,"
		}
		if err := os.WriteFile(filepath.Join(path, name), fmt.Appendf(nil, "Subject: %d\n\nbody\n", i+1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// transact is one session over the Maildir at path.
func transact(t testing.TB, path string, f disk.FS, said string) (Stats, string, error) {
	t.Helper()
	box, err := maildir.Open(path, f)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	c := newScript(said)
	tr := &Transaction{Conn: c, Log: quiet, Box: box}
	err = tr.Transact()
	return tr.Stats, c.out.String(), err
}

// subjects are the messages of a Maildir by their Subject, as any reader of it
// finds them. One that is not whole fails the test.
func subjects(t testing.TB, path string) map[string]bool {
	t.Helper()
	box, err := maildir.Open(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	l, err := box.Scan()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for i := range l.Len() {
		f, _, err := box.OpenMessage(l.At(i))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		f.Close()
		subject, body, _ := strings.Cut(string(b), "\n")
		if err != nil || body != "\nbody\n" || got[subject] {
			t.Errorf("%s holds %q, %v", l.At(i), b, err)
		}
		got[subject] = true
	}
	return got
}

// files is the number of files in new and cur.
func files(t testing.TB, path string) (n int) {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(path, sub))
		if err != nil {
			t.Fatal(err)
		}
		n += len(entries)
	}
	return n
}

const deleteHalf = "DELE 1\r\nDELE 2\r\nRETR 3\r\nRETR 4\r\nDELE 4\r\nQUIT\r\n"

// kept are the messages that deleteHalf must leave, marked those that it may
// remove.
var (
	kept   = []string{"Subject: 3", "Subject: 5", "Subject: 6"}
	marked = []string{"Subject: 1", "Subject: 2", "Subject: 4"}
)

// P07: the power may fail at every moment of QUIT, and whatever was not synced
// may be lost: each message is whole or gone, none that was not marked is gone,
// and after +OK none that was marked is there.
func TestP07_PowerCutDuringQuit(t *testing.T) {
	t.Parallel()
	path := newBox(t, 6)
	r := disktest.Record(t, path)
	_, out, err := transact(t, path, r, deleteHalf)
	if err != nil || !strings.HasSuffix(out, "+OK bye\r\n") {
		t.Fatalf("%v:\n%s", err, out)
	}
	r.Ack("bye")
	worlds := 0
	for w := range disktest.Crashes(r.Trace()) {
		worlds++
		left := t.TempDir()
		if err := w.Write(left); err != nil {
			t.Fatal(err)
		}
		got := subjects(t, left)
		for _, s := range kept {
			if !got[s] {
				t.Errorf("%s: %s is lost", w, s)
			}
		}
		for _, s := range marked {
			if got[s] && w.Acked("bye") {
				t.Errorf("%s: %s is back after QUIT said yes", w, s)
			}
		}
	}
	if worlds < 8 {
		t.Errorf("only %d worlds were looked at", worlds)
	}
}

// dying is an FS whose process is killed before the call number at.
type dying struct {
	disk.FS
	calls, at int
}

var errKilled = errors.New("killed")

func (d *dying) step() {
	if d.calls++; d.calls == d.at {
		panic(errKilled)
	}
}

func (d *dying) Remove(dir *disk.Dir, name string) error {
	d.step()
	return d.FS.Remove(dir, name)
}

func (d *dying) RenameNew(from *disk.Dir, old string, to *disk.Dir, new string) error {
	d.step()
	return d.FS.RenameNew(from, old, to, new)
}

func (d *dying) SyncDir(dir *disk.Dir) error {
	d.step()
	return d.FS.SyncDir(dir)
}

// dies runs a session that is killed at a step; false if it had fewer steps.
func dies(t *testing.T, path string, at int) (died bool) {
	defer func() {
		if e := recover(); e != nil {
			if e != errKilled {
				panic(e)
			}
			died = true
		}
	}()
	transact(t, path, &dying{FS: disk.OS, at: at}, deleteHalf)
	return false
}

// P07: the process may be killed before every step of QUIT: what is left is
// whole, and the next session can delete it.
func TestP07_KilledDuringQuit(t *testing.T) {
	t.Parallel()
	at := 1
	for ; ; at++ {
		path := newBox(t, 6)
		died := dies(t, path, at)
		got := subjects(t, path)
		for _, s := range kept {
			if !got[s] {
				t.Fatalf("killed at step %d: %s is lost", at, s)
			}
		}
		var again strings.Builder
		for i := range len(got) {
			fmt.Fprintf(&again, "DELE %d\r\n", i+1)
		}
		_, out, err := transact(t, path, disk.OS, again.String()+"QUIT\r\n")
		if err != nil || strings.Contains(out, "-ERR") || files(t, path) > 0 {
			t.Fatalf("killed at step %d: the next session: %v\n%s", at, err, out)
		}
		if !died {
			break
		}
	}
	// Three removals, two flags or one, and a sync of each directory.
	if at < 6 {
		t.Errorf("QUIT had only %d steps", at-1)
	}
}

// A directory that cannot be synced: QUIT says so.
func TestQuitFailsIfTheSyncFails(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"sync", "remove"} {
		f := &disktest.Faulty{FS: disk.OS, Op: op, At: 1, Err: unix.EIO}
		_, out, _ := transact(t, newBox(t, 2), f, "DELE 1\r\nQUIT\r\n")
		if !f.Hit() {
			f = &disktest.Faulty{FS: disk.OS, At: 2, Err: unix.EIO}
			_, out, _ = transact(t, newBox(t, 2), f, "DELE 1\r\nQUIT\r\n")
		}
		if !strings.HasSuffix(out, "-ERR [SYS/TEMP] some deleted messages not removed\r\n") {
			t.Errorf("%s fails: %s", op, out)
		}
	}
}

// A message that cannot be read to its end gets no final dot, and nothing comes
// behind it.
func TestMessageThatCannotBeReadToItsEnd(t *testing.T) {
	t.Parallel()
	box, err := maildir.Open(newBox(t, 1), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	d := &maildrop{Transaction: &Transaction{Log: quiet, Box: box}}
	c := newScript("")
	s := newSession(c, quiet, maxLine)
	s.drop = d
	dir, err := os.Open(box.Path()) // reading a directory is an error
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := s.stream(dir, nil); err == nil {
		t.Error("no error")
	}
	s.w.Flush()
	if got := c.out.String(); strings.Contains(got, "\r\n.\r\n") {
		t.Errorf("client sees %q", got)
	}
}

// Nothing behind a login is read: it is for the next program.
func TestNothingIsReadBehindTheLogin(t *testing.T) {
	t.Parallel()
	for _, login := range []string{
		"USER ann\r\nPASS secret\r\n",
		"CAPA\r\nuser ann\npass secret\n",
		"AUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
		"AUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\n",
	} {
		const behind = "STAT\r\nQUIT\r\n"
		c := newScript(login + behind)
		a := &Authorization{Conn: c, Log: quiet, Plaintext: true, Check: onlyAnn}
		ok, err := a.Authorize()
		if !ok || err != nil || a.Login != "ann" {
			t.Errorf("%q: %v, %v, %q", login, ok, err, a.Login)
		}
		if rest, _ := io.ReadAll(c.in); string(rest) != behind {
			t.Errorf("%q: %q is left", login, rest)
		}
	}
}

func onlyAnn(mechanism, login, password, stamp string) error {
	if login == "ann" && password == "secret" {
		return nil
	}
	return auth.ErrRefused
}

// FuzzTransaction: whatever a client says, the answers are well-formed, no more
// messages are gone than QUIT was told, and none without QUIT.
func FuzzTransaction(f *testing.F) {
	f.Add("STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 2 1\r\nDELE 1\r\nQUIT\r\n")
	f.Add("RETR 0\r\nRETR 99999999999999999999\r\nTOP 1 -1\r\nTOP\r\n")
	f.Add("DELE 1\nDELE 1\nRSET\nNOOP\nLANG\nCAPA\n\x00\xff\nQUIT")
	f.Fuzz(func(t *testing.T, said string) {
		path := newBox(t, 3)
		stats, out, err := transact(t, path, disk.OS, said)
		wellFormed(t, out)
		left := len(subjects(t, path))
		if err != nil && left != 3 || left+stats.Deleted != 3 {
			t.Fatalf("%q: %d messages left, %d deleted, %v", said, left, stats.Deleted, err)
		}
	})
}

// FuzzAuthorization: nobody gets in without the password, and a session that is
// over has no login.
func FuzzAuthorization(f *testing.F) {
	f.Add("CAPA\r\nUSER ann\r\nPASS wrong\r\nUSER ann\r\nPASS secret\r\n")
	f.Add("AUTH\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n")
	f.Add("AUTH PLAIN =\r\nAPOP ann 00000000000000000000000000000000\r\nSTLS\r\n")
	f.Fuzz(func(t *testing.T, said string) {
		c := newScript(said)
		let := false
		a := &Authorization{Conn: c, Log: quiet, Plaintext: true, Early: func() bool { return false },
			Check: func(mechanism, login, password, stamp string) error {
				err := onlyAnn(mechanism, login, password, stamp)
				let = let || err == nil
				return err
			}}
		ok, _ := a.Authorize()
		wellFormed(t, c.out.String())
		if ok != let || ok && a.Login != "ann" {
			t.Fatalf("%q: %v, %q", said, ok, a.Login)
		}
	})
}

// wellFormed checks that all of out is lines with CRLF, none above the 512
// octets of RFC 1939 section 3, and that it begins with a reply.
func wellFormed(t *testing.T, out string) {
	t.Helper()
	if !strings.HasPrefix(out, "+OK ") || !strings.HasSuffix(out, "\r\n") {
		t.Fatalf("%q is no conversation", out)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
		if strings.ContainsAny(l, "\r\n") || len(l) > 510 {
			t.Fatalf("line %q in %q", l, out)
		}
	}
}
