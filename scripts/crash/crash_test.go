//go:build linux && amd64

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMain lets the tracer start this program as its shim.
func TestMain(m *testing.M) {
	if spec, ok := os.LookupEnv(shimEnv); ok {
		shim(spec)
	}
	os.Exit(m.Run())
}

// scripted is a delivery by a shell script, right or wrong. B is the Maildir.
func scripted(script string) scenario {
	return scenario{name: "script", make: func(dir string) (*instance, error) {
		box, input := filepath.Join(dir, "home", "Maildir"), filepath.Join(dir, "message")
		text := message(1, 300_000) // more than one write of cat
		if err := makeMaildir(box); err != nil {
			return nil, err
		}
		if err := os.WriteFile(input, text, 0o600); err != nil {
			return nil, err
		}
		return &instance{
			command: command{argv: []string{"/bin/sh", "-c", script}, env: []string{"B=" + box}, stdin: input},
			reset:   func() error { return resetBox(box, plainBox) },
			judge:   func(o outcome) error { return judgeDelivery(box, text, o) },
		}, nil
	}}
}

const (
	atomicScript = `set -e; trap "exit 75" EXIT; cat >$B/tmp/x; mv $B/tmp/x $B/new/x; trap - EXIT`
	syncedScript = `set -e; trap "exit 75" EXIT; cat >$B/tmp/x; sync $B/tmp/x; mv $B/tmp/x $B/new/x; sync $B/new; trap - EXIT`
	directScript = `cat >$B/new/x`
	boldScript   = `cat >$B/tmp/x 2>/dev/null; mv $B/tmp/x $B/new/x; exit 0`
	doubleScript = `cat >$B/tmp/x; ln $B/tmp/x $B/new/x; ln $B/tmp/x $B/new/y; rm $B/new/y $B/tmp/x`
)

// TestDriver shows that the driver tells right deliveries from wrong ones.
func TestDriver(t *testing.T) {
	for _, c := range []struct {
		name, script string
		fault        fault
		caught       bool
	}{
		{"a kill finds nothing wrong with an atomic rename", atomicScript, killAll, false},
		{"a kill finds a message written in place", directScript, killAll, true},
		{"a kill finds a message that is there twice for a moment", doubleScript, killAll, true},
		{"a kill of one process finds a caller that does not look", boldScript, killOne, true},
		{"a full disk finds nothing wrong with a caller that looks", atomicScript, fault{name: "ENOSPC", errno: syscall.ENOSPC}, false},
		{"a full disk finds a caller that does not look", boldScript, fault{name: "ENOSPC", errno: syscall.ENOSPC}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, err := (&campaign{scenario: scripted(c.script), fault: c.fault, set: counted(false), stride: 1, workers: 2}).run(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if n.struck < 10 {
				t.Errorf("struck only %d times in %d runs", n.struck, n.runs)
			}
			if caught := n.bad > 0; caught != c.caught {
				t.Errorf("%d violations in %d runs, want some: %v", n.bad, n.runs, c.caught)
			}
		})
	}
}

// TestEveryPoint shows that no point is left out, though the script has several
// processes: each is the place of one strike.
func TestEveryPoint(t *testing.T) {
	for _, after := range []bool{false, true} {
		f := killAll
		f.after = after
		n, err := (&campaign{scenario: scripted(atomicScript), fault: f, set: counted(false), stride: 1, workers: 1}).run(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if n.struck != n.points || n.points < 30 {
			t.Errorf("%s: %d points, struck at %d", f, n.points, n.struck)
		}
	}
}

// TestPowerCut shows that a delivery without syncs is caught by it, and one with
// them is not.
func TestPowerCut(t *testing.T) {
	if err := canCut(t.TempDir()); err != nil {
		t.Skip("no power cuts here: ", err)
	}
	for script, caught := range map[string]bool{atomicScript: true, syncedScript: false} {
		var disks []*disk
		s := withPowerCuts(scripted(script), &disks)
		n, err := (&campaign{scenario: s, fault: fault{after: true}, mode: cutNothing, set: counted(false), stride: 3, workers: 1}).run(t.TempDir())
		for _, d := range disks {
			if err := d.unmount(); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if (n.bad > 0) != caught {
			t.Errorf("%q: %d violations, want some: %v", script, n.bad, caught)
		}
	}
}
