package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
)

// A new host has no queue: relay, which owns it, makes it when it comes to stay,
// and not for a pass over a name that is mistyped.
func TestQueueIsMadeByTheRelayThatStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	etc, path := filepath.Join(dir, "etc"), filepath.Join(dir, "queue")
	if err := os.Mkdir(etc, 0o700); err != nil {
		t.Fatal(err)
	}
	progtest.Bin(t, "deliver")
	r := progtest.Run(t, nil, nil, "relay", "--once", "--etc", etc, "--queue", path)
	if r.Code != 111 || !strings.Contains(r.Stderr, path) || !strings.Contains(r.Stderr, "relay without --once makes a queue") {
		t.Errorf("--once: exit %d, %s", r.Code, r.Stderr)
	}
	c := progtest.Command(t, nil, "relay", "--etc", etc, "--queue", path)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		if _, err := os.Stat(filepath.Join(path, "drop", "new")); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, name := range []string{"tmp", "new", "cur", "drop/tmp", "drop/new"} {
		if st, err := os.Stat(filepath.Join(path, name)); err != nil || !st.IsDir() {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Process.Kill()
	c.Wait()
}
