// Answers asks Dovecot's imap and our imapd the same of one Maildir, and compares what
// they answer: FETCH, SEARCH, SORT, THREAD, LIST, LSUB and STATUS over messages that
// are easily got wrong. What the RFCs leave open is made the same first; a difference
// that was judged stands in a table with its reason; any other is an error.
//
//	go run ./scripts/interop/answers
//
// It needs Debian's dovecot-imapd (2.3), which it starts without a network, on pipes,
// with a configuration of its own. Exit 1 if anything differs, 2 if it could not run.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// imapd is Dovecot's program for one session that has logged in.
var imapd = flag.String("imap", "/usr/lib/dovecot/imap", "Dovecot's `PROGRAM` for one session")

// ourImapd is our program for the same.
var ourImapd = flag.String("imapd", "bin/imapd", "our `PROGRAM` for one session")

func main() {
	mails := flag.String("mails", "", "ask about the messages *.eml below `DIR` too, for people to judge")
	scratch := flag.String("scratch", "", "where to work; made and removed if empty")
	flag.Parse()
	if _, err := os.Stat(*imapd); err != nil {
		fail(fmt.Errorf("%w (install dovecot-imapd)", err))
	}
	var err error
	if *ourImapd, err = filepath.Abs(*ourImapd); err != nil {
		fail(err)
	}
	if os.Geteuid() == 0 {
		os.Exit(again())
	}
	h, err := newHost(*scratch)
	if err != nil {
		fail(err)
	}
	if err := h.answers(*mails); err != nil {
		fail(err)
	}
	h.told.report()
}

// report prints what was wrong, and ends the program if anything was.
func (t *told) report() {
	fmt.Printf("%d wrong\n", len(t.wrong))
	for _, w := range t.wrong {
		fmt.Println("FAIL", w)
	}
	if len(t.wrong) > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "answers:", err)
	os.Exit(2)
}

// again runs this program as another user: Dovecot serves no mail to root.
func again() int {
	u, err := user.Lookup("mail")
	if err != nil {
		fail(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		fail(err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "rohrpost-answers-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	self, ours := filepath.Join(dir, "self"), filepath.Join(dir, "imapd")
	err = copyProgram("/proc/self/exe", self)
	if _, none := os.Stat(*ourImapd); err == nil && none == nil {
		err = copyProgram(*ourImapd, ours)
	}
	if err == nil {
		err = os.Chown(dir, uid, gid)
	}
	if err != nil {
		fail(err)
	}
	cmd := exec.Command(self, slices.Concat([]string{"-scratch", dir}, os.Args[1:], []string{"-imapd", ours})...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = os.Stdout, os.Stderr, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fail(err)
	}
	return cmd.ProcessState.ExitCode()
}

// copyProgram copies a program to a place that another user can reach.
func copyProgram(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}
