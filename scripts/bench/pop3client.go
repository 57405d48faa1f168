package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

// popConn is a POP3 session; like smtpConn it remembers its first error.
type popConn struct {
	conn net.Conn
	in   *bufio.Reader
	err  error
}

// popLogin connects and logs in.
func popLogin(addr, user string) (*popConn, error) {
	conn, err := net.Dial("tcp4", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(10 * time.Minute))
	c := &popConn{conn: conn, in: bufio.NewReaderSize(conn, 1<<18)}
	c.ok()
	c.say("USER " + user)
	c.say("PASS " + mailPassword)
	return c, c.err
}

// ok reads one status line and returns what follows +OK.
func (c *popConn) ok() string {
	if c.err != nil {
		return ""
	}
	line, err := c.in.ReadString('\n')
	rest, found := strings.CutPrefix(line, "+OK")
	switch {
	case err != nil:
		c.err = err
	case !found:
		c.err = fmt.Errorf("server says %q", line)
	}
	return strings.TrimSpace(rest)
}

func (c *popConn) say(line string) string {
	if c.err == nil {
		_, c.err = c.conn.Write([]byte(line + "\r\n"))
	}
	return c.ok()
}

// skip reads a multi-line answer to its end and returns its octets, those of
// the dots that the server doubled not counted.
func (c *popConn) skip() (octets int64) {
	c.ok()
	for c.err == nil {
		line, err := c.in.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
		case err != nil:
			c.err = err
		case bytes.Equal(line, []byte(".\r\n")):
			return octets
		case line[0] == '.':
			octets--
		}
		octets += int64(len(line))
	}
	return octets
}

// stat asks for the number of messages and their octets.
func (c *popConn) stat() (n int, octets int64) {
	if s := c.say("STAT"); c.err == nil {
		_, c.err = fmt.Sscanf(s, "%d %d", &n, &octets)
	}
	return n, octets
}

func (c *popConn) quit() error {
	c.say("QUIT")
	c.conn.Close()
	return c.err
}

// retrieve reads messages 1 to n. With ahead all commands are sent before the
// first answer is read, else each waits for the answer before it.
func (c *popConn) retrieve(n int, ahead bool) (octets int64) {
	if ahead {
		var commands bytes.Buffer
		for i := range n {
			fmt.Fprintf(&commands, "RETR %d\r\n", i+1)
		}
		go c.conn.Write(commands.Bytes())
	}
	for i := range n {
		if !ahead {
			fmt.Fprintf(c.conn, "RETR %d\r\n", i+1)
		}
		octets += c.skip()
	}
	return octets
}
