package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

func watched(t *testing.T) (*maildir.Maildir, *Watch) {
	t.Helper()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	w, err := New(m)
	if err != nil {
		t.Skipf("no inotify here: %v", err)
	}
	t.Cleanup(w.Close)
	return m, w
}

func drain(w *Watch) (list []string, lost bool) {
	lost = w.Drain(func(e Event) {
		list = append(list, fmt.Sprintf("%s new=%t present=%t moved=%t", e.Name, e.New, e.Present, e.Moved))
	})
	return list, lost
}

func readable(t *testing.T, w *Watch) bool {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.Fd()), Events: unix.POLLIN}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func TestEventsNameWhatComesAndGoes(t *testing.T) {
	t.Parallel()
	m, w := watched(t)
	if readable(t, w) {
		t.Error("readable before anything happened")
	}
	at := func(name string) string { return filepath.Join(m.Path(), name) }
	for _, err := range []error{
		os.WriteFile(at("tmp/a"), nil, 0o600), // not watched
		os.Link(at("tmp/a"), at("new/a")),
		os.Rename(at("new/a"), at("cur/a:2,S")),
		os.Mkdir(at("cur/dir"), 0o700),
		os.Remove(at("cur/a:2,S")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !readable(t, w) {
		t.Error("not readable after events")
	}
	got, lost := drain(w)
	want := []string{
		"a new=true present=true moved=false",
		"a new=true present=false moved=true",
		"a:2,S new=false present=true moved=true",
		"a:2,S new=false present=false moved=false",
	}
	if lost || !slices.Equal(got, want) {
		t.Errorf("lost %t, got %q", lost, got)
	}
	if got, lost := drain(w); lost || got != nil || readable(t, w) {
		t.Errorf("twice: %q", got)
	}
}

func TestMoreEventsThanTheKernelKeepsAreLost(t *testing.T) {
	t.Parallel()
	m, w := watched(t)
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip(err)
	}
	var limit int
	fmt.Sscan(string(b), &limit)
	if limit > 1<<17 {
		t.Skipf("the kernel keeps %d events", limit)
	}
	name := filepath.Join(m.Path(), "cur/a")
	for i := range limit/2 + 2 {
		// Two events alike, one after the other, would become one.
		os.WriteFile(fmt.Sprint(name, i%2), nil, 0o600)
		os.Remove(fmt.Sprint(name, i%2))
	}
	if _, lost := drain(w); !lost {
		t.Error("nothing is lost")
	}
}

func TestDirectoryThatIsMovedIsALoss(t *testing.T) {
	t.Parallel()
	m, w := watched(t)
	if err := os.Rename(filepath.Join(m.Path(), "new"), filepath.Join(m.Path(), "old")); err != nil {
		t.Fatal(err)
	}
	if _, lost := drain(w); !lost {
		t.Error("nothing is lost")
	}
}
