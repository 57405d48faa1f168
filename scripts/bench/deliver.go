package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const deliverNote = `300 messages of 4 KB, one after the other, each to a process of its own with the message as a file on standard input, into one Maildir, no
rules. Processor time is what the kernel counted for the process and its children.`

// An agent is a program that delivers the message on its standard input.
type agent struct {
	name string
	argv []string
	env  []string
	box  string
}

// agents are the delivery agents there are, each with a Maildir in dir.
func agents(dir, bin string) ([]agent, error) {
	all := []agent{
		{name: ours, argv: []string{filepath.Join(bin, "deliver"), "BOX"}},
		{name: "maildrop", argv: []string{"maildrop", "RULES"}},
		{name: "procmail", argv: []string{"procmail", "RULES"}},
	}
	rules := map[string]string{"maildrop": "to \"%[1]s/\"\n", "procmail": "DEFAULT=%[1]s/\n"}
	var there []agent
	for _, a := range all {
		if !have(a.argv[0]) {
			continue
		}
		home := filepath.Join(dir, a.name)
		a.box = filepath.Join(home, "Maildir")
		file := filepath.Join(home, "rules")
		var err error
		for _, d := range []string{home, a.box, a.box + "/tmp", a.box + "/new", a.box + "/cur"} {
			err = errors.Join(err, os.Mkdir(d, 0o700), os.Chown(d, nobody, nobody))
		}
		err = errors.Join(err, os.WriteFile(file, fmt.Appendf(nil, rules[a.name], a.box), 0o600), os.Chown(file, nobody, nobody))
		if err != nil {
			return nil, err
		}
		for i, arg := range a.argv {
			a.argv[i] = strings.NewReplacer("BOX", a.box, "RULES", file).Replace(arg)
		}
		a.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LOGNAME=nobody", "USER=nobody", "SENDER=sender@example.org",
			"RECIPIENT=nobody@" + mailDomain, "GOMAXPROCS=1"}
		there = append(there, a)
	}
	return there, nil
}

// nobody is a user that the system knows, which maildrop insists on.
const nobody = 65534

func benchDeliver(b *bench) (*table, error) {
	list, err := agents(b.dir, b.bin)
	if err != nil {
		return nil, err
	}
	message := filepath.Join(b.dir, "message")
	text := bytes.ReplaceAll(body(4<<10), []byte("\r\n"), []byte("\n"))
	if err := os.WriteFile(message, text, 0o644); err != nil {
		return nil, err
	}
	n := b.scale(300)
	rate, cpu := map[string]series{}, map[string]series{}
	for round := -1; round < b.rounds; round++ {
		for _, a := range list {
			r, c, err := a.round(message, n, int64(len(text)))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
			if round >= 0 {
				rate[a.name] = append(rate[a.name], r)
				cpu[a.name] = append(cpu[a.name], c)
			}
		}
	}
	t := newTable(ours, "maildrop", "procmail")
	what := fmt.Sprintf("%d × 4 KB, one at a time", n)
	t.add(what, "messages /s", rate)
	t.add(what, "CPU ms/msg", cpu, goal{to: "maildrop", atMost: 1}, goal{to: "procmail", atMost: 1.5})
	return t, nil
}

// round delivers n copies: messages per second, processor time per message in ms.
func (a agent) round(message string, n int, size int64) (rate, cpu float64, err error) {
	s := server{maildirs: []string{a.box}}
	if err := s.empty(); err != nil {
		return 0, 0, err
	}
	var used time.Duration
	start := time.Now()
	for range n {
		u, err := a.once(message)
		if err != nil {
			return 0, 0, err
		}
		used += u
	}
	took := time.Since(start)
	return float64(n) / took.Seconds(), used.Seconds() * 1000 / float64(n), stored(s.maildirs, n, size)
}

func (a agent) once(message string) (time.Duration, error) {
	in, err := os.Open(message)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	c := exec.Command(a.argv[0], a.argv[1:]...)
	c.Env, c.Stdin = a.env, in
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := c.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), nil
}
