// Imap lets real IMAP clients work on Maildirs that imapd serves, and looks at what
// they showed and at what lies in the Maildir afterwards:
//
//	make interop
//	make interop-gui
//
// Each client has an account of its own with every kind of message in it. It lists,
// reads, flags, moves, appends, searches and waits for a delivery, as far as it can.
// What it read must be what was put there, byte for byte; flags must be in the names
// of files, what was moved must be in one place and not in two. The last line is "N
// passed, N failed, N skipped"; exit 1 if anything failed, 2 if it could not run.
//
// A program that is missing fails its client; with -skip it is skipped and counted.
//
// Start reading at clients in client.go.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/host"
)

// options are the flags of the command line.
type options struct {
	bin, only string
	gui, skip bool
	keep      string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "where our programs are")
	flag.StringVar(&o.only, "only", "", "only clients whose name contains `TEXT`")
	flag.BoolVar(&o.gui, "gui", false, "the graphical clients instead of the others")
	flag.BoolVar(&o.skip, "skip", false, "skip clients that are not installed")
	flag.StringVar(&o.keep, "keep", "", "work in `DIR` and leave everything there")
	flag.Parse()
	failed, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "imap:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// A tally counts checks and prints those that fail.
type tally struct{ passed, failed, skipped int }

func (t *tally) check(what, wrong string) {
	if wrong == "" {
		t.passed++
		return
	}
	t.failed++
	fmt.Printf("FAIL %s: %s\n", what, wrong)
}

func (t *tally) skip(what string, why error) {
	t.skipped++
	fmt.Printf("SKIP %s: %v\n", what, why)
}

func run(o options) (failed int, err error) {
	o.bin, err = filepath.Abs(o.bin)
	if err != nil {
		return 0, err
	}
	scratch := o.keep
	if scratch == "" {
		if scratch, err = os.MkdirTemp("", "rohrpost-imap-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(scratch)
	}
	h, err := host.Start(filepath.Join(scratch, "host"), o.bin)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(scratch, "host.log"))
		return 0, fmt.Errorf("%w\n%s", err, log)
	}
	var t tally
	for _, c := range clients {
		if c.gui == o.gui && strings.Contains(c.name, o.only) {
			t.visit(c, h, scratch, o.skip)
		}
	}
	t.check("rohrpost up stops cleanly", errText(h.Stop()))
	log, err := os.ReadFile(filepath.Join(scratch, "host.log"))
	if err != nil {
		return 0, err
	}
	t.check("imapd has nothing to complain of", complaints(log))
	if t.failed > 0 {
		fmt.Printf("\nlast lines of the host's log:\n%s\n", tail(log, 40))
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	return t.failed, nil
}

// complaints are lines of imapd's log about our own trouble: panics, and mail that
// could not be read or written.
func complaints(log []byte) string {
	var lines []string
	for line := range strings.Lines(string(log)) {
		if strings.HasPrefix(line, "imapd: failed") || strings.HasPrefix(line, "imapd: panic") || strings.HasPrefix(line, "goroutine ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// errText is the text of an error, or "".
func errText(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

func tail(log []byte, n int) []byte {
	lines := bytes.SplitAfter(log, []byte("\n"))
	return bytes.Join(lines[max(len(lines)-n, 0):], nil)
}
