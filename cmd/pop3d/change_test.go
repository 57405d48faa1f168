package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// P04: a message that another program removes is refused, and it alone; the
// numbers of the others stay.
func TestP04_MessageRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	box := three(t)
	c := dial(t, box)
	c.ask("LIST", "+OK")
	list := c.body()
	if err := os.Remove(filepath.Join(box, "cur/1700000002.M1P1.mx:2,")); err != nil {
		t.Fatal(err)
	}
	c.ask("RETR 2", "-ERR message is gone")
	c.ask("TOP 2 1", "-ERR message is gone")
	c.ask("RETR 3", "+OK")
	if got := c.body(); !strings.HasPrefix(got, "Subject: 3\r\n") {
		t.Errorf("message 3 is now %q", got)
	}
	c.ask("LIST", "+OK")
	if got := c.body(); got != list {
		t.Errorf("LIST said %q, then %q", list, got)
	}
	c.ask("DELE 2", "+OK")
	c.quit()
}

// P04: one that is renamed, gets flags or moves from new to cur is the same
// message, when it is read and when it is deleted.
func TestP04_MessageRenamedMeanwhile(t *testing.T) {
	t.Parallel()
	box := newMaildir(t, map[string]string{
		"new/1700000001.M1P1.mx":    "Subject: 1\n\n",
		"cur/1700000002.M1P1.mx:2,": "Subject: 2\n\n",
		"cur/1700000003.M1P1.mx:2,": "Subject: 3\n\n",
	})
	c := dial(t, box)
	c.ask("LIST", "+OK")
	c.body()
	rename(t, box+"/new/1700000001.M1P1.mx", box+"/cur/1700000001.M1P1.mx:2,F")
	rename(t, box+"/cur/1700000002.M1P1.mx:2,", box+"/cur/1700000002.M1P1.mx,U=7:2,RS")
	for _, n := range []string{"1", "2"} {
		c.ask("RETR "+n, "+OK")
		if got := c.body(); !strings.HasPrefix(got, "Subject: "+n) {
			t.Errorf("message %s is %q", n, got)
		}
	}
	c.ask("DELE 3", "+OK")
	c.ask("DELE 1", "+OK")
	rename(t, box+"/cur/1700000003.M1P1.mx:2,", box+"/cur/1700000003.M1P1.mx:2,T")
	c.quit()
	if got := strings.Join(messages(t, box), " "); got != "cur/1700000002.M1P1.mx,U=7:2,RS" {
		t.Errorf("left are %s", got)
	}
}

// P05: what is sent is the file that is opened, to its end, whatever was listed.
func TestP05_FileReplacedOrGrown(t *testing.T) {
	t.Parallel()
	box := three(t)
	c := dial(t, box)
	c.ask("LIST", "+OK")
	c.body()
	put(t, box+"/cur/1700000001.M1P1.mx:2,", "Subject: longer than before\n\n"+strings.Repeat("x", 100_000)+"\n.\n")
	put(t, box+"/cur/1700000002.M1P1.mx:2,", "S: 2\n")
	put(t, box+"/cur/1700000003.M1P1.mx:2,", "")
	for command, want := range map[string]string{
		"RETR 1": "Subject: longer than before\r\n\r\n" + strings.Repeat("x", 100_000) + "\r\n..\r\n.\r\n",
		"RETR 2": "S: 2\r\n.\r\n",
		"RETR 3": ".\r\n",
	} {
		c.ask(command, "+OK")
		if got := c.body(); got != want {
			t.Errorf("%s: got %.200q, want %.200q", command, got, want)
		}
	}
	c.ask("NOOP", "+OK")
	c.quit()
}

// P05: sizes in names are hints; a name that lies spoils nothing but its own
// size, and no sum wraps.
func TestP05_NamesThatLieAboutSizes(t *testing.T) {
	t.Parallel()
	box := newMaildir(t, map[string]string{
		"cur/1700000001.M1P1.mx,S=1,W=9223372036854775807:2,": "Subject: 1\n\n",
		"cur/1700000002.M1P1.mx,S=1,W=9223372036854775807:2,": "Subject: 2\n\n",
		"cur/1700000003.M1P1.mx,S=1,W=-5:2,":                  "Subject: 3\n\n",
		"cur/1700000004.M1P1.mx,S=1,W=3:2,":                   "Subject: 4\n\n",
	})
	c := dial(t, box)
	c.ask("STAT", "+OK 4 45")
	c.ask("RETR 4", "+OK")
	if got := c.body(); got != "Subject: 4\r\n\r\n.\r\n" {
		t.Errorf("got %q", got)
	}
	c.quit()
}

// P06: neither a closed connection nor a killed client deletes.
func TestP06_ConnectionCut(t *testing.T) {
	t.Parallel()
	box := three(t)
	c := dial(t, box)
	c.ask("DELE 1", "+OK")
	c.conn.Close()
	c.cmd.Wait()
	if n := len(messages(t, box)); n != 3 {
		t.Errorf("%d messages left, want 3", n)
	}
	if !strings.Contains(c.log.String(), "dele=0") {
		t.Errorf("log: %s", c.log.String())
	}
}

// P06: a client that pipelines RETR, DELE and QUIT, and is gone before it got the
// message, must find it there the next time.
func TestP06_CutWhileAMessageIsSent(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string]int{"more than any socket holds": 1 << 19, "what one write holds": 1} {
		box := three(t)
		text := strings.Repeat("Subject: "+name+"\n", lines)
		if err := os.WriteFile(filepath.Join(box, messages(t, box)[0]), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := dial(t, box)
		io.WriteString(c.conn, "RETR 1\r\nRETR 2\r\nRETR 3\r\nDELE 1\r\nDELE 2\r\nDELE 3\r\nQUIT\r\n")
		c.conn.Close()
		c.cmd.Wait()
		if n := len(messages(t, box)); n != 3 {
			t.Errorf("%s: %d messages left, want 3: %s", name, n, c.log.String())
		}
	}
}

// P11: two sessions delete the same message; both are told that it is removed,
// which it is.
func TestP11_TwoSessionsDeleteTheSame(t *testing.T) {
	t.Parallel()
	box := three(t)
	a, b := dial(t, box), dial(t, box)
	for _, c := range []*client{a, b} {
		c.ask("DELE 1", "+OK")
		c.ask("STAT", "+OK 2 ")
	}
	b.ask("DELE 3", "+OK")
	a.quit()
	b.ask("RETR 2", "+OK")
	b.body()
	b.quit()
	if got := strings.Join(messages(t, box), " "); got != "cur/1700000002.M1P1.mx:2,S" {
		t.Errorf("left are %s", got)
	}
}

// A Maildir that we may not write: everything can be read, and QUIT does not lie
// about the deletes.
func TestQuitTellsWhatItCouldNotRemove(t *testing.T) {
	t.Parallel()
	box := three(t)
	// A directory in the place of the file cannot be unlinked, by root neither.
	c := dial(t, box)
	c.ask("DELE 1", "+OK")
	c.ask("DELE 2", "+OK")
	path := box + "/cur/1700000001.M1P1.mx:2,"
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	c.ask("QUIT", "-ERR [SYS/TEMP] some deleted messages not removed")
	c.ended()
	if got := strings.Join(messages(t, box), " "); strings.Contains(got, "1700000002") || !strings.Contains(got, "1700000003") {
		t.Errorf("left are %s", got)
	}
	if !strings.Contains(c.log.String(), "pop3d: delete-failed ") {
		t.Errorf("log: %s", c.log.String())
	}
}
