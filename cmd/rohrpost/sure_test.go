package main_test

import (
	"strings"
	"testing"
)

// What nobody could read has not been said.
func TestOutputThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\n", 0o600)
	for _, command := range []string{"check", "explain bob", "explain nobody", "user list", "queue list"} {
		code, log := unheard(t, home, append(strings.Fields(command), "--home", ".")...)
		if code != 111 || !strings.Contains(log, "no space left on device") {
			t.Errorf("%s: exit %d %s", command, code, log)
		}
	}
}

func TestExplainGoesOnAfterAWrongAddress(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\nann:::::\n", 0o600)
	r := in(t, home, "", "explain", "--home", ".", "bob", "bad@@x", "ann")
	if r.Code != 100 || !strings.Contains(r.Stdout, "bob@mx.example: mailbox ") || !strings.Contains(r.Stdout, "ann@mx.example: mailbox ") || !strings.Contains(r.Stderr, `address "bad@@x"`) {
		t.Errorf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestCheckSaysThingsOnce(t *testing.T) {
	t.Parallel()
	home := host(t)
	put(t, home+"/etc/users", "bob:::::\n", 0o600)
	put(t, home+"/etc/locals", "two words\n", 0o644)
	put(t, home+"/etc/me", "a\nb\n", 0o644)
	r := in(t, home, "", "check", "--home", ".")
	said := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSuffix(r.Stdout, "\n"), "\n") {
		if said[line] {
			t.Errorf("twice: %s", line)
		}
		said[line] = true
	}
	if r.Code != 100 {
		t.Errorf("exit %d\n%s", r.Code, r.Stdout)
	}
}
