package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
)

func TestQ17_ClockThatJumpedBouncesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("451 4.2.0 later")
	env := mail("ann@mx.test", "bob@mx.test")
	env.Arrived = time.Now().AddDate(-10, 0, 0)
	h.put(env, text)
	log := h.once()
	h.want(1, map[string]int{"ann": 0})
	h.logged(log, "^relay: deferred ")
	var next int64
	name := h.waiting()[0]
	if _, err := fmt.Sscanf(name[strings.Index(name, ",T=")+3:], "%d", &next); err != nil {
		t.Fatal(err)
	}
	if wait := time.Until(time.Unix(next, 0)); wait > time.Hour {
		t.Errorf("next attempt in %v", wait)
	}
}

func TestQ17_TimeFarAheadIsTriedSoon(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	env := mail("ann@mx.test", "bob@mx.test")
	env.Arrived = time.Now().AddDate(10, 0, 0)
	h.put(env, text)
	d := h.start()
	h.until("the message", func() bool { return len(h.inbox("bob")) == 1 && len(h.waiting()) == 0 })
	d.stop(syscall.SIGTERM)
}

func TestQ24_ManyEntriesThatWait(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	next := time.Now().Add(time.Hour).Unix()
	// One file that nobody may read, under many names.
	h.write("closed", "")
	if err := os.Chmod(h.path("closed"), 0); err != nil {
		t.Fatal(err)
	}
	const n = 2000
	for i := range n {
		if err := os.Link(h.path("closed"), h.path(fmt.Sprintf("queue/cur/1.M%d.mx,D=x.example,T=%d,A=1:2,", i, next))); err != nil {
			t.Fatal(err)
		}
	}
	d := h.start()
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	h.until("the message", func() bool { return len(h.inbox("bob")) == 1 })
	if code, log := d.stop(syscall.SIGTERM); code != 0 || strings.Contains(log, "quarantined") {
		t.Errorf("exit %d\n%s", code, log)
	}
	h.want(n, nil)
}

func TestSignals(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("451 4.2.0 later")
	d := h.start()
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	tried := func(n int) func() bool {
		return func() bool {
			return strings.Count(h.commands(), "LAST") == n && strings.Contains(fmt.Sprint(h.waiting()), fmt.Sprintf(",A=%d", n))
		}
	}
	h.until("the first attempt", tried(1))
	d.cmd.Process.Signal(syscall.SIGALRM)
	h.until("the second attempt", tried(2))
	h.write("etc/queuelifetime", "five days\n")
	d.cmd.Process.Signal(syscall.SIGHUP)
	h.until("the complaint", func() bool { b, _ := os.ReadFile(d.log); return strings.Contains(string(b), "config-bad") })
	h.write("etc/queuelifetime", "0\n")
	d.cmd.Process.Signal(syscall.SIGHUP)
	d.cmd.Process.Signal(syscall.SIGALRM)
	h.until("the failure", func() bool { b, _ := os.ReadFile(d.log); return strings.Contains(string(b), "relay: failed ") })
	code, log := d.stop(syscall.SIGINT)
	if code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
	h.logged(log, `^relay: config-bad err=".*queuelifetime:1: `)
}

func TestErrorsNameTheThingAndTheRemedy(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, c := range []struct {
		claim  string
		before func()
		args   []string
		code   int
		says   string
	}{
		{"a wrong flag", nil, []string{"--fast"}, 100, "see 'relay --help'"},
		{"an argument", nil, []string{"now"}, 100, "now"},
		{"no queue", nil, []string{"--queue", h.path("none")}, 111, h.path("none")},
		{"a number that is none", func() { h.write("etc/concurrencylocal", "many\n") }, nil, 100, "etc/concurrencylocal:1: "},
		{"a number beyond sense", func() { h.write("etc/concurrencylocal", "5000\n") }, nil, 100, "more than 1000"},
		{"no deliver", func() {
			os.Remove(h.path("etc/concurrencylocal"))
			h.env = []string{"ROHRPOST_LIBEXEC=" + h.path("none")}
		}, nil, 111, "ROHRPOST_LIBEXEC"},
	} {
		if c.before != nil {
			c.before()
		}
		r := progtest.RunCmd(t, nil, h.command(append([]string{"--once"}, c.args...)...))
		if r.Code != c.code || !strings.Contains(r.Stderr, c.says) || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q", c.claim, r.Code, r.Stderr)
		}
	}
}

func TestOnceAndWatchExcludeEachOther(t *testing.T) {
	t.Parallel()
	r := progtest.Run(t, nil, nil, "relay", "--once", "--watch", "--queue", "/nonexistent")
	if r.Code != 100 || r.Stderr != "relay: --once and --watch exclude each other; see 'relay --help'\n" {
		t.Errorf("exit %d: %s", r.Code, r.Stderr)
	}
}
