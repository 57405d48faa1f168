package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// The catalogue's rows about quota (D24 to D26).

func TestD24_ManyDeliveriesOneLeft(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	write(t, h+"/Maildir/maildirsize", "5C\n100 4\n")
	for i := range 4 {
		write(t, fmt.Sprintf("%s/Maildir/cur/%d:2,", h, i), "old")
	}
	const n = 64
	codes := make(chan int, n)
	for range n {
		go func() { codes <- deliver(t, h, hello).Code }()
	}
	count := map[int]int{}
	for range n {
		count[<-codes]++
	}
	if count[0] != 1 || count[75] != n-1 {
		t.Errorf("exit codes %v", count)
	}
	if got := messages(t, h+"/Maildir"); len(got) != 5 {
		t.Errorf("%d messages", len(got))
	}
}

func TestD25_MaildirsizeDamaged(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"torn":      "1000S\n10",
		"negative":  "1000S\n-500 -1\n",
		"too large": "1000S\n" + strings.Repeat("1 1\n", 10<<20/4),
		"NULs":      strings.Repeat("\x00", 100),
		"empty":     "",
	} {
		h := mailHome(t)
		write(t, h+"/Maildir/maildirsize", text)
		write(t, h+"/Maildir/cur/1:2,", strings.Repeat("x", 100))
		t.Log(what)
		wants(t, deliver(t, h, hello, "--quota", "bytes=1000"), 0, "")
		b, err := os.ReadFile(h + "/Maildir/maildirsize")
		if string(b) != "1000S\n122 2\n" {
			t.Errorf("%s: maildirsize is %.100q, %v", what, b, err)
		}
	}
}

func TestD25_MaildirsizeIsASymbolicLink(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, victim, "1000S\n0 0\n")
	if err := os.Symlink(victim, h+"/Maildir/maildirsize"); err != nil {
		t.Fatal(err)
	}
	wants(t, deliver(t, h, hello, "--quota", "bytes=1000"), 0, "")
	if b, _ := os.ReadFile(victim); string(b) != "1000S\n0 0\n" {
		t.Errorf("the victim holds %q", b)
	}
	holds(t, h+"/Maildir", hello)
}

func TestD26_OverQuota(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 75, "4.2.2 mailbox is full: "},
		{[]string{"--over-quota", "wait"}, 75, "4.2.2 mailbox is full: "},
		{[]string{"--over-quota", "bounce"}, 100, "5.2.2 mailbox is full: "},
	} {
		h := mailHome(t, ".work")
		write(t, h+"/Maildir/.work/cur/1:2,", strings.Repeat("x", 80))
		wants(t, deliver(t, h, hello, append(tt.args, "--quota", "bytes=100")...), tt.code, tt.want)
		holds(t, h+"/Maildir")
		wants(t, deliver(t, h, hello, append(tt.args, "--quota", "bytes=102")...), 0, "")
		holds(t, h+"/Maildir", hello)
	}
}

// What was reserved for a message that could not be stored is given back.
func TestD26_FailureGivesRoomBack(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	write(t, box+"/maildirsize", "1000000S\n0 0\n")
	for range 3 {
		f := &disktest.Faulty{FS: disk.OS, Op: "sync", At: 1, Err: unix.EIO}
		if err := inProcess(f, box, strings.NewReader(hello)); err == nil {
			t.Fatal("stored")
		}
	}
	if err := inProcess(disk.OS, box, strings.NewReader(hello)); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(box + "/maildirsize"); !strings.HasSuffix(string(b), "-77 -1\n77 1\n") {
		t.Errorf("maildirsize is %q", b)
	}
}
