package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
