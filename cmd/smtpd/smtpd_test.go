package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// Each transcript in testdata is a conversation with the host mx.example, which
// has the users bob and ann, held by a stranger at 192.0.2.7 unless it says
// otherwise. Its file "queued" is what the queue must hold afterwards: for each
// message the envelope without date and client, an empty line, and the message
// without our Received lines. Without it the queue must be empty.
func TestTranscripts(t *testing.T) {
	progtest.Bin(t, "login-ok")
	progtest.Transcripts(t, "testdata/*.txtar", func(t *testing.T, tr *progtest.Transcript) {
		h := newHost(t, tr.Dir)
		tr.Play(t, h.env(), "smtpd")
		want, _ := os.ReadFile(filepath.Join(tr.Dir, "queued"))
		if got := strings.Join(h.queued(t), ""); got != string(want) {
			t.Errorf("%s: queued:\n%s\nwant:\n%s", tr.Name, got, want)
		}
	})
}

// host is a configuration, a queue and a directory for homes.
type host struct{ dir string }

func newHost(t testing.TB, dir string) host {
	t.Helper()
	h := host{dir}
	for name, text := range map[string]string{"me": "mx.example\n", "users": "bob:{PLAIN}secret::::\nann:{PLAIN}secret::::\n"} {
		if _, err := os.Stat(h.path("etc", name)); err != nil {
			h.write(t, "etc/"+name, text)
		}
	}
	q, err := queue.Create(h.path("queue"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	return h
}

func (h host) path(elem ...string) string { return filepath.Join(append([]string{h.dir}, elem...)...) }

func (h host) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h host) env() []string {
	return []string{"ROHRPOST_ETC=" + h.path("etc"), "ROHRPOST_QUEUE=" + h.path("queue"), "ROHRPOST_MAIL=" + h.path("mail"),
		"PROTO=TCP", "TCPREMOTEIP=192.0.2.7", "TCPREMOTEPORT=4025", "TCPLOCALIP=192.0.2.1", "TCPLOCALPORT=25", "HOME=" + h.dir}
}

// run holds a whole conversation that needs no answer on the way.
func (h host) run(t testing.TB, env []string, input string, args ...string) progtest.Result {
	t.Helper()
	return progtest.Run(t, strings.NewReader(input), append(h.env(), env...), "smtpd", args...)
}

// files are the entries of the queue, in the order of their names.
func (h host) files(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob(h.path("queue", "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	var all [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func (h host) queued(t testing.TB) []string {
	var all []string
	for _, b := range h.files(t) {
		envelope, message, ok := bytes.Cut(b, []byte("\n\n"))
		if !ok {
			t.Fatalf("an entry without a message: %q", b)
		}
		var s strings.Builder
		for _, l := range strings.Split(string(envelope), "\n") {
			if !strings.HasPrefix(l, "Arrival-Date:") && !strings.HasPrefix(l, "Client:") {
				fmt.Fprintln(&s, l)
			}
		}
		_, rest := cutReceived(t, string(message))
		all = append(all, s.String()+"\n"+rest)
	}
	return all
}

// cutReceived takes our Received field off a message.
func cutReceived(t testing.TB, message string) (received, rest string) {
	t.Helper()
	at := strings.Index(message, "Received: from ")
	if at < 0 {
		t.Fatalf("no Received line in %q", message)
	}
	end := at
	for end < len(message) {
		end += strings.IndexByte(message[end:], '\n') + 1
		if end == len(message) || message[end] != '\t' {
			break
		}
	}
	return message[at:end], message[:at] + message[end:]
}

// codes are the codes of the replies in what a server said, one word each.
func codes(said string) string {
	var list []string
	for _, l := range strings.Split(said, "\r\n") {
		if len(l) > 3 && l[3] == ' ' {
			list = append(list, l[:3])
		}
	}
	return strings.Join(list, " ")
}

// crlf is a conversation made of lines.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// opening is a transaction up to the message.
var opening = crlf("EHLO client.example", "MAIL FROM:<ann@b.example>", "RCPT TO:<bob@mx.example>")

// script puts a shell program into the directory.
func (h host) script(t testing.TB, name, text string) {
	t.Helper()
	h.write(t, name, "#!/bin/sh\n"+text+"\n")
	if err := os.Chmod(h.path(name), 0o700); err != nil {
		t.Fatal(err)
	}
}
