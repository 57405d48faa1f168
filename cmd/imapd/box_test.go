package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

// boxTree is a Maildir with these folders.
func boxTree(t *testing.T, folders ...string) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for _, name := range folders {
		f, err := m.CreateFolder(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return m
}

// say plays commands over a Maildir and returns the lines that answer them.
func say(t *testing.T, m *maildir.Maildir, commands ...string) []string {
	t.Helper()
	in := strings.NewReader(strings.Join(append(commands, "z LOGOUT", ""), "\r\n"))
	r := progtest.Run(t, in, []string{"HOME=" + filepath.Dir(m.Path())}, "imapd")
	if r.Code != 0 {
		t.Fatalf("imapd exited %d:\n%s", r.Code, r.Stderr)
	}
	lines := strings.Split(strings.TrimSuffix(r.Stdout, "\r\n"), "\r\n")
	return lines[1 : len(lines)-2] // without the greeting and what LOGOUT says
}

// peer is one session of several that run at once.
type peer struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log bytes.Buffer
}

func startPeer(t *testing.T, m *maildir.Maildir) *peer {
	t.Helper()
	return startCommand(t, progtest.Command(t, []string{"HOME=" + filepath.Dir(m.Path())}, "imapd"))
}

// startCommand starts a program that greets.
func startCommand(t *testing.T, c *exec.Cmd) *peer {
	t.Helper()
	p := &peer{t: t, cmd: c}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out, p.cmd.Stderr = in, bufio.NewReader(out), &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	p.line() // the greeting
	return p
}

func (p *peer) line() string {
	p.t.Helper()
	l, err := p.out.ReadString('\n')
	if err != nil {
		p.cmd.Wait()
		p.t.Fatalf("the session ended with %q; log:\n%s", l, &p.log)
	}
	return strings.TrimRight(l, "\r\n")
}

// ask sends a command and returns all lines up to the tagged one, or to BYE.
func (p *peer) ask(command string) (lines []string) {
	p.t.Helper()
	io.WriteString(p.in, command+"\r\n")
	tag, _, _ := strings.Cut(command, " ")
	for {
		l := p.line()
		lines = append(lines, l)
		if strings.HasPrefix(l, tag+" ") || strings.HasPrefix(l, "* BYE ") {
			return lines
		}
	}
}

// end closes our side. The program must end well.
func (p *peer) end() {
	p.t.Helper()
	p.in.Close()
	io.Copy(io.Discard, p.out)
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
}

// I11: what is no folder is neither listed nor entered, and nothing outside the
// Maildir is touched (RFC 9051 section 6.3.9 has only names that SELECT can mean).
func TestI11LinksAndOtherThingsAreNoMailboxes(t *testing.T) {
	t.Parallel()
	m := boxTree(t, "real")
	outside := boxTree(t, "inner")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink(outside.Path(), m.Path()+"/.out"))
	must(os.Symlink(".loop", m.Path()+"/.loop"))
	must(unix.Mkfifo(m.Path()+"/.pipe", 0o600))
	must(os.WriteFile(m.Path()+"/.file", nil, 0o600))
	got := say(t, m, `a LIST "" *`)
	want := []string{
		`* LIST (\HasNoChildren) "." INBOX`,
		`* LIST (\HasNoChildren) "." real`,
		"a OK that is all",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{"out", "loop", "pipe", "file"} {
		for _, command := range []string{"SELECT %s", "STATUS %s (MESSAGES)", "CREATE %s", "DELETE %s", "RENAME %s new", "RENAME real %s"} {
			command = fmt.Sprintf(command, name)
			got := say(t, m, "a "+command)
			if len(got) != 1 || !strings.HasPrefix(got[0], "a NO ") {
				t.Errorf("%s: %q", command, got)
			}
		}
		if _, err := os.Lstat(m.Path() + "/." + name); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(outside.Path() + "/.inner/cur"); err != nil {
		t.Error(err)
	}
}

// I12: wildcards are as many as their widest; and what would take too many steps is
// refused before the first (RFC 5530 section 3, LIMIT).
func TestI12WildcardsAreBounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("a.", 100)
	var folders []string
	for i := range 60 {
		folders = append(folders, fmt.Sprintf("%s%d", deep, i))
	}
	m := boxTree(t, folders...)
	if got := say(t, m, `a LIST "" "*%*%*%*%*%*%*%*%*%*%*%*%*%*%*"`); len(got) != len(folders)+2 {
		t.Errorf("got %d lines", len(got))
	}
	heavy := `"` + strings.Repeat("*a", 490) + `"`
	if got := say(t, m, `a LIST "" (`+heavy+" "+heavy+`)`); len(got) != 1 || !strings.HasPrefix(got[0], "a NO [LIMIT] ") {
		t.Errorf("got %q", got)
	}
	if got := say(t, boxTree(t), `a LIST "" (`+heavy+" "+heavy+`)`); len(got) != 1 || !strings.HasPrefix(got[0], "a OK ") {
		t.Errorf("few mailboxes: got %q", got)
	}
}

