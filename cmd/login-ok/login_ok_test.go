package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/protocol/auth"
)

func TestReportsWhoItIs(t *testing.T) {
	t.Parallel()
	c := progtest.Command(t, []string{"USER=ann", "EMPTY=", "ODD=a\nb"}, "login-ok")
	c.Dir = t.TempDir()
	r := progtest.RunCmd(t, nil, c)
	id, err := auth.ParseReport([]byte(r.Stdout))
	if err != nil || r.Code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	if id.UID != os.Geteuid() || id.GIDs[0] != os.Getegid() || id.Dir != c.Dir {
		t.Errorf("%+v", id)
	}
	for _, e := range []string{"USER=ann", "EMPTY=", "ODD=a\nb"} {
		if !slices.Contains(id.Env, e) {
			t.Errorf("environment lacks %q", e)
		}
	}
}

func TestTakesNoArguments(t *testing.T) {
	t.Parallel()
	r := progtest.Run(t, nil, nil, "login-ok", "bob")
	if r.Code != 100 || r.Stdout != "" || !strings.Contains(r.Stderr, "rohrpost-login-ok(8)") {
		t.Errorf("%+v", r)
	}
}

func TestReportThatIsTooLargeIsNone(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("x", 60_000) // the kernel takes 128 KB in one string
	r := progtest.Run(t, nil, []string{"A=" + x, "B=" + x, "C=" + x}, "login-ok")
	if r.Code != 111 || r.Stdout != "" || !strings.Contains(r.Stderr, "larger than 131072 bytes") {
		t.Errorf("code %d, %d bytes, log %s", r.Code, len(r.Stdout), r.Stderr)
	}
}

func TestSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{"--help": "rohrpost-login-ok(8)", "-h": "Usage:", "--version": "login-ok (rohrpost) "} {
		if r := progtest.Run(t, nil, nil, "login-ok", flag); r.Code != 0 || r.Stderr != "" || !strings.Contains(r.Stdout, want) {
			t.Errorf("%s: %+v", flag, r)
		}
	}
}
