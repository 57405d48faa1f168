//go:build linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// smtpdScenario has a client send two messages in one session, one by DATA and
// one by BDAT to two recipients. What the client was told is on standard output.
func smtpdScenario(bin string) scenario {
	return scenario{name: "smtpd", make: func(dir string) (*instance, error) {
		texts := [][]byte{message(1, 20_000), message(2, 60_000)}
		input, q := filepath.Join(dir, "session"), filepath.Join(dir, "queue")
		err := errors.Join(os.MkdirAll(dir, 0o700), configure(dir), os.WriteFile(input, session(texts), 0o600))
		if err != nil {
			return nil, err
		}
		return &instance{
			command: command{argv: []string{filepath.Join(bin, "smtpd"), "--etc", filepath.Join(dir, "etc")},
				env: []string{"GOMAXPROCS=1", "ROHRPOST_LIBEXEC=" + bin}, stdin: input},
			reset: func() error { return emptyQueue(q) },
			judge: func(o outcome) error { return judgeQueue(q, texts, o) },
		}, nil
	}}
}

// configure writes the configuration of a host with two users and an alias.
func configure(dir string) error {
	files := map[string]string{
		"me": "crash.test\n", "queue": "../queue\n", "mail": "../mail\n",
		"users":   "al:{PLAIN}x::::::\nbo:{PLAIN}x::::::\n",
		"aliases": "both: al, bo\n",
	}
	etc := filepath.Join(dir, "etc")
	if err := os.MkdirAll(etc, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// emptyQueue makes the directories of a queue with nothing in them.
func emptyQueue(q string) error {
	if err := emptyDir(q); err != nil {
		return err
	}
	return errors.Join(makeMaildir(q), os.MkdirAll(filepath.Join(q, "drop", "tmp"), 0o700),
		os.MkdirAll(filepath.Join(q, "drop", "new"), 0o700), os.Chmod(filepath.Join(q, "drop", "tmp"), 0o733|os.ModeSticky),
		os.Chmod(filepath.Join(q, "drop", "new"), 0o733|os.ModeSticky), os.MkdirAll(filepath.Join(q, "rohrpost.notes"), 0o700))
}

// session is what the client sends.
func session(texts [][]byte) []byte {
	var b bytes.Buffer
	crlf := func(t []byte) []byte { return bytes.ReplaceAll(t, []byte("\n"), []byte("\r\n")) }
	b.WriteString("EHLO client.example.net\r\nMAIL FROM:<sender@example.net>\r\nRCPT TO:<al@crash.test>\r\nDATA\r\n")
	b.Write(crlf(texts[0]))
	second := crlf(texts[1])
	fmt.Fprintf(&b, ".\r\nMAIL FROM:<sender@example.net>\r\nRCPT TO:<al@crash.test>\r\nRCPT TO:<bo@crash.test>\r\nBDAT %d LAST\r\n", len(second))
	b.Write(second)
	b.WriteString("QUIT\r\n")
	return b.Bytes()
}

var acknowledgement = regexp.MustCompile(`(?m)^250 2\.0\.0 queued as (\S+)\r$`)

// judgeQueue wants each message whole and at most once in the queue, and each
// that was acknowledged under the id that the client was told.
func judgeQueue(q string, texts [][]byte, o outcome) error {
	n, err := copies(q, texts...)
	if err != nil {
		return err
	}
	entries, err := visible(filepath.Join(q, "new"), filepath.Join(q, "cur"))
	if err != nil {
		return err
	}
	err = oneOf(o, 0, 100, 111)
	for i := range texts {
		err = errors.Join(err, within(fmt.Sprintf("message %d", i+1), n[i], false))
	}
	for _, ack := range acknowledgement.FindAllSubmatch(o.stdout, -1) {
		found := false
		for path := range entries {
			id, _, _ := strings.Cut(filepath.Base(path), ",")
			found = found || id == string(ack[1])
		}
		if !found {
			err = errors.Join(err, fmt.Errorf("LOST: %s was acknowledged and is not there", ack[1]))
		}
	}
	return err
}
