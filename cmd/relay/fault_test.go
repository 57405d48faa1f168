package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/prog"
	"rohrpost/cmd/internal/progtest"
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

func TestNoVerdictIsNoEnd(t *testing.T) {
	h := newHost(t)
	h.fake("store")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	r := h.inProcess(disk.OS)
	if err := r.scan(); err != nil {
		t.Fatal(err)
	}
	r.courier.close() // it takes nothing any more
	newJob(r, r.config.Load(), r.table.take(time.Now())).run()
	r.finish(<-r.results)
	h.want(1, nil)
	if name := h.waiting()[0]; !strings.HasSuffix(name, ",A=0") {
		t.Errorf("waits as %q", name)
	}
}

func TestQ20_NoReportAboutAReport(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.put(mail("", "nobody@mx.test"), text)
	h.once()
	h.want(0, map[string]int{"postmaster": 1, "ann": 0})
	if got := h.inbox("postmaster")[0]; !strings.HasPrefix(got, "Return-Path: <>\n") || !strings.Contains(got, "<nobody@mx.test>") {
		t.Errorf("for the postmaster: %q", got)
	}
}

func TestQ20_ReportThatThePostmasterCannotHaveEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("550 5.2.1 no")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(0, nil)
	h.logged(log, "^relay: double-bounce-dropped ")
	// The message, its report, and the report about that.
	if got := strings.Count(h.commands(), "LAST"); got != 3 {
		t.Errorf("%d messages sent:\n%s", got, h.commands())
	}
}

