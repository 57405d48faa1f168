// Interop lets real mail clients send to a running mail host and read from it,
// and compares what came back with what was sent, byte for byte:
//
//	make interop
//
// Every sender sends every kind of message to a user of its own, every reader
// reads every mailbox. Nothing but the header lines on top may be new. Exit 1
// if anything came back changed; the last line is "N passed, N failed".
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/corpus"
	"rohrpost/scripts/interop/host"
)

func main() {
	bin := flag.String("bin", "bin", "where our programs are")
	only := flag.String("only", "", "only clients whose name contains `TEXT`")
	flag.Parse()
	failed, err := run(*bin, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// A tally counts checks and prints those that fail.
type tally struct{ passed, failed int }

func (t *tally) check(what, wrong string) {
	if wrong == "" {
		t.passed++
		return
	}
	t.failed++
	fmt.Printf("FAIL %s: %s\n", what, wrong)
}

// errText is the text of an error, or "".
func errText(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

func run(bin, only string) (failed int, err error) {
	bin, err = filepath.Abs(bin)
	if err != nil {
		return 0, err
	}
	scratch, err := os.MkdirTemp("", "rohrpost-interop-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(scratch)
	h, err := host.Start(filepath.Join(scratch, "host"), bin)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(scratch, "host.log"))
		return 0, fmt.Errorf("%w\n%s", err, log)
	}
	var t tally
	for _, s := range senders {
		if !strings.Contains(s.user, only) {
			continue
		}
		if err := exchange(&t, h, s, filepath.Join(scratch, s.user)); err != nil {
			t.check(s.user, err.Error())
		}
	}
	if only == "" {
		t.check("submission completes a message", errText(completes(h, filepath.Join(scratch, "completes"))))
	}
	t.check("rohrpost up stops cleanly", errText(h.Stop()))
	if t.failed > 0 {
		log, _ := os.ReadFile(filepath.Join(scratch, "host.log"))
		fmt.Printf("\nlast lines of the host's log:\n%s\n", tail(log, 40))
	}
	fmt.Printf("%d passed, %d failed\n", t.passed, t.failed)
	return t.failed, nil
}

func tail(log []byte, n int) []byte {
	lines := bytes.SplitAfter(log, []byte("\n"))
	return bytes.Join(lines[max(len(lines)-n, 0):], nil)
}

// exchange has one sender send, and all readers read.
func exchange(t *tally, h *host.Host, s sender, dir string) error {
	if err := there(s.program); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := h.AddUser(s.user); err != nil {
		return err
	}
	sent, err := s.sendAll(h, dir)
	if err != nil {
		return err
	}
	if n := h.Arrived(s.user, len(sent)); n != len(sent) {
		return fmt.Errorf("%d messages were sent and accepted, %d are in %s", len(sent), n, h.Maildir(s.user))
	}
	unended := 0
	for i := range sent {
		if s.exact && !bytes.HasSuffix(sent[i].Text, []byte("\n")) {
			unended++
		}
		sent[i].Text = append(sent[i].AsRead(), s.adds...)
	}
	for _, r := range readers {
		out := filepath.Join(dir, strings.ReplaceAll(r.name, " ", "-"))
		err := os.Mkdir(out, 0o700)
		if err == nil {
			err = there(r.program)
		}
		if err == nil {
			err = r.read(reading{h, s.user, out, unended})
		}
		t.judge(s.user+" to "+r.name, sent, out, err)
	}
	t.check(s.user+", deleted by poplib", errText(deletes(reading{h, s.user, filepath.Join(dir, "delete"), unended})))
	return nil
}

func (s sender) sendAll(h *host.Host, dir string) ([]corpus.Message, error) {
	from, to, addr, login := "stranger@example.net", s.user+"@"+host.Name, h.Addr["smtp"], ""
	if s.login {
		from, addr, login = to, h.Addr["submission"], s.user
	}
	sent := corpus.Messages(s.user, from, to)
	return sent, s.send(sending{Host: h, from: from, to: to, user: login, addr: addr, dir: dir, messages: sent})
}

// judge compares the files that a reader made with what was sent.
func (t *tally) judge(what string, sent []corpus.Message, dir string, err error) {
	if err != nil {
		t.check(what, err.Error())
	}
	var read [][]byte
	for _, path := range host.Files(dir) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.check(what, err.Error())
		}
		read = append(read, bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
	}
	wrong, extra := corpus.Compare(sent, read)
	for i, m := range sent {
		t.check(what+", "+m.Name, wrong[i])
	}
	if extra > 0 {
		t.check(what, fmt.Sprintf("%d messages were read that nobody sent", extra))
	}
}

// deletes reads the mailbox once more, deleting, and looks whether it is empty.
func deletes(r reading) error {
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		return err
	}
	if err := r.byPoplib("delete"); err != nil {
		return err
	}
	for _, d := range []string{"new", "cur"} {
		if left := host.Files(filepath.Join(r.Maildir(r.user), d)); len(left) > 0 {
			return fmt.Errorf("still there after QUIT: %s", strings.Join(left, " "))
		}
	}
	return nil
}

// completes sends a message without Date and Message-ID, but with Bcc, over
// submission.
func completes(h *host.Host, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	const user = "complete"
	if err := h.AddUser(user); err != nil {
		return err
	}
	me := user + "@" + host.Name
	m := corpus.Message{Name: "incomplete", Text: []byte("From: <" + me + ">\nTo: <" + me + ">\nBcc: <secret@example.net>\nSubject: incomplete\n\nbody\n")}
	s := sending{Host: h, from: me, to: me, user: user, addr: h.Addr["submission"], dir: dir, messages: []corpus.Message{m}}
	if err := bySmtplib("data")(s); err != nil {
		return err
	}
	if n := h.Arrived(user, 1); n != 1 {
		return fmt.Errorf("%d messages arrived, one was sent", n)
	}
	b, err := os.ReadFile(host.Files(filepath.Join(h.Maildir(user), "new"))[0])
	if err != nil {
		return err
	}
	head, _, _ := bytes.Cut(b, []byte("\n\n"))
	for _, want := range []string{"\nDate: ", "\nMessage-ID: <", "\nSubject: incomplete"} {
		if !bytes.Contains(head, []byte(want)) {
			return fmt.Errorf("no %q in\n%s", want, head)
		}
	}
	if bytes.Contains(head, []byte("secret@example.net")) {
		return fmt.Errorf("the Bcc line is still in\n%s", head)
	}
	return nil
}
