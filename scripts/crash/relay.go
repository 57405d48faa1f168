//go:build linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// relayScenario works a queue of three entries: one recipient, two recipients
// that are expanded first, and an alias of two members. The fault strikes relay
// or its deliver; then relay runs again without one, as its supervisor would
// have it, and everybody must have everything once.
func relayScenario(bin string) scenario {
	return scenario{name: "relay --once", make: func(dir string) (*instance, error) {
		r := &relayWorld{bin: bin, dir: dir, texts: [][]byte{message(1, 5_000), message(2, 60_000), message(3, 5_000)}}
		if err := r.fill(); err != nil {
			return nil, err
		}
		return &instance{command: r.command(), reset: r.reset, judge: r.judge}, nil
	}}
}

// relayWorld is a host with a queue that smtpd filled once.
type relayWorld struct {
	bin, dir string
	texts    [][]byte
}

func (r *relayWorld) path(elem ...string) string {
	return filepath.Join(append([]string{r.dir}, elem...)...)
}

func (r *relayWorld) command() command {
	return command{argv: []string{filepath.Join(r.bin, "relay"), "--once", "--etc", r.path("etc")},
		env: []string{"GOMAXPROCS=1", "ROHRPOST_LIBEXEC=" + r.bin}, stdin: os.DevNull}
}

// fill has smtpd make the queue that every run begins with.
func (r *relayWorld) fill() error {
	if err := errors.Join(os.MkdirAll(r.dir, 0o700), configure(r.dir), emptyQueue(r.path("queue"))); err != nil {
		return err
	}
	var in bytes.Buffer
	in.WriteString("EHLO client.example.net\r\n")
	for i, rcpts := range [][]string{{"al"}, {"al", "bo"}, {"both"}} {
		in.WriteString("MAIL FROM:<sender@example.net>\r\n")
		for _, a := range rcpts {
			fmt.Fprintf(&in, "RCPT TO:<%s@crash.test>\r\n", a)
		}
		text := bytes.ReplaceAll(r.texts[i], []byte("\n"), []byte("\r\n"))
		fmt.Fprintf(&in, "BDAT %d LAST\r\n%s", len(text), text)
	}
	in.WriteString("QUIT\r\n")
	c := exec.Command(filepath.Join(r.bin, "smtpd"), "--etc", r.path("etc"))
	c.Stdin = &in
	out, err := c.Output()
	if n := len(acknowledgement.FindAll(out, -1)); err != nil || n != len(r.texts) {
		return fmt.Errorf("smtpd queued %d of %d messages: %w\n%s", n, len(r.texts), err, out)
	}
	return os.Rename(r.path("queue"), r.path("filled"))
}

// reset copies the queue, and empties the mailboxes.
func (r *relayWorld) reset() error {
	if err := errors.Join(os.RemoveAll(r.path("queue")), emptyDir(r.path("mail"))); err != nil {
		return err
	}
	for _, user := range []string{"al", "bo"} {
		if err := makeMaildir(r.path("mail", user, "Maildir")); err != nil {
			return err
		}
	}
	if err := emptyQueue(r.path("queue")); err != nil {
		return err
	}
	entries, err := visible(r.path("filled", "new"))
	for path, text := range entries {
		err = errors.Join(err, os.WriteFile(r.path("queue", "new", filepath.Base(path)), text, 0o600))
	}
	return err
}

// judge looks at once that nothing is torn or twice; then lets relay finish and
// looks that everything is there.
func (r *relayWorld) judge(o outcome) error {
	if err := errors.Join(oneOf(o, 0, 100, 111), r.check(0)); err != nil {
		return err
	}
	const tries = 3
	for range tries {
		c := exec.Command(r.command().argv[0], r.command().argv[1:]...)
		c.Env = append(os.Environ(), r.command().env...)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("relay afterwards: %w\n%s", err, out)
		}
		left, err := visible(r.path("queue", "new"), r.path("queue", "cur"))
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return r.check(1)
		}
	}
	return fmt.Errorf("STUCK: the queue is not empty after %d more runs", tries)
}

// check wants at least this many copies of each message at each recipient, and
// never two.
func (r *relayWorld) check(least int) error {
	var bad error
	for user, gets := range map[string][]bool{"al": {true, true, true}, "bo": {false, true, true}} {
		n, err := copies(r.path("mail", user, "Maildir"), r.texts...)
		bad = errors.Join(bad, err)
		for i, n := range n {
			switch {
			case n > 1 || (n > 0 && !gets[i]):
				bad = errors.Join(bad, fmt.Errorf("twice: %s has message %d %d times", user, i+1, n))
			case gets[i] && n < least:
				bad = errors.Join(bad, fmt.Errorf("LOST: %s does not have message %d", user, i+1))
			}
		}
	}
	return bad
}
