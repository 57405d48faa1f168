package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// command runs a program to its end, at most two minutes, with the client's home, and
// returns its standard output; its error has what it said besides.
func (v *visit) command(name string, args ...string) (string, error) {
	c := v.prepared(name, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		said := errs.String() + out.String()
		return "", fmt.Errorf("%s: %w\n%s", name, err, said[max(0, len(said)-2000):])
	}
	return out.String(), nil
}

func (v *visit) prepared(name string, args ...string) *exec.Cmd {
	c := exec.Command("timeout", append([]string{"120", name}, args...)...)
	c.Dir, c.Env = v.dir, v.environ()
	return c
}

// environ is the environment of every client: its own home, and no settings of whoever
// runs us.
func (v *visit) environ() []string {
	return []string{"HOME=" + v.dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm", "TMPDIR=" + os.TempDir()}
}

// script runs a program that checks by itself and tells by lines on its standard
// output: "ok WHAT", "not ok WHAT: WHY", and "deliver NAME" when it wants a message
// to come.
func (v *visit) script(name string, args ...string) error {
	c := v.prepared(name, args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := v.told(lines.Text()); err != nil {
			return err
		}
	}
	if err := c.Wait(); err != nil {
		said := errs.String()
		return fmt.Errorf("%s: %w\n%s", name, err, said[max(0, len(said)-2000):])
	}
	return lines.Err()
}

// told takes one line of a script.
func (v *visit) told(line string) error {
	if what, ok := strings.CutPrefix(line, "ok "); ok {
		v.check(what, "")
		return nil
	}
	if what, ok := strings.CutPrefix(line, "not ok "); ok {
		what, why, _ := strings.Cut(what, ": ")
		v.check(what, "it says "+why)
		return nil
	}
	if name, ok := strings.CutPrefix(line, "deliver "); ok {
		v.expects["INBOX"][name] = anyFlags
		return v.deliver(v.extra(name))
	}
	return fmt.Errorf("unexpected line %q", line)
}
