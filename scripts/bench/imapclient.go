package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// imapConn is an IMAP session; like smtpConn it remembers its first error.
// Commands can be sent ahead of the answers before them.
type imapConn struct {
	conn         net.Conn
	in           *bufio.Reader
	sent         []string // commands, of which
	heard        int      // so many are answered
	capabilities string
	err          error
}

// A refusal is a server's NO or BAD.
type refusal struct{ command, line string }

func (r refusal) Error() string {
	return fmt.Sprintf("left out: %.60s: server says %q", r.command, strings.TrimSpace(r.line))
}

// imapConnect connects, reads the greeting and logs in.
func imapConnect(s *server, user int) (*imapConn, error) {
	conn, err := net.Dial("tcp4", s.imap)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	c := &imapConn{conn: conn, in: bufio.NewReaderSize(conn, 1<<18)}
	if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "* OK") {
		conn.Close()
		return nil, fmt.Errorf("greeting %q: %v", line, err)
	}
	c.do("LOGIN " + s.login(user) + " " + mailPassword)
	return c, c.err
}

// imapSelect opens a session with the mailbox selected, and checks the number of
// messages in it.
func imapSelect(s *server, user, messages int) (*imapConn, error) {
	c, err := imapConnect(s, user)
	if err != nil {
		return nil, err
	}
	if a := c.do("SELECT INBOX"); c.err == nil && a.exists != messages {
		c.err = fmt.Errorf("%d messages in INBOX, right is %d", a.exists, messages)
	}
	return c, c.err
}

// quit ends the session and waits until the server has left the mailbox.
func (c *imapConn) quit() error {
	c.do("LOGOUT")
	if c.err == nil {
		_, c.err = io.Copy(io.Discard, c.in)
	}
	c.conn.Close()
	return c.err
}

// do sends one command and reads its answer.
func (c *imapConn) do(command string) answer {
	c.send(command)
	return c.hear()
}

// timed is do, with the milliseconds it took.
func (c *imapConn) timed(command string) (answer, float64) {
	start := time.Now()
	a := c.do(command)
	return a, time.Since(start).Seconds() * 1000
}

// send sends commands and reads nothing.
func (c *imapConn) send(commands ...string) {
	var b bytes.Buffer
	for _, command := range commands {
		c.sent = append(c.sent, command)
		fmt.Fprintf(&b, "a%d %s\r\n", len(c.sent), command)
	}
	if c.err == nil {
		_, c.err = c.conn.Write(b.Bytes())
	}
}

// append stores one message in the mailbox; text has CRLF.
func (c *imapConn) append(mailbox string, text []byte) {
	plus := ""
	if c.can("LITERAL+") || c.can("LITERAL-") && len(text) <= 4096 {
		plus = "+"
	}
	c.sent = append(c.sent, "APPEND "+mailbox)
	head := fmt.Appendf(nil, "a%d APPEND %s {%d%s}\r\n", len(c.sent), mailbox, len(text), plus)
	if plus == "" {
		c.write(head)
		c.await("+")
		head = nil
	}
	c.write(head, text, []byte("\r\n"))
	c.hear()
}

func (c *imapConn) write(parts ...[]byte) {
	if c.err == nil {
		b := net.Buffers(parts)
		_, c.err = b.WriteTo(c.conn)
	}
}

// can reports whether the server has a capability.
func (c *imapConn) can(capability string) bool {
	if c.capabilities == "" {
		c.do("CAPABILITY")
	}
	return strings.Contains(c.capabilities+" ", " "+capability+" ")
}

// await reads lines until one has the word in it: the + of a continuation, or
// EXISTS while idling.
func (c *imapConn) await(word string) {
	for c.err == nil {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.err = fmt.Errorf("waiting for %s: %w", word, err)
		} else if strings.Contains(line, word) {
			return
		} else if !strings.HasPrefix(line, "*") {
			c.err = fmt.Errorf("server says %q, wanted %s", line, word)
		}
	}
}
