package main

import (
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

// A wrong command line says what is wrong with which word, and exits 100 without
// a greeting; what may be right later exits 111, and the client is told.
func TestWrongCommandLines(t *testing.T) {
	t.Parallel()
	progtest.Bin(t, "login-ok")
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"unknown flag":        {[]string{"--foo"}, 100, "", "unknown flag: --foo; see 'pop3d --help'"},
		"two Maildirs":        {[]string{dir, dir}, 100, "", "one MAILDIR, or -- and an AUTH program"},
		"Maildir and AUTH":    {[]string{dir, "--", "checkpw"}, 100, "", "one MAILDIR, or -- and an AUTH program"},
		"AUTH not there":      {[]string{"--", "nosuchauth"}, 111, "-ERR [SYS/TEMP] nobody can log in now, try again later\r\n", "AUTH program nosuchauth: nosuchauth not found in PATH; give the path"},
		"no AUTH":             {[]string{"--"}, 100, "", "no AUTH program behind --"},
		"no Maildir":          {nil, 100, "", "no MAILDIR given, and neither MAILDIR nor HOME is set"},
		"format":              {[]string{"--uidl=%q", dir}, 100, "", `format of unique-ids "%q"`},
		"timeout":             {[]string{"--timeout=0s", dir}, 100, "", "timeout 0s is no time to wait"},
		"Maildir not there":   {[]string{dir + "/typo"}, 111, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n", dir + "/typo: no such file or directory; is the path right? --create makes it"},
		"Maildir is no such":  {[]string{dir}, 111, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n", dir},
		"Maildir was a file":  {[]string{"/dev/null"}, 111, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n", "/dev/null"},
		"no place to make it": {[]string{"--create", "/dev/null/Maildir"}, 111, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n", "/dev/null/Maildir"},
	} {
		r := progtest.Run(t, strings.NewReader("QUIT\r\n"), nil, "pop3d", c.args...)
		if r.Code != c.code || r.Stdout != c.stdout || !strings.HasPrefix(r.Stderr, "pop3d: ") || !strings.Contains(r.Stderr, c.stderr) || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want code %d and %q", name, r, c.code, c.stderr)
		}
	}
}

// MAILDIR, else Maildir in HOME.
func TestDefaultMaildir(t *testing.T) {
	t.Parallel()
	box := three(t)
	home := strings.TrimSuffix(box, "/Maildir")
	for _, env := range [][]string{{"HOME=" + home}, {"MAILDIR=" + box, "HOME=/nonexistent"}} {
		r := progtest.Run(t, strings.NewReader("QUIT\r\n"), env, "pop3d")
		if r.Code != 0 || r.Stdout != "+OK 3 messages\r\n+OK bye\r\n" {
			t.Errorf("%q: %+v", env, r)
		}
	}
}
