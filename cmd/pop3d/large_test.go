package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// flat is what a session may take of memory, in bytes, whatever it reads out: a
// Go program that does nothing takes a third of it.
const flat = 16 << 20

// sparse makes a message of one line of size NUL bytes, which takes no disk.
func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	put(t, path, "Subject: long\n\n")
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// P08: a line of any length streams through. (The row asks for 2 GB; nothing in
// the way counts a line, so a tenth of it shows the same.)
func TestP08_OneLongLine(t *testing.T) {
	t.Parallel()
	const size = 200 << 20
	box := newMaildir(t, nil)
	sparse(t, box+"/cur/1700000001.M1P1.mx:2,", size)
	c := dial(t, box)
	c.ask("RETR 1", "+OK")
	c.want("Subject: long")
	c.want("")
	n, err := io.CopyN(io.Discard, c.r, size-int64(len("Subject: long\n\n")))
	if err != nil {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	c.want("")
	c.want(".")
	c.ask("STAT", fmt.Sprintf("+OK 1 %d", size+2))
	if got := c.peakMemory(); got == 0 || got > flat {
		t.Errorf("took %d MB", got>>20)
	}
	c.quit()
}

// P09: very many messages, in a session that lists them and in one that need not.
// (The row asks for 500,000 and 64 MB; a tenth of both here, plus what any session
// takes.)
func TestP09_ManyMessages(t *testing.T) {
	t.Parallel()
	const many = 50_000
	box := newMaildir(t, nil)
	put(t, box+"/one", "Subject: x\n\n")
	for i := range many {
		name := fmt.Sprintf("cur/%d.M%06dP77Q%dR0123456789abcdef.mx.example.org,S=12,W=14:2,S", 1700000000+i, i, i)
		if err := os.Link(box+"/one", filepath.Join(box, name)); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-time.Minute)
	for _, sub := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(box, sub), past, past); err != nil {
			t.Fatal(err)
		}
	}
	for _, most := range []int64{flat + 64<<20/10, flat} {
		askAboutMany(t, box, many, most)
		if _, err := os.Stat(box + "/rohrpost.sizes"); err != nil {
			t.Error(err)
		}
	}
}

// askAboutMany asks about all messages of 14 octets in box, and whether that took
// more than most bytes of memory.
func askAboutMany(t *testing.T, box string, many int, most int64) {
	t.Helper()
	c := dial(t, box)
	c.ask("STAT", fmt.Sprintf("+OK %d %d", many, 14*many))
	for _, command := range []string{"UIDL", "LIST"} {
		c.ask(command, "+OK")
		lines := 0
		for c.line() != "." {
			lines++
		}
		if lines != many {
			t.Errorf("%s: %d lines", command, lines)
		}
	}
	c.ask(fmt.Sprintf("UIDL %d", many), fmt.Sprintf("+OK %d %d.M", many, 1700000000+many-1))
	if got := c.peakMemory(); got == 0 || got > most {
		t.Errorf("took %d MB", got>>20)
	}
	c.quit()
}

// P13: a client that asks for a gigabyte and reads nothing. What it does not
// take is not gathered, and it is not waited for longer than the timeout.
func TestP13_ClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	box := newMaildir(t, nil)
	sparse(t, box+"/cur/1700000001.M1P1.mx:2,", 64<<20)
	c := dial(t, "--timeout=1s", box)
	c.send(strings.Repeat("RETR 1\r\n", 16))
	var peak int64
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-time.After(10 * time.Millisecond):
			peak = max(peak, c.peakMemory())
		}
	}
	if peak == 0 || peak > flat {
		t.Errorf("took %d MB", peak>>20)
	}
	if !strings.Contains(c.log.String(), `err="i/o timeout"`) {
		t.Errorf("log: %s", c.log.String())
	}
}
