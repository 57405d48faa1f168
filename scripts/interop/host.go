package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	hostName = "mail.example.org"
	password = "correct horse"
)

// A host is rohrpost up in a directory of its own.
type host struct {
	dir, bin string
	cmd      *exec.Cmd
	addr     map[string]string // by service
}

// startHost starts the mail host and waits until it says that it is ready.
func startHost(dir, bin string) (*host, error) {
	h := &host{dir: dir, bin: bin, addr: map[string]string{}}
	h.cmd = exec.Command(filepath.Join(bin, "rohrpost"), "up", "--home", dir, "--host", hostName,
		"--smtp", "127.0.0.1:0", "--submission", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--imap", "off",
		"--sieve", "off", "--submissions", "off", "--pop3s", "off", "--imaps", "off")
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	h.cmd.Stderr = log
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	for in := bufio.NewScanner(out); in.Scan(); {
		var service, addr string
		if n, _ := fmt.Sscanf(in.Text(), "rohrpost: ready service=%s addr=%s", &service, &addr); n == 2 {
			h.addr[service] = addr
		}
		if in.Text() == "rohrpost: ready" {
			return h, nil
		}
	}
	return h, errors.New("rohrpost up ended before it was ready")
}

func (h *host) stop() error {
	h.cmd.Process.Signal(syscall.SIGTERM)
	return h.cmd.Wait()
}

// addUser adds a user while the host runs.
func (h *host) addUser(name string) error {
	c := exec.Command(filepath.Join(h.bin, "rohrpost"), "user", "add", "--home", h.dir, name)
	c.Stdin = strings.NewReader(password + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("rohrpost user add %s: %w\n%s", name, err, out)
	}
	return nil
}

func (h *host) maildir(user string) string { return filepath.Join(h.dir, "mail", user, "Maildir") }

// arrived waits until a user has n messages, and says how many there are.
func (h *host) arrived(user string, n int) int {
	const patience = 60 * time.Second
	got := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = len(files(filepath.Join(h.maildir(user), "new"))); got >= n {
			break
		}
	}
	return got
}

// files are the paths of all files below a directory.
func files(dir string) []string {
	var paths []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}
