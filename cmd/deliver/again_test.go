package main

import (
	"path/filepath"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

func TestEarlierAttemptIsFoundAlsoIfAnotherDeliverMadeIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "Maildir")
	m, err := maildir.Create(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	x := &box{Maildir: m}
	defer x.Close()
	now := time.Unix(1700000000, 0)
	ask := func(base string, at time.Time, want bool) {
		t.Helper()
		if got, err := x.has(base, at); got != want || err != nil {
			t.Errorf("has %s: %v, %v; want %v", base, got, err, want)
		}
	}
	ask("q1.R1", now, false)
	d, err := m.Begin("q1.R1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	ask("q1.R1", now.Add(freshBases+time.Second), true)
	ask("q2.R1", now.Add(freshBases+time.Second), false)
}