func TestQ21_HostileReplyInAReport(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/aliases", "eve: bob\n")
	h.fake("550-5.1.1 \x1b[2J\x01 Action: delivered\r\n550 5.1.1 ü\r")
	h.put(mail("ann@remote.example", "bob@mx.test"), "Subject: \x01 =?x?\n\nho\n")
	log := h.once()
	for _, c := range []string{"\x1b", "\x00", "\r", "ü"} {
		if strings.Contains(log, c) {
			t.Errorf("%q in the log", c)
		}
	}
	// The report waits for a remote sender.
	h.want(1, nil)
	b, err := os.ReadFile(filepath.Join(h.path("queue/cur"), h.files("queue/cur")[0]))
	if err != nil {
		t.Fatal(err)
	}
	report := string(b)
	if strings.Count(report, "\nAction: ") != 1 || strings.ContainsAny(report, "\x1b\x00\r") || !strings.Contains(report, "Status: 5.1.1\n") {
		t.Errorf("report\n%q", report)
	}
	for _, name := range h.files("queue/rohrpost.notes") {
		if b, err := os.ReadFile(h.path("queue/rohrpost.notes/" + name)); err != nil || strings.ContainsAny(string(b), "\x1b\x00\r") {
			t.Errorf("note %q, %v", b, err)
		}
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
		if err := r.run(); !errors.Is(err, errno) || prog.Server.Of(err) != 111 {
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

func TestDeliverThatDiesGetsASecondChance(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("die")
	id := h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(0, nil)
	h.logged(log, "^relay: deliver-ended status=")
	h.logged(log, "^relay: delivered ")
	if got := strings.Count(h.commands(), "XDELIVERYID="+id+".R1 XAGAIN=1\n"); got == 0 {
		t.Errorf("the second attempt does not say that it is one:\n%s", h.commands())
	}
}

func TestOnlyAnEntryThatMayHaveBeenTriedIsAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("store")
	found := h.put(mail("ann@mx.test", "bob@mx.test"), text)
	d := h.start()
	h.until("the end of what it found", func() bool { return len(h.waiting()) == 0 })
	fresh := h.put(mail("ann@mx.test", "bob@mx.test"), text)
	h.until("the end of what came", func() bool { return len(h.waiting()) == 0 })
	d.stop(syscall.SIGTERM)
	if log := h.commands(); !strings.Contains(log, "="+found+".R1 XAGAIN=1\n") || !strings.Contains(log, "="+fresh+".R1\n") {
		t.Errorf("commands\n%s", log)
	}
}

func TestDeliverThatIsDeadDelays(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("dead")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(1, nil)
	h.logged(log, "^relay: deliver-failed ")
	h.logged(log, "^relay: deferred .*451 4.3.0 the delivery program")
	if name := h.waiting()[0]; !strings.Contains(name, ",A=1") {
		t.Errorf("waits as %q", name)
	}
}

func TestStopDoesNotWaitForADeadDeliver(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("dead")
	for range 50 { // the pauses between the starts would add up to many minutes
		h.put(mail("ann@mx.test", "bob@mx.test"), text)
	}
	d := h.start()
	h.until("the first failure", func() bool { b, _ := os.ReadFile(d.log); return strings.Contains(string(b), "deliver-failed") })
	if code, log := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
}

func TestDeliverThatHangsIsEnded(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("hang")
	h.write("etc/timeoutdeliver", "1\n")
	h.put(mail("ann@mx.test", "bob@mx.test"), text)
	log := h.once()
	h.want(0, nil)
	h.logged(log, "^relay: deliver-ended .*no reply in time")
}

func TestExpiryGivesTheLastReply(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("451 4.2.0 try later")
	h.write("etc/queuelifetime", "0\n")
	h.put(mail("ann@remote.example", "bob@mx.test"), text)
	log := h.once()
	h.logged(log, "^relay: failed .*to=<bob@mx.test>.*554 5.4.7 .*451 4.2.0 try later")
}

func TestDelayIsToldOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.fake("451 4.2.0 try later")
	env := mail("ann@remote.example", "bob@mx.test")
	env.Arrived = time.Now().Add(-5 * time.Hour)
	h.put(env, text)
	h.rename(",A=0", ",A=13")
	log := h.once()
	h.logged(log, "^relay: report .*action=delayed to=<ann@remote.example>")
	h.want(2, nil)
	var told bool
	for _, name := range h.waiting() {
		told = told || strings.Contains(name, ",A=14,N=d:2,")
	}
	if !told {
		t.Errorf("waiting %q", h.waiting())
	}
	if log := h.once(); strings.Contains(log, "action=delayed") {
		t.Errorf("told again:\n%s", log)
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, c := range []struct {
		to, notify string
		reports    int
	}{{"nobody@mx.test", "NEVER", 0}, {"nobody@mx.test", "DELAY", 0}, {"nobody@mx.test", "FAILURE", 1}, {"bob@mx.test", "SUCCESS,FAILURE", 2}, {"bob@mx.test", "", 2}} {
		env := mail("ann@mx.test", c.to)
		env.Recipients[0].Notify, env.EnvID, env.Ret = c.notify, "QQ1", "HDRS"
		h.put(env, text)
		h.once()
		h.want(0, map[string]int{"ann": c.reports})
	}
	all := strings.Join(h.inbox("ann"), "")
	for _, want := range []string{"Action: failed", "Action: delivered", "Original-Envelope-Id: QQ1", "text/rfc822-headers"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
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
		break_ func()
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
		}, nil, 100, "ROHRPOST_LIBEXEC"},
	} {
		if c.break_ != nil {
			c.break_()
		}
		r := progtest.RunCmd(t, nil, h.command(append([]string{"--once"}, c.args...)...))
		if r.Code != c.code || !strings.Contains(r.Stderr, c.says) || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q", c.claim, r.Code, r.Stderr)
		}
	}
}

func TestAliasAndNotify(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("etc/aliases", "one: bob\nmany: bob, bob+x\nlist: bob, bob+x\nowner-list: bob\n")
	for _, c := range []struct {
		to, action string
	}{{"one@mx.test", "delivered"}, {"many@mx.test", "expanded"}, {"list@mx.test", "delivered"}} {
		before := len(h.inbox("ann"))
		env := mail("ann@mx.test", c.to)
		env.Recipients[0].Notify, env.Recipients[0].ORcpt = "SUCCESS", "rfc822;"+c.to
		h.put(env, text)
		h.once()
		var fresh []string
		for _, m := range h.inbox("ann") {
			if strings.Contains(m, "Original-Recipient: rfc822; "+c.to) {
				fresh = append(fresh, m)
			}
		}
		if len(h.inbox("ann")) != before+1 || len(fresh) != 1 || !strings.Contains(fresh[0], "\nAction: "+c.action+"\n") {
			t.Errorf("%s: %d reports: %q", c.to, len(h.inbox("ann"))-before, fresh)
		}
	}
}