// Clients ask for mailboxes that nobody has made, mutt for postponed mail each minute;
// that is no trouble of ours.
func TestLogHasTroubleNotQuestions(t *testing.T) {
	t.Parallel()
	m := boxTree(t, "real", "broken")
	if err := os.Mkdir(m.Path()+"/.broken/dovecot-uidlist", 0o700); err != nil {
		t.Fatal(err)
	}
	for command, logged := range map[string]bool{
		"STATUS none (MESSAGES)": false, "SELECT none": false, "CREATE real": false, "CREATE a/../b..": false,
		"SELECT broken": true,
	} {
		r := progtest.Run(t, strings.NewReader("a "+command+"\r\n"), []string{"HOME=" + filepath.Dir(m.Path())}, "imapd")
		if !strings.Contains(r.Stdout, "\r\na NO ") || strings.Contains(r.Stderr, "imapd: failed") != logged {
			t.Errorf("%s: logged should be %v:\n%s%s", command, logged, r.Stdout, r.Stderr)
		}
	}
}

// A file of uses that grew beyond all measure is not read, and LIST goes on without.
func TestUsesFileIsBounded(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{1 << 10: `* LIST (\HasNoChildren \Sent) "." a`, 1 << 20: `* LIST (\HasNoChildren) "." a`} {
		m := boxTree(t, "a")
		text := "\\Sent a\n" + strings.Repeat("#", size)
		if err := os.WriteFile(m.Path()+"/rohrpost.uses", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := say(t, m, `a LIST "" a`); len(got) != 2 || got[0] != want {
			t.Errorf("with %d bytes behind the use: %q", size, got)
		}
	}
}

// RFC 9051 section 6.3.4: a mailbox that is made anew "MUST" have greater UIDs
// "unless the new incarnation has a different unique identifier validity value".
func TestI31AMailboxMadeAnewHasAnotherUIDValidity(t *testing.T) {
	t.Parallel()
	got := say(t, boxTree(t), "a CREATE x", "b STATUS x (UIDVALIDITY)", "c DELETE x", "d CREATE x", "e STATUS x (UIDVALIDITY)",
		"f RENAME x y", "g CREATE x", "h STATUS x (UIDVALIDITY)", "i STATUS y (UIDVALIDITY)")
	var seen []string
	for _, line := range got {
		if text, ok := strings.CutPrefix(line, "* STATUS "); ok {
			seen = append(seen, text[2:])
		}
	}
	if len(seen) != 4 || seen[0] == seen[1] || seen[1] == seen[2] || seen[0] == seen[2] || seen[3] != seen[1] {
		t.Errorf("UIDVALIDITY %q of x, x made anew, x after a rename, and y, which x became; all: %q", seen, got)
	}
}

// I36: a session keeps its numbering and goes on when another renames what it has
// selected, and is told BYE, in good order, when another deletes it (RFC 9051 section
// 7.1.5, the second condition).
func TestI36OthersChangeWhatIsSelected(t *testing.T) {
	t.Parallel()
	for change, box := range map[string]string{
		"DELETE sel":        "sel",
		"RENAME sel other":  "sel",
		"RENAME sel sel2":   "sel",
		"RENAME INBOX took": "INBOX",
	} {
		m := boxTree(t, "sel")
		for _, dir := range []string{"/.sel/cur", "/cur"} {
			if err := os.WriteFile(m.Path()+dir+"/1700000001.M1P1.mx:2,S", []byte("Subject: 1\n\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a, b := startPeer(t, m), startPeer(t, m)
		a.ask("a SELECT " + box)
		if got := b.ask("b " + change); !strings.HasPrefix(got[len(got)-1], "b OK ") {
			t.Errorf("%s: %q", change, got)
		}
		bye := false
		for _, command := range []string{"NOOP", "UID FETCH 1 BODY[]", "UID STORE 1 +FLAGS (\\Flagged)", "EXPUNGE", "CLOSE", "STATUS INBOX (MESSAGES)"} {
			got := a.ask("c " + command)
			last := got[len(got)-1]
			if bye = strings.HasPrefix(last, "* BYE "); bye {
				break
			}
			if !strings.HasPrefix(last, "c OK ") {
				t.Errorf("%s, then %s: %q", change, command, got)
			}
		}
		if bye != strings.HasPrefix(change, "DELETE") {
			t.Errorf("%s: the session with it selected was told BYE: %v", change, bye)
		}
		a.end()
		b.end()
	}
}
