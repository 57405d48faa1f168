package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// letter puts a message file of some age into a directory.
func letter(t testing.TB, path string, age time.Duration) {
	t.Helper()
	put(t, path, "Subject: x\n\n", 0o600)
	at := time.Now().Add(-age)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestSweepRemovesDebris(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\n", 0o600)
	put(t, home+"/etc/.users.new", "half", 0o600)
	box, err := maildir.Create(home+"/mail/bob/Maildir", disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := box.CreateFolder("Lists")
	if err != nil {
		t.Fatal(err)
	}
	old, young := 37*time.Hour, 35*time.Hour
	var debris, others []string
	for _, dir := range []string{home + "/queue", box.Path(), folder.Path()} {
		debris = append(debris, filepath.Join(dir, "tmp/old"))
		others = append(others, filepath.Join(dir, "tmp/young"), filepath.Join(dir, "new/old"))
	}
	debris = append(debris, home+"/queue/drop/tmp/old")
	others = append(others, home+"/queue/drop/tmp/young")
	for i, path := range others {
		letter(t, path, []time.Duration{young, old}[i%2])
	}
	for _, path := range debris {
		letter(t, path, old)
	}
	dry := in(t, home, "", "sweep", "--home", ".", "-n")
	if dry.Code != 0 || !strings.Contains(dry.Stdout, "would remove 4 files in tmp, 0 messages\n") || !strings.Contains(dry.Stdout, "would remove etc/.users.new\n") {
		t.Errorf("exit %d %s%s", dry.Code, dry.Stdout, dry.Stderr)
	}
	for _, path := range append(debris, home+"/etc/.users.new") {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the dry run: %v", err)
		}
	}
	if r := in(t, home, "", "sweep", "--home", "."); r.Code != 0 || r.Stdout+r.Stderr != "" {
		t.Errorf("exit %d, not quiet: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	for _, path := range append(debris, home+"/etc/.users.new") {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range others {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// A line of users that is wrong stops nobody else's sweep, and is said.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "root::0:::\nbob:::::\n", 0o600)
	m, err := maildir.Create(home+"/mail/bob/Maildir", disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	letter(t, m.Path()+"/tmp/old", 40*time.Hour)
	r := in(t, home, "", "sweep", "--home", ".")
	if r.Code != 111 || !strings.Contains(r.Stderr, "users:1: uid of root is 0") {
		t.Errorf("exit %d %s", r.Code, r.Stderr)
	}
	if _, err := os.Stat(m.Path() + "/tmp/old"); !os.IsNotExist(err) {
		t.Error("bob's debris is still there")
	}
}

func TestSweepRefusesAWrongRule(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/expire", "Trash 0d\n", 0o644)
	if r := in(t, home, "", "sweep", "--home", "."); r.Code != 111 || !strings.Contains(r.Stderr, "expire:1:") {
		t.Errorf("exit %d %s", r.Code, r.Stderr)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\n", 0o600)
	put(t, home+"/etc/aliases", "sales: bob, x@far.example\nowner-sales: bob\n", 0o644)
	put(t, home+"/etc/rcpthosts", "backup.example\n", 0o644)
	r := in(t, home, "", "explain", "--etc", "etc", "bob+lists", "sales@localhost", "a@far.example", "a@backup.example", "eve")
	want := "bob+lists@mx.example: mailbox " + home + `/mail/bob/Maildir, extension lists
  because mx.example is local: it is me, and there is no file locals
  because etc/users:1: user bob
sales@localhost: alias of 2
  to x@far.example
  to bob@mx.example
  sender becomes owner-sales@localhost
  because localhost is always local
  because etc/aliases:1: alias sales
a@far.example: another host; only who may relay can send there through this one
  because far.example is neither local nor virtual
a@backup.example: another host; anybody may send there through this one
  because etc/rcpthosts:1: strangers may send to backup.example
eve@mx.example: nobody here has this name; smtpd refuses it
  because mx.example is local: it is me, and there is no file locals
  because neither aliases nor users have eve
`
	if r.Code != 100 || r.Stdout != want {
		t.Errorf("exit %d, got\n%s%swant\n%s", r.Code, r.Stdout, r.Stderr, want)
	}
	if r = in(t, home, "", "explain", "--etc", "etc", "a b@c"); r.Code != 100 || !strings.Contains(r.Stderr, `address "a b@c"`) {
		t.Errorf("exit %d %s", r.Code, r.Stderr)
	}
}

func TestOtherPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/pop3d", "#!/bin/sh\necho \"$@\"\nexit 3\n", 0o755)
	env := []string{"ROHRPOST_LIBEXEC=" + dir}
	if r := progtest.Run(t, nil, env, "rohrpost", "pop3d", "--help", "-x", "--", "y"); r.Code != 3 || r.Stdout != "--help -x -- y\n" {
		t.Errorf("exit %d %q %s", r.Code, r.Stdout, r.Stderr)
	}
	for args, want := range map[string]string{
		"smtpd":  "program smtpd not found in " + dir,
		"usr":    `there is no command "usr"; did you mean up or user?`,
		"pop":    "did you mean up or pop3d?",
		"../x":   `there is no command "../x"; see`,
		"--home": "unknown flag: --home; see 'rohrpost --help'",
	} {
		if r := progtest.Run(t, nil, env, "rohrpost", args); r.Code == 0 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%s: exit %d %s", args, r.Code, r.Stderr)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	if r := progtest.Run(t, nil, nil, "rohrpost", "--version"); r.Code != 0 || !strings.HasPrefix(r.Stdout, "rohrpost (rohrpost) ") {
		t.Errorf("exit %d %q", r.Code, r.Stdout)
	}
	for _, args := range [][]string{{}, {"up"}, {"user"}, {"user", "add"}, {"queue"}, {"queue", "show"}, {"check"}, {"explain"}, {"sweep"}} {
		r := progtest.Run(t, nil, nil, "rohrpost", append(args, "--help")...)
		if r.Code != 0 || !strings.Contains(r.Stdout, "Usage:") {
			t.Errorf("%v: exit %d %q", args, r.Code, r.Stdout)
		}
		for _, line := range strings.Split(r.Stdout, "\n") {
			if strings.HasSuffix(line, "\t") {
				t.Errorf("%v: %q", args, line)
			}
		}
	}
}

// TestManualKnowsEveryCommandAndFlag holds rohrpost(1) to the programs.
func TestManualKnowsEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../man/rohrpost.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"up"}, {"user", "add"}, {"user", "passwd"}, {"user", "del"}, {"queue", "list"}, {"queue", "cancel"}, {"sweep"}} {
		r := progtest.Run(t, nil, nil, "rohrpost", append(args, "--help")...)
		_, flags, _ := strings.Cut(r.Stdout, "Flags:")
		for _, word := range strings.Fields(flags) {
			name, long := strings.CutPrefix(word, "--")
			if name == "help" || name == "dry-run" || !long {
				continue
			}
			if !strings.Contains(string(page), "Fl -"+name) {
				t.Errorf("rohrpost(1) has no --%s of %v", name, args)
			}
		}
	}
}

func TestSweepDryRunListsOnlyWhatThereIsToDo(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/expire", "INBOX 30d\n", 0o644)
	in(t, home, "pw\n", "user", "add", "--home", ".", "bob")
	r := in(t, home, "", "sweep", "--home", ".", "-n")
	if r.Code != 0 || r.Stdout != "would remove 0 files in tmp, 0 messages\n" {
		t.Errorf("exit %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}
