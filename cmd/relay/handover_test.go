package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"rohrpost/maildir/disk"
)

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
