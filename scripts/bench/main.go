// Bench measures rohrpost side by side with the mail programs of Debian:
//
//	make bench                 everything, results into BENCHMARKS.md
//	make bench BENCH=-quick    a tenth of the work, results on the terminal
//	make bench BENCH='-only smtp,pop3'
//
// All contenders of a table are measured in one run, in turn, round by round;
// so the ratios tell, not the absolute figures. Processor time is what the
// control group of a server used, with every child it ever had. Run as root:
// Postfix and Dovecot start as root, and control groups want it. Nothing is
// installed; a peer that is missing is named with the line that installs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A section is one table of BENCHMARKS.md.
type section struct {
	name, title string
	note        string
	run         func(*bench) (*table, error)
}

var sections = []section{
	{"smtp", "SMTP: accepted, queued and delivered to a Maildir", smtpNote, benchSMTP},
	{"deliver", "One process per message", deliverNote, benchDeliver},
	{"pop3", "POP3", pop3Note, benchPOP3},
	{"imap", "IMAP", imapNote, benchIMAP},
	{"start", "Connect to greeting", startNote, benchStart},
	{"idle", "Idle sessions", idleNote, benchIdle},
	{"imap-idle", "Idle sessions of IMAP", imapIdleNote, benchIMAPIdle},
	{"large", "A message of 100 MB", largeNote, benchLarge},
}

// bench is what the sections share.
type bench struct {
	dir    string // scratch, on the file system to be measured
	bin    string // our programs
	quick  bool
	rounds int

	courierDir string // Courier's packages, unpacked

	started int // contenders so far: each has a directory of its own
}

// scale is n, or a tenth of it in a quick run.
func (b *bench) scale(n int) int {
	if b.quick {
		return max(n/10, 1)
	}
	return n
}

func main() {
	quick := flag.Bool("quick", false, "a tenth of the work; BENCHMARKS.md is left alone")
	only := flag.String("only", "", "only these sections, `NAME,NAME`")
	rounds := flag.Int("rounds", 5, "measure each figure `N` times")
	dir := flag.String("dir", "/var/tmp", "work in `DIR`, on the file system to be measured")
	bin := flag.String("bin", "bin", "where our programs are")
	courier := flag.String("courier", "/var/tmp/courier", "Courier's packages are unpacked in `DIR`")
	out := flag.String("o", "BENCHMARKS.md", "write tables between the marks in `FILE`")
	flag.Parse()
	if err := run(*quick, *only, *rounds, *dir, *bin, *courier, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(quick bool, only string, rounds int, dir, bin, courier, out string) error {
	if os.Getuid() != 0 {
		return fmt.Errorf("run as root: Postfix and Dovecot start as root, and control groups want it")
	}
	tellMissing(courier)
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	if quick {
		rounds = min(rounds, 3)
	}
	scratch, err := os.MkdirTemp(dir, "rohrpost-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		return err
	}
	about := machine(dir, rounds, courier)
	fmt.Println(about)
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		fmt.Printf("\n## %s\n\n", s.title)
		b := &bench{dir: filepath.Join(scratch, s.name), bin: bin, quick: quick, rounds: rounds, courierDir: courier}
		if err := os.Mkdir(b.dir, 0o755); err != nil {
			return err
		}
		t, err := s.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := os.RemoveAll(b.dir); err != nil {
			return err
		}
		if !quick {
			if err := insert(out, s.name, about+"\n\n"+s.note+"\n\n"+t.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert puts text between the marks of a section in the file.
func insert(path, name, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- bench "+name+" -->\n", "<!-- end "+name+" -->\n"
	head, rest, ok1 := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no marks %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(path, []byte(head+begin+text+end+tail), 0o644)
}

// peers are the programs we are measured against, with their packages.
var peers = []struct{ program, pkg string }{
	{"postfix", "postfix"},
	{"dovecot", "dovecot-imapd dovecot-lmtpd dovecot-pop3d"},
	{"maildrop", "maildrop"},
	{"procmail", "procmail"},
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func tellMissing(courierDir string) {
	var pkgs []string
	for _, p := range peers {
		if !have(p.program) {
			pkgs = append(pkgs, p.pkg)
		}
	}
	if len(pkgs) > 0 {
		fmt.Fprintf(os.Stderr, "bench: peers are missing and left out: apt-get install --no-install-recommends %s\n", strings.Join(pkgs, " "))
	}
	if !have(courierProgram(courierDir)) {
		fmt.Fprintf(os.Stderr, "bench: Courier is missing in %[1]s and left out: apt-get download %[2]s, and dpkg -x each of them %[1]s\n", courierDir, courierPackages)
	}
}
