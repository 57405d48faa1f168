// Dovecot lets Dovecot's imap and our code for its files work on one Maildir, by
// turns and at once, and compares what they say of it:
//
//	go run ./scripts/interop/dovecot
//
// Messages come by delivery and by APPEND, get flags and keywords, are renamed as
// mail readers do, and are expunged. No UID may be of two messages, no message have
// two, no UIDVALIDITY change, and in the end both must list the same. It needs
// Debian's dovecot-imapd (2.3), which it starts without a network, on pipes, with a
// configuration of its own. Exit 1 if anything differs, 2 if it could not run.
//
// With -fixture DIR it writes a small Maildir by Dovecot alone and what Dovecot says
// of it, for the tests in maildir.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// imapd is Dovecot's program for one session that has logged in.
var imapd = flag.String("imap", "/usr/lib/dovecot/imap", "Dovecot's `PROGRAM` for one session")

func main() {
	turns := flag.Int("turns", 30, "how many turns each takes")
	span := flag.Duration("time", 5*time.Second, "how long both work at once")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "which random things are done")
	fixture := flag.String("fixture", "", "write a fixture to `DIR`, and do nothing else")
	scratch := flag.String("scratch", "", "where to work; made and removed if empty")
	flag.Parse()
	if _, err := os.Stat(*imapd); err != nil {
		fail(fmt.Errorf("%w (install dovecot-imapd)", err))
	}
	if os.Geteuid() == 0 {
		os.Exit(again())
	}
	h, err := newHost(*scratch)
	if err != nil {
		fail(err)
	}
	if *fixture != "" {
		if err := h.fixture(*fixture); err != nil {
			fail(err)
		}
		return
	}
	fmt.Println("seed", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	if err := h.byTurns(r, *turns); err != nil {
		fail(err)
	}
	if err := h.atOnce(r, *span); err != nil {
		fail(err)
	}
	fmt.Printf("%d messages, %d UIDs told, %d wrong\n", len(h.told.ids), h.told.times, len(h.told.wrong))
	for _, w := range h.told.wrong {
		fmt.Println("FAIL", w)
	}
	if len(h.told.wrong) > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "dovecot:", err)
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
	dir, err := os.MkdirTemp("", "rohrpost-dovecot-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil { // a place that the other user can reach
		err = os.WriteFile(filepath.Join(dir, "self"), self, 0o755)
	}
	if err == nil {
		err = os.Chown(dir, uid, gid)
	}
	if err != nil {
		fail(err)
	}
	cmd := exec.Command(filepath.Join(dir, "self"), append([]string{"-scratch", dir}, os.Args[1:]...)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = os.Stdout, os.Stderr, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fail(err)
	}
	return cmd.ProcessState.ExitCode()
}
