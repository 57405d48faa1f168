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
	"regexp"
	"strconv"
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

func (h *host) session() (*session, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &session{cmd: exec.Command(*imapd, "-c", h.config), to: &h.told}
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
		return nil, fmt.Errorf("dovecot greets with %q, %v", line, err)
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

// close ends the session. What Dovecot has to complain about is wrong.
func (s *session) close() {
	s.do("LOGOUT")
	s.in.Close()
	s.cmd.Wait()
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, ": Info: ") {
			s.to.mu.Lock()
			s.to.complain("dovecot: %s", strings.TrimSpace(line))
			s.to.mu.Unlock()
		}
	}
}

// append stores a message with this subject.
func (s *session) append(folder, flags, id string) error {
	text := message(id)
	_, err := s.do("APPEND %s (%s) {%d+}\r\n%s", folder, flags, len(text), text)
	return err
}

func message(id string) string { return "Subject: " + id + "\r\n\r\nText of " + id + "\r\n" }

// view is what a server says of a folder.
type view struct {
	validity, next uint32
	messages       map[uint32]seen // by UID
}

type seen struct {
	id    string
	flags string // sorted
}

var (
	fetched   = regexp.MustCompile(`FETCH \(UID (\d+) FLAGS \(([^)]*)\) ENVELOPE \(NIL "([^"]*)"`)
	validity  = regexp.MustCompile(`\[UIDVALIDITY (\d+)\]`)
	predicted = regexp.MustCompile(`\[UIDNEXT (\d+)\]`)
)

// look selects a folder and fetches all of it.
func (s *session) look(folder string) (view, error) {
	v := view{messages: map[uint32]seen{}}
	lines, err := s.do("SELECT %s", folder)
	if err != nil {
		return v, err
	}
	v.validity, v.next = find(validity, lines), find(predicted, lines)
	lines, err = s.do("UID FETCH 1:* (FLAGS ENVELOPE)")
	for _, line := range lines {
		if m := fetched.FindStringSubmatch(line); m != nil {
			v.messages[number(m[1])] = seen{m[3], sortFlags(strings.Fields(m[2]))}
		}
	}
	return v, err
}

func find(r *regexp.Regexp, lines []string) uint32 {
	for _, line := range lines {
		if m := r.FindStringSubmatch(line); m != nil {
			return number(m[1])
		}
	}
	return 0
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic(err) // a regular expression has let it through
	}
	return uint32(n)
}
