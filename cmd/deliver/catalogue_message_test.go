package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
)

// The catalogue's rows about the message and how it arrives (D11 to D14, D16).

func TestD11_NoMessage(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for _, script := range []string{`"$0" <&-`, `"$0" </dev/null`} {
		wants(t, shell(t, h, nil, script), 75, "4.4.2 message is incomplete: standard input is closed or the null device")
	}
	c := progtest.Command(t, []string{"HOME=" + h}, "deliver")
	wants(t, progtest.RunCmd(t, terminal(t), c), 75, "4.4.2 message is incomplete: standard input is a terminal")
	c = progtest.Command(t, []string{"HOME=" + h}, "deliver")
	wants(t, progtest.RunCmd(t, directory(t), c), 75, "4.4.2 message is incomplete: read standard input: is a directory")
	holds(t, h+"/Maildir")
}

func directory(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// terminal is the far end of a pseudo terminal.
func terminal(t *testing.T) *os.File {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { near.Close() })
	n, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	far, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { far.Close() })
	return far
}

// A non-blocking pipe says EAGAIN while nothing is in it.
func TestD11_NonBlockingInput(t *testing.T) {
	t.Parallel()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	// The descriptor itself is handed over: os.NewFile would put it into
	// blocking mode first.
	r, w := os.NewFile(uintptr(p[0]), "r"), os.NewFile(uintptr(p[1]), "w")
	defer w.Close()
	h := mailHome(t)
	c := progtest.Command(t, []string{"HOME=" + h}, "deliver")
	c.Stdin = r
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(p[0], true)
	r.Close()
	for i := range len(hello) {
		if _, err := w.WriteString(hello[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	holds(t, h+"/Maildir", hello)
}

// An endless message ends at a limit of somebody's, and nothing of it stays.
func TestD11_EndlessInput(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	wants(t, shell(t, h, &repeat{text: []byte(strings.Repeat("x\n", 32<<10)), left: 80 << 20}, `ulimit -f 512; exec "$0"`), 75, "4.3.1 mail system is full: ")
	holds(t, h+"/Maildir")
}

func TestD12_SizeAnnounced(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for _, size := range []int{0, len(hello) - 1, len(hello) + 1} {
		wants(t, deliver(t, h, hello, "--size", fmt.Sprint(size)), 75, "4.4.2 message is incomplete: standard input held 22 bytes")
	}
	holds(t, h+"/Maildir")
	wants(t, deliver(t, h, hello, "--size", fmt.Sprint(len(hello))), 0, "")
	holds(t, h+"/Maildir", hello)
}

func TestD13_ByteForByte(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, message, eol string }{
		{"a NUL", "Subject: a\x00b\n\nc\x00\n", "\n"},
		{"no final newline", "Subject: a\n\nb", "\n"},
		{"no newline at all", "Subject: a", "\n"},
		{"CRLF", "Subject: a\r\n\r\nb\r\n", "\r\n"},
		{"mixed, LF first", "Subject: a\nTo: b\r\n\r\nc\n", "\n"},
		{"mixed, CRLF first", "Subject: a\r\nTo: b\n\nc\n", "\r\n"},
		{"bare CR", "Subject: a\rb\n\nc\rd\n", "\n"},
		{"8-bit", "Subject: \xe4\xff\n\n\x80\xfe\n", "\n"},
		{"empty", "", "\n"},
		{"only a header", "Subject: a\n", "\n"},
		{"only a body", "\nb\n", "\n"},
		{"more than is read at once", large, "\n"},
		{"more than is read at once, CRLF", strings.ReplaceAll(large, "\n", "\r\n"), "\r\n"},
		{"exactly what is read at once", large[:firstPiece], "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lines := "Return-Path: <a@b>" + tt.eol + "Delivered-To: joe@c" + tt.eol
			h := mailHome(t)
			args := []string{"-f", "a@b", "-a", "joe@c"}
			wants(t, deliver(t, h, tt.message, args...), 0, "") // from a pipe
			file := filepath.Join(t.TempDir(), "message")
			write(t, file, tt.message)
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c := progtest.Command(t, []string{"HOME=" + h}, "deliver", args...)
			wants(t, progtest.RunCmd(t, f, c), 0, "")
			holds(t, h+"/Maildir", lines+tt.message, lines+tt.message)
		})
	}
}

func TestD14_FirstLineIsNoHeader(t *testing.T) {
	t.Parallel()
	const lines = "Return-Path: <a@b>\nDelivered-To: joe@c\n"
	for _, tt := range []struct{ name, message, joint string }{
		{"an mbox line", "From a@b Mon Nov 23 03:00:00 2026\nSubject: x\n\ny\n", "X-Mailbox-Line: "},
		{"a quoted mbox line", ">From a@b Mon Nov 23 03:00:00 2026\nSubject: x\n\ny\n", "X-Mailbox-Line: "},
		{"a blank", " joe2@c\nSubject: x\n\ny\n", "\n"},
		{"a tab", "\tx\nSubject: x\n\ny\n", "\n"},
		{"a colon", ": x\nSubject: x\n\ny\n", "\n"},
		{"text", "just text\n", "\n"},
		{"a field", "From: a@b\n\ny\n", ""},
	} {
		h := mailHome(t)
		wants(t, deliver(t, h, tt.message, "-f", "a@b", "-a", "joe@c"), 0, "")
		holds(t, h+"/Maildir", lines+tt.joint+tt.message)
	}
	h := mailHome(t)
	wants(t, deliver(t, h, " blank\n"), 0, "")
	holds(t, h+"/Maildir", " blank\n") // nothing of ours to keep apart from it
}

func TestD16_Loops(t *testing.T) {
	t.Parallel()
	hops := func(n int) string { return strings.Repeat("Received: from x\n\tby y; today\n", n) }
	for _, tt := range []struct {
		name, header string
		code         int
	}{
		{"ours below the topmost Received", hops(1) + "Delivered-To: joe@c\n", 100},
		{"in other letters", hops(1) + "delivered-TO:  JOE@C \n", 100},
		{"far below", hops(50) + "X: " + strings.Repeat("x", 100<<10) + "\nDelivered-To: joe@c\n", 100},
		{"folded", hops(1) + "Delivered-To:\n joe@c\n", 100},
		{"the calling MTA's is no loop", "Delivered-To: joe@c\n" + hops(1), 0},
		{"somebody else's is no loop", hops(1) + "Delivered-To: ann@c\n", 0},
		{"99 Received", hops(99), 0},
		{"100 Received", hops(100), 100},
		{"in the body it is text", hops(1) + "\nDelivered-To: joe@c\n", 0},
	} {
		h := mailHome(t)
		r := deliver(t, h, tt.header+"Subject: x\n\ny\n", "-a", "joe@c")
		want := ""
		if tt.code != 0 {
			want = "5.4.6 mail is looping: "
			holds(t, h+"/Maildir")
		}
		t.Log(tt.name)
		wants(t, r, tt.code, want)
	}
}

// What the calling MTA has put on top is not put there again.
func TestD16_TraceLinesAreNotRepeated(t *testing.T) {
	t.Parallel()
	const rest = "Received: x\n\ny\n"
	for _, tt := range []struct{ name, message, added string }{
		{"both", "Return-Path: <z@z>\nDelivered-To: joe@c\n" + rest, ""},
		{"Return-Path", "Return-Path: <z@z>\n" + rest, "Delivered-To: joe@c\n"},
		{"Delivered-To", "X-Original-To: x\nDelivered-To: Joe@C\n" + rest, "Return-Path: <a@b>\n"},
		{"another's Delivered-To", "Delivered-To: ann@c\n" + rest, "Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"a Return-Path below Received is forged or old", "Received: x\nReturn-Path: <z@z>\n\ny\n", "Return-Path: <a@b>\nDelivered-To: joe@c\n"},
	} {
		h := mailHome(t)
		wants(t, deliver(t, h, tt.message, "-f", "a@b", "-a", "joe@c"), 0, "")
		t.Log(tt.name)
		holds(t, h+"/Maildir", tt.added+tt.message)
	}
}
