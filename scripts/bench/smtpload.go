package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A load is mail sent by SMTP or LMTP: conns connections at once, perConn
// messages in each, total messages in all.
type load struct {
	addr    string
	lmtp    bool
	conns   int
	perConn int
	total   int
	body    []byte // with CRLF, dots doubled, without the end mark
	to      []string
}

// body makes a message of about size bytes of text lines, as it goes on the
// wire.
func body(size int) []byte {
	var b bytes.Buffer
	b.WriteString("From: <sender@example.org>\r\nTo: <u0@" + mailDomain + ">\r\nSubject: a message of the benchmark\r\n" +
		"Date: Mon, 02 Jan 2006 15:04:05 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n")
	for n := 0; b.Len() < size; n++ {
		fmt.Fprintf(&b, "%06d the quick brown fox jumps over the lazy dog, and again it does so\r\n", n)
	}
	return b.Bytes()
}

// send delivers the whole load and returns when the last answer is read.
func (l load) send() error {
	errs := make(chan error, l.conns)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range l.conns {
		wg.Go(func() {
			for {
				first := next.Add(int64(l.perConn)) - int64(l.perConn)
				n := min(int64(l.perConn), int64(l.total)-first)
				if n <= 0 {
					return
				}
				if err := l.session(int(first), int(n)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// session sends n messages over one connection as Postfix's client does: the
// envelope in one write, the text with its end mark in the next.
func (l load) session(first, n int) error {
	conn, err := net.Dial("tcp4", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	c := &smtpConn{conn: conn, in: bufio.NewReader(conn)}
	hello := "EHLO"
	if l.lmtp {
		hello = "LHLO"
	}
	c.expect("220")
	c.say(hello+" client.example.org\r\n", "250")
	for i := range n {
		to := l.to[(first+i)%len(l.to)]
		c.say("MAIL FROM:<sender@example.org>\r\nRCPT TO:<"+to+">\r\nDATA\r\n", "250", "250", "354")
		end := ".\r\n"
		if i == n-1 {
			end += "QUIT\r\n"
		}
		c.write(l.body, []byte(end))
		c.expect("250")
	}
	c.expect("221")
	return c.err
}

// smtpConn remembers its first error, so that a session reads as a dialogue.
type smtpConn struct {
	conn net.Conn
	in   *bufio.Reader
	err  error
}

func (c *smtpConn) say(lines string, codes ...string) {
	c.write([]byte(lines))
	for _, code := range codes {
		c.expect(code)
	}
}

func (c *smtpConn) write(parts ...[]byte) {
	if c.err == nil {
		b := net.Buffers(parts)
		_, c.err = b.WriteTo(c.conn)
	}
}

// expect reads one reply, of any number of lines.
func (c *smtpConn) expect(code string) {
	for c.err == nil {
		line, err := c.in.ReadString('\n')
		switch {
		case err != nil:
			c.err = fmt.Errorf("waiting for %s: %w", code, err)
		case !strings.HasPrefix(line, code):
			c.err = fmt.Errorf("got %q, wanted %s", line, code)
		case len(line) > 3 && line[3] == '-':
			continue
		}
		return
	}
}
