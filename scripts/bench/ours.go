package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ours is rohrpost with more control files, by name.
func (b *bench) ours(control map[string]string) contender {
	return contender{ours, "rohrpost", func(name, dir string) (*server, error) {
		return startOurs(name, dir, b.bin, control)
	}}
}

// startOurs starts rohrpost up, as the mail user, in a directory of its own.
// control holds more control files, by name.
func startOurs(name, dir, bin string, control map[string]string) (*server, error) {
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
	files := map[string]string{"me": mailDomain + "\n", "users": users.String()}
	for k, v := range control {
		files[k] = v
	}
	for k, v := range files {
		if err := write(filepath.Join(etc, k), v); err != nil {
			return nil, err
		}
	}
	if s.group, err = newGroup(name); err != nil {
		return nil, err
	}
	uid := fmt.Sprint(mailUID)
	argv := []string{"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups",
		filepath.Join(bin, "rohrpost"), "up", "--home", dir, "--host", mailDomain,
		"--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0"}
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
			go out.WriteTo(os.Stderr)
			return s, nil
		}
	}
}
