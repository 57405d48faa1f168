// Package client sends mail by SMTP and LMTP (RFC 5321, RFC 2033): pipelined
// (RFC 2920), in chunks (RFC 3030), with many transactions in flight on one
// connection. It speaks over any pair of streams; today that is LMTP over the
// pipes of deliver.
//
// What it does not do: find servers, decide about retries, keep anything on
// disk.
//
// Invariants:
//  1. Replies are given to the commands they answer, in order. After a reply
//     that breaks the protocol, or too late, the connection is dead, and every
//     transaction without a verdict gets the same error.
//  2. A message is never ended by accident: if its source fails, the last chunk
//     is never sent.
//  3. What the server says is bounded and free of control characters.
//
// Start reading at Conn and Transaction.
package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
)

// replyBuffer is the size of the buffer for replies, in bytes.
const replyBuffer = 8 << 10

// ErrNoChunking is a server that cannot do what this engine needs.
var ErrNoChunking = errors.New("server does not offer PIPELINING and CHUNKING")

// Conn is one session. Send may be called by many goroutines at once.
type Conn struct {
	// Timeout is how long the server may take for the next reply while one is
	// due; 0 waits for ever. It needs a source with SetReadDeadline. Set it
	// before Hello.
	Timeout time.Duration

	dst io.Writer
	src io.Reader
	in  *line.Reader
	ext map[string]string // keywords of the answer to LHLO, in capitals

	writing sync.Mutex // held from a transaction's first byte to its last

	mu     sync.Mutex
	queue  []expected // what the next replies answer
	err    error      // why the connection is dead
	closed bool       // QUIT was sent: an end of input is no error
	done   chan struct{}
}

// New makes a session of what the server sends and what it gets.
func New(src io.Reader, dst io.Writer) *Conn {
	return &Conn{src: src, dst: dst, in: line.NewReader(src, replyBuffer), done: make(chan struct{})}
}

// Hello reads the greeting and says LHLO with this host's name. After it the
// session takes transactions.
func (c *Conn) Hello(name string) error {
	c.deadline(true)
	greeting, err := ReadReply(c.in)
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if !greeting.OK() {
		return fmt.Errorf("greeting: %s", greeting)
	}
	if _, err := io.WriteString(c.dst, "LHLO "+name+"\r\n"); err != nil {
		return fmt.Errorf("LHLO: %w", err)
	}
	hello, err := ReadReply(c.in)
	if err != nil {
		return fmt.Errorf("LHLO: %w", err)
	}
	if !hello.OK() {
		return fmt.Errorf("LHLO: %s", hello)
	}
	c.ext = keywords(hello.Text)
	if !c.Offers("PIPELINING") || !c.Offers("CHUNKING") {
		return ErrNoChunking
	}
	c.deadline(false)
	go c.readReplies()
	return nil
}

// keywords are the lines of an answer to LHLO but the first: keyword to
// parameters (RFC 5321 section 4.1.1.1).
func keywords(text string) map[string]string {
	ext := map[string]string{}
	_, rest, more := strings.Cut(text, "\n")
	for more {
		var l string
		l, rest, more = strings.Cut(rest, "\n")
		word, params, _ := strings.Cut(l, " ")
		ext[strings.ToUpper(word)] = params
	}
	return ext
}

// Offers reports whether the server offers an extension.
func (c *Conn) Offers(keyword string) bool {
	_, ok := c.ext[keyword]
	return ok
}

// Done is closed when the session has ended; Err says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the session has ended: nil after a QUIT that was answered.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed && errors.Is(c.err, io.EOF) {
		return nil
	}
	return c.err
}

// Quit ends the session once all transactions have their verdicts. It does not
// wait for that; Done does.
func (c *Conn) Quit() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.expect(expected{kind: quitReply}); err != nil {
		return err
	}
	_, err := io.WriteString(c.dst, "QUIT\r\n")
	return err
}

// deadline starts or stops the wait for the next reply.
func (c *Conn) deadline(on bool) {
	d, ok := c.src.(interface{ SetReadDeadline(time.Time) error })
	if !ok || c.Timeout == 0 {
		return
	}
	var t time.Time
	if on {
		t = time.Now().Add(c.Timeout)
	}
	d.SetReadDeadline(t)
}

// readReplies hands the replies to those who wait for them.
func (c *Conn) readReplies() {
	for {
		reply, err := ReadReply(c.in)
		if err == nil {
			err = c.answer(reply)
		}
		if err != nil {
			c.fail(lost(err))
			return
		}
	}
}

// lost says in a person's words how a session ended.
func lost(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no reply in time: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("server closed the connection: %w", err)
	}
	return err
}

// fail ends the session: everybody who waits gets the error.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	for _, e := range c.queue {
		if e.kind == lastReply {
			e.t.end(err)
		}
	}
	c.queue = nil
	close(c.done)
}

// verdictOf is what a transaction's recipients get if the whole was refused.
func verdictOf(replies []smtp.Reply, refusal smtp.Reply) {
	for i := range replies {
		if replies[i].Code == 0 || replies[i].OK() {
			replies[i] = refusal
		}
	}
}
