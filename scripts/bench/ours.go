package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ours is the whole mail host with more control files, by name.
func (b *bench) ours(control map[string]string) contender {
	return contender{ours, "rohrpost", func(name, dir string) (*server, error) {
		return startOurs(name, dir, b.bin, control)
	}}
}

// oursAlone is one program of ours under listen, with room for many sessions
// from one host.
func (b *bench) oursAlone(program string) contender {
	return contender{ours, program, func(name, dir string) (*server, error) {
		s, err := makeHome(name, dir, nil)
		if err == nil {
			err = makeQueue(filepath.Join(dir, "queue"))
		}
		if err != nil {
			return nil, err
		}
		etc := filepath.Join(dir, "etc")
		argv := []string{filepath.Join(b.bin, program), "--etc", etc}
		if program == "pop3d" || program == "imapd" {
			argv = append(argv, "--", filepath.Join(b.bin, "checkpw"), "--etc", etc)
		}
		return s, s.listen(b.bin, argv...)
	}}
}

// floor is a Go program that does nothing but greet, under the same listen.
func (b *bench) floor() contender {
	return contender{floorName, "go", func(name, dir string) (*server, error) {
		s, err := makeHome(name, dir, nil)
		if err != nil {
			return nil, err
		}
		program := filepath.Join(dir, "floor")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "rohrpost/scripts/bench/floor")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build floor: %w\n%s", err, out)
		}
		return s, s.listen(b.bin, program)
	}}
}

const floorName = "Go that only greets"

// asMail runs a program as the mail user.
func asMail(argv ...string) []string {
	uid := fmt.Sprint(mailUID)
	return append([]string{"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"}, argv...)
}

// listen starts a program for each connection to an address of its own, which
// is that of every service.
func (s *server) listen(bin string, argv ...string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	s.smtp = fmt.Sprintf("127.0.0.1:%d", port)
	s.pop3, s.imap = s.smtp, s.smtp
	if s.group, err = newGroup(s.name); err != nil {
		return err
	}
	listen := asMail(filepath.Join(bin, "listen"), "--max", "1000", "--max-per-host", "1000", s.smtp, "--")
	if _, err := s.start(s.dir+"/log", []string{"ROHRPOST_LIBEXEC=" + bin}, append(listen, argv...)...); err != nil {
		return err
	}
	return s.answers(s.smtp)
}

// makeHome makes configuration and mailboxes in dir.
func makeHome(name, dir string, control map[string]string) (*server, error) {
	s := &server{name: name, dir: dir}
	var err error
	if s.maildirs, err = makeMaildirs(filepath.Join(dir, "mail")); err != nil {
		return nil, err
	}
	etc := filepath.Join(dir, "etc")
	err = errors.Join(os.MkdirAll(etc, 0o755), os.Chown(dir, mailUID, mailUID), os.Chown(etc, mailUID, mailUID))
	if err != nil {
		return nil, err
	}
	var users strings.Builder
	for n := range mailUsers {
		fmt.Fprintf(&users, "%s:{PLAIN}%s::::::\n", userName(n), mailPassword)
	}
	files := map[string]string{"me": mailDomain + "\n", "users": users.String(), "mail": "../mail\n", "queue": "../queue\n"}
	for k, v := range control {
		files[k] = v
	}
	for k, v := range files {
		path := filepath.Join(etc, k)
		// users holds secrets, so its mode and owner matter.
		if err := errors.Join(write(path, v), os.Chmod(path, 0o600), os.Chown(path, mailUID, mailUID)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// makeQueue makes an empty queue.
func makeQueue(dir string) error {
	for _, d := range []string{"", "new", "cur", "tmp", "drop", "drop/new", "drop/tmp", "rohrpost.notes"} {
		path := filepath.Join(dir, d)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, mailUID, mailUID)); err != nil {
			return err
		}
	}
	return nil
}

// startOurs starts rohrpost up, as the mail user, in a directory of its own.
func startOurs(name, dir, bin string, control map[string]string) (*server, error) {
	s, err := makeHome(name, dir, control)
	if err != nil {
		return nil, err
	}
	if s.group, err = newGroup(name); err != nil {
		return nil, err
	}
	argv := asMail(filepath.Join(bin, "rohrpost"), "up", "--home", dir, "--host", mailDomain, "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0")
	for _, f := range []string{"submission", "lmtp", "imap", "sieve", "submissions", "pop3s", "imaps"} {
		argv = append(argv, "--"+f, "off")
	}
	out, err := s.start(dir+"/log", []string{"ROHRPOST_LIBEXEC=" + bin}, argv...)
	if err != nil {
		return s, err
	}
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			log, _ := os.ReadFile(dir + "/log")
			return s, fmt.Errorf("rohrpost up: %w\n%s", err, log)
		}
		var service, addr string
		if n, _ := fmt.Sscanf(line, "rohrpost: ready service=%s addr=%s", &service, &addr); n == 2 {
			switch service {
			case "smtp":
				s.smtp = addr
			case "pop3":
				s.pop3 = addr
			}
		}
		if strings.TrimSpace(line) == "rohrpost: ready" {
			return s, nil
		}
	}
}
