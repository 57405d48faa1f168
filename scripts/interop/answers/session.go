package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// config is all that Dovecot has to know.
const config = `base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = /dev/stderr
mail_home = %[1]s
mail_location = maildir:%[1]s/Maildir
protocols = imap
ssl = no
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
mail_max_userip_connections = 0
namespace inbox {
  inbox = yes
}
`

// session is one run of Dovecot's imap.
type session struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log bytes.Buffer
	tag int
	to  *told
}

func configure(dir string) (path string, err error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "dovecot.conf")
	return path, os.WriteFile(path, fmt.Appendf(nil, config, dir, u.Username, g.Name), 0o600)
}

func (h *host) session() (*session, error) { return h.talk(*imapd, "-c", h.config) }

// imapd is a session of our imapd.
func (h *host) imapd() (*session, error) {
	return h.talk(*ourImapd, filepath.Join(h.dir, "Maildir"))
}

// talk starts a program that serves one session, Dovecot's or ours.
func (h *host) talk(program string, args ...string) (*session, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &session{cmd: exec.Command(program, args...), to: &h.told}
	s.cmd.Env = []string{"USER=" + u.Username, "HOME=" + h.dir}
	s.cmd.Dir, s.cmd.Stderr = h.dir, &s.log
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if line, err := s.out.ReadString('\n'); err != nil || !strings.HasPrefix(line, "* PREAUTH") {
		return nil, fmt.Errorf("%s greets with %q, %v", program, line, err)
	}
	return s, nil
}

// do sends a command and returns the untagged lines before the OK.
func (s *session) do(format string, args ...any) ([]string, error) {
	s.tag++
	tag := fmt.Sprintf("t%d ", s.tag)
	command := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(s.in, tag+command+"\r\n"); err != nil {
		return nil, err
	}
	var lines []string
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("%q: %w", command, err)
		}
		line = strings.TrimRight(line, "\r\n")
		switch rest, ok := strings.CutPrefix(line, tag); {
		case !ok:
			lines = append(lines, line)
		case strings.HasPrefix(rest, "OK"):
			return append(lines, rest), nil
		default:
			return nil, fmt.Errorf("%q: %s", command, rest)
		}
	}
}

// close ends the session. What a log complains about is wrong.
func (s *session) close() {
	s.do("LOGOUT")
	s.in.Close()
	s.cmd.Wait()
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, ": Info: ") && !strings.HasPrefix(line, "imapd: session ") {
			s.to.complain("log: %s", strings.TrimSpace(line))
		}
	}
}
