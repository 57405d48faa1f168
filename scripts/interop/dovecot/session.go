package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// session is one run of a server.
type session struct {
	server string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	log    bytes.Buffer
	tag    int
	to     *ledger
}

// refused is a command that was not answered with OK.
type refused struct{ server, command, answer string }

func (r *refused) Error() string {
	return fmt.Sprintf("%s answers %q with %s", r.server, r.command, r.answer)
}

func (h *host) session(server string) (*session, error) {
	s := &session{server: server, cmd: h.server(server), to: h.ledger}
	s.cmd.Stderr = &s.log
	var err error
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
		s.close()
		return nil, fmt.Errorf("%s greets with %q, %v\n%s", server, line, err, &s.log)
	}
	return s, nil
}

// expungeIssued reports whether a server says that some of the messages are gone
// that it had told of (RFC 5530 section 3).
func expungeIssued(err error) bool {
	var r *refused
	return errors.As(err, &r) && strings.Contains(r.answer, "[EXPUNGEISSUED]")
}

// do sends a command and returns the answer: the untagged lines, and the OK. Behind
// the first line end of a command is a literal, which is sent when it is asked for.
func (s *session) do(format string, args ...any) ([]string, error) {
	s.tag++
	tag := fmt.Sprintf("t%d ", s.tag)
	command, literal, _ := strings.Cut(fmt.Sprintf(format, args...), "\r\n")
	if _, err := io.WriteString(s.in, tag+command+"\r\n"); err != nil {
		return nil, s.broke(command, err)
	}
	var lines []string
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return nil, s.broke(command, err)
		}
		line = strings.TrimRight(line, "\r\n")
		switch rest, ok := strings.CutPrefix(line, tag); {
		case !ok && strings.HasPrefix(line, "+"):
			if _, err := io.WriteString(s.in, literal+"\r\n"); err != nil {
				return nil, s.broke(command, err)
			}
		case !ok:
			lines = append(lines, line)
		case strings.HasPrefix(rest, "OK"):
			return append(lines, rest), nil
		default:
			return lines, &refused{s.server, command, rest}
		}
	}
}

// broke is the error of a session that ended when it should not.
func (s *session) broke(command string, err error) error {
	s.in.Close()
	s.cmd.Wait()
	return fmt.Errorf("%s at %q: %w, %v\n%s", s.server, command, err, s.cmd.ProcessState, &s.log)
}

// close ends the session. What the server has to complain about is wrong.
func (s *session) close() {
	s.do("LOGOUT")
	s.in.Close()
	s.cmd.Wait()
	for line := range strings.Lines(s.log.String()) {
		switch {
		case harmless(line):
		case strings.Contains(line, duplicate):
			s.to.refuse(s.server + " logs: " + duplicate)
		default:
			s.to.complain("%s logs %s", s.server, strings.TrimSpace(line))
		}
	}
}

// duplicate is what Dovecot says when it finds a file under two UIDs in its list; it
// takes the latter. It does so too where it works alone, when it moves a message away
// and back.
const duplicate = "Duplicate file entry"
