// Package host runs rohrpost up for the interop runs: a whole mail host in a
// directory of its own, on ports that the kernel chose.
package host

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
	Name     = "mail.example.org"
	Password = "correct horse"
)

// A Host is rohrpost up in a directory of its own.
type Host struct {
	Dir, Bin string
	cmd      *exec.Cmd
	Addr     map[string]string // by service
}

// Start starts the mail host and waits until it says that it is ready.
func Start(dir, bin string) (*Host, error) {
	h := &Host{Dir: dir, Bin: bin, Addr: map[string]string{}}
	h.cmd = exec.Command(filepath.Join(bin, "rohrpost"), "up", "--home", dir, "--host", Name,
		"--smtp", "127.0.0.1:0", "--submission", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--imap", "127.0.0.1:0",
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
			h.Addr[service] = addr
		}
		if in.Text() == "rohrpost: ready" {
			return h, nil
		}
	}
	return h, errors.New("rohrpost up ended before it was ready")
}

func (h *Host) Stop() error {
	h.cmd.Process.Signal(syscall.SIGTERM)
	return h.cmd.Wait()
}

// AddUser adds a user while the host runs.
func (h *Host) AddUser(name string) error {
	c := exec.Command(filepath.Join(h.Bin, "rohrpost"), "user", "add", "--home", h.Dir, name)
	c.Stdin = strings.NewReader(Password + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("rohrpost user add %s: %w\n%s", name, err, out)
	}
	return nil
}

func (h *Host) Maildir(user string) string { return filepath.Join(h.Dir, "mail", user, "Maildir") }

// Arrived waits until a user has n messages, and says how many there are.
func (h *Host) Arrived(user string, n int) int {
	const patience = 60 * time.Second
	got := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = len(Files(filepath.Join(h.Maildir(user), "new"))); got >= n {
			break
		}
	}
	return got
}

// Files are the paths of all files below a directory.
func Files(dir string) []string {
	var paths []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}
