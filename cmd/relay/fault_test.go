package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/queue"
)

// commands are what the fake deliver got.
func (h *host) commands() string {
	b, err := os.ReadFile(h.path("fake.log"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(b)
}

// rename gives the only waiting entry other fields.
func (h *host) rename(old, new string) {
	h.t.Helper()
	for _, dir := range []string{"queue/new/", "queue/cur/"} {
		for _, name := range h.files(dir) {
			if err := os.Rename(h.path(dir+name), h.path(dir+strings.Replace(name, old, new, 1))); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

func TestQ15_BrokenEntryIsHeldAndOthersGoOn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("queue/new/1.zero,D=x,T=1,A=0", "")
	h.write("queue/new/1.garbage,D=x,T=1,A=0", strings.Repeat("\x00\xff\n", 100))
	h.write("queue/cur/1.torn,D=x,T=1,A=0:2,S", "Return-Path: <ann@mx.test>\nRecip")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(3, map[string]int{"bob": 1, "ann": 0})
	if got := strings.Count(log, "relay: quarantined "); got != 3 {
		t.Errorf("%d lines of quarantine in\n%s", got, log)
	}
	for _, name := range h.waiting() {
		if !regexp.MustCompile(`:2,FS?$`).MatchString(name) {
			t.Errorf("%q is not on hold", name)
		}
	}
	if log := h.once(); strings.Contains(log, "quarantined") {
		t.Errorf("a second run:\n%s", log)
	}
}

func TestQ16_StrangersAreLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("secret", "Return-Path: <>\nRecipient: <bob@mx.test>\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n\nsecret\n")
	for _, err := range []error{
		os.Symlink(h.path("secret"), h.path("queue/new/1.link,D=x,T=1,A=0")),
		unix.Mkfifo(h.path("queue/new/1.fifo,D=x,T=1,A=0"), 0o600),
		os.Mkdir(h.path("queue/new/1.dir,D=x,T=1,A=0"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := 3
	if os.Getuid() == 0 {
		h.put(mail("ann@mx.test", "bob@mx.test"), text)
		for _, name := range h.files("queue/new") {
			if strings.Contains(name, "mx.test") {
				os.Chown(h.path("queue/new/"+name), 65534, 65534)
			}
		}
		want++
	}
	log := h.once()
	h.want(want, map[string]int{"bob": 0})
	if got := strings.Count(log, "relay: stranger "); got != 3 {
		t.Errorf("%d strangers in\n%s", got, log)
	}
}

// Where the kernel does not tell of news, the queue is read again and again.
func TestQ16_EachStrangerIsLoggedOnce(t *testing.T) {
	h := newHost(t)
	h.fake("store")
	h.write("queue/new/README", "")
	h.write("queue/drop/new/junk", "no envelope\n\n")
	// Its name is in use, so that it cannot get a flag.
	h.write("queue/cur/1.torn,D=x,T=1,A=0:2,", "torn")
	if err := os.Mkdir(h.path("queue/cur/1.torn,D=x,T=1,A=0:2,F"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := h.inProcess(disk.OS)
	var log strings.Builder
	r.log.Write = func(l []byte) { log.Write(l) }
	for range 3 {
		r.hear(news{})
		for group := r.table.take(time.Now()); group != nil; group = r.table.take(time.Now()) {
			newJob(r, r.config.Load(), group).run()
			r.finish(<-r.results)
		}
	}
	for event, want := range map[string]int{"stranger": 2, "quarantined": 1, "drop-failed": 1} {
		if got := strings.Count(log.String(), "relay: "+event+" "); got != want {
			t.Errorf("%d lines of %s, want %d:\n%s", got, event, want, log.String())
		}
	}
}

func TestQ18_TwoRelaysDeliverOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	const n = 60
	a, b := h.start(), h.start()
	for i := range n {
		rcpts := []string{"bob@mx.test"}
		if i%3 == 0 {
			rcpts = append(rcpts, "ann@mx.test", "bob+x@mx.test")
		}
		h.put(mail("eve@mx.test", rcpts...), text)
	}
	h.until("all messages", func() bool { return len(h.waiting()) == 0 })
	for _, d := range []*daemon{a, b} {
		if code, log := d.stop(syscall.SIGTERM); code != 0 || strings.Contains(log, "failed") {
			t.Errorf("exit %d\n%s", code, log)
		}
	}
	h.want(0, map[string]int{"bob": n + n/3, "ann": n / 3})
}

func TestQ19_StoppedRelayKeepsOnlyItsMessage(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("stuck")
	id := h.put(mail("ann@mx.test", "bob@mx.test"), text)
	stopped := h.start()
	h.until("the hand-over", func() bool { return strings.Contains(h.commands(), "LAST") })
	stopped.cmd.Process.Signal(syscall.SIGSTOP)
	h.env = nil
	h.put(mail("ann@mx.test", "ann@mx.test"), text)
	h.once()
	h.want(1, map[string]int{"ann": 1, "bob": 0})
	if got := h.waiting(); !strings.HasPrefix(got[0], id) {
		t.Errorf("%q waits", got)
	}
	stopped.cmd.Process.Kill()
	stopped.cmd.Wait()
	h.once()
	h.want(0, map[string]int{"ann": 1, "bob": 1})
}

func TestQ19_BusyEntryIsComeBackTo(t *testing.T) {
	h := newHost(t)
	h.fake("store")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	r := h.inProcess(disk.OS)
	l, err := r.q.Scan()
	if err != nil {
		t.Fatal(err)
	}
	other, err := testQueue(t, h).Claim(l.Entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	newJob(r, r.config.Load(), []*item{{Entry: l.Entries[0]}}).run()
	res := <-r.results
	if len(res.ends) != 1 || res.ends[0].gone || !res.ends[0].at.After(time.Now()) {
		t.Errorf("%+v", res)
	}
}

func TestQ23_KilledRelayLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/aliases", "team: bob+team, nobody\n")
	const n = 30
	for range n {
		h.put(mail("eve@mx.test", "bob@mx.test"), text)                   // a copy for bob
		h.put(mail("", "team@mx.test", "ann@mx.test"), text)              // one for bob, one for ann, a report to the postmaster
		h.put(mail("ann@mx.test", "nobody@mx.test", "bob@mx.test"), text) // one for bob, a report to ann
	}
	for kill := 1; kill < 3*n; kill += 9 {
		d := h.start()
		h.until("some messages", func() bool { return len(h.files("mail/bob/Maildir/new")) >= kill || len(h.waiting()) == 0 })
		d.cmd.Process.Kill()
		d.cmd.Wait()
	}
	h.once()
	// eve is nobody here, but nothing of hers fails.
	h.want(0, map[string]int{"bob": 3 * n, "ann": 2 * n, "postmaster": n})
}

// inProcess is a relay over a queue whose disk fails.
func (h *host) inProcess(f disk.FS) *relay {
	h.t.Helper()
	for _, kv := range h.env {
		name, value, _ := strings.Cut(kv, "=")
		h.t.Setenv(name, value)
	}
	r, err := open(options{etc: h.path("etc"), queue: h.path("queue"), mail: h.path("mail"), once: true})
	if err != nil {
		h.t.Fatal(err)
	}
	r.q.Close()
	if r.q, err = queue.Open(h.path("queue"), f); err != nil {
		h.t.Fatal(err)
	}
	r.log.Write = func([]byte) {}
	h.t.Cleanup(r.close)
	return r
}

func TestQ25_ResultThatCannotBeRecordedIsNotSentAgain(t *testing.T) {
	h := newHost(t)
	h.fake("store")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	// The first removal is Probe's.
	full := &disktest.Faulty{FS: disk.OS, Op: "remove", At: 2, Err: unix.ENOSPC}
	r := h.inProcess(full)
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	h.want(1, nil)
	if !full.Hit() {
		t.Fatal("the fault did not happen")
	}
	var left *item
	for _, it := range r.table.items {
		left = it
	}
	if left == nil || !left.finished {
		t.Fatalf("left in memory: %+v", left)
	}
	// The next pass only takes the name away.
	r.jobs++
	newJob(r, r.config.Load(), []*item{left}).run()
	r.finish(<-r.results)
	h.want(0, nil)
	if got := strings.Count(h.commands(), "LAST"); got != 1 {
		t.Errorf("sent %d times", got)
	}
}

func TestQ25_FailingDiskStopsRelay(t *testing.T) {
	for _, errno := range []error{unix.EIO, unix.EROFS} {
		h := newHost(t)
		h.fake("store")
		h.write("etc/concurrencylocal", "1\n")
		for range 3 {
			h.put(mail("ann@mx.test", "bob@mx.test"), text)
		}
		r := h.inProcess(&disktest.Faulty{FS: disk.OS, Op: "remove", At: 2, Err: errno})
		if err := r.run(); !errors.Is(err, errno) || frame.Server.Of(err) != 111 {
			t.Errorf("%v: relay ended with %v", errno, err)
		}
		if got := strings.Count(h.commands(), "LAST"); got != 1 {
			t.Errorf("%v: %d messages sent", errno, got)
		}
	}
}

func TestQ25_NothingIsSentFromAQueueThatCannotBeWritten(t *testing.T) {
	h := newHost(t)
	h.fake("store")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	r := h.inProcess(&disktest.Faulty{FS: disk.OS, Op: "create", At: 1, Err: unix.EROFS})
	if err := r.run(); !errors.Is(err, unix.EROFS) {
		t.Errorf("relay ended with %v", err)
	}
	if got := h.commands(); got != "" {
		t.Errorf("sent\n%s", got)
	}
	h.want(1, nil)
}

func TestQ25_FailureWithoutReportIsNoEnd(t *testing.T) {
	h := newHost(t)
	h.fake("550 5.1.1 no")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	// The first file is Probe's, the second the report's.
	r := h.inProcess(&disktest.Faulty{FS: disk.OS, Op: "create", At: 2, Err: unix.ENOSPC})
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	h.want(1, nil)
	if name := h.waiting()[0]; !strings.Contains(name, ",A=1") {
		t.Errorf("waits as %q", name)
	}
}
