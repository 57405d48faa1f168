package client

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"rohrpost/protocol/smtp"
)

// chunk is how much of a message goes into one chunk, in bytes as stored. A
// message that is not larger is one chunk and one write.
const chunk = 64 << 10

// Transaction is one message on its way.
type Transaction struct {
	Sender     string // as it stands between the angle brackets
	Params     string // of MAIL, separated by spaces, or ""
	Recipients []Recipient
	Message    io.Reader // LF line ends; read to its end
}

// Recipient is one forward-path.
type Recipient struct {
	Address string // as it stands between the angle brackets
	Params  string // of RCPT, or ""
}

// ErrSource is a message that could not be read to its end. The server has not
// taken it; the session goes on.
var ErrSource = errors.New("message cannot be read")

// sending is a transaction in flight.
type sending struct {
	replies  []smtp.Reply // verdicts, one for each recipient
	refused  smtp.Reply   // of MAIL or of a chunk; Code 0 if neither was
	next     int          // the recipient whose verdict comes next, after the last chunk
	err      error
	finished chan struct{}
}

func (t *sending) end(err error) {
	t.err = err
	close(t.finished)
}

// buffers holds what a transaction needs to be written.
type buffers struct{ commands, text, out []byte }

var pool = sync.Pool{New: func() any { return &buffers{text: make([]byte, chunk)} }}

// Send sends a message and waits for the verdicts, one for each recipient.
// Transactions of other goroutines may be on their way at the same time. An
// error means that there is no verdict: the server may have taken the message or
// not. Err tells whether the session still lives.
func (c *Conn) Send(t Transaction) ([]smtp.Reply, error) {
	s := &sending{replies: make([]smtp.Reply, len(t.Recipients)), finished: make(chan struct{})}
	if err := c.write(s, t); err != nil {
		return nil, err
	}
	<-s.finished
	return s.replies, s.err
}

// write writes a transaction.
func (c *Conn) write(s *sending, t Transaction) error {
	b := pool.Get().(*buffers)
	defer pool.Put(b)
	b.commands = appendCommands(b.commands[:0], t)
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.expectCommands(s); err != nil {
		return err
	}
	var enc smtp.Encoder
	for {
		n, err := fill(t.Message, b.text)
		last := err == io.EOF
		if err != nil && !last {
			return c.abandon(s, b, err)
		}
		// A message of exactly one chunk gets a second, empty one, which is legal.
		if err := c.writeChunk(s, b, &enc, b.text[:n], last); err != nil || last {
			return err
		}
	}
}

func appendCommands(b []byte, t Transaction) []byte {
	b = appendCommand(b, "MAIL FROM:<", t.Sender, t.Params)
	for _, r := range t.Recipients {
		b = appendCommand(b, "RCPT TO:<", r.Address, r.Params)
	}
	return b
}

func appendCommand(b []byte, verb, path, params string) []byte {
	b = append(b, verb...)
	b = append(b, path...)
	b = append(b, '>')
	if params != "" {
		b = append(b, ' ')
		b = append(b, params...)
	}
	return append(b, '\r', '\n')
}

// maxBDAT is the length of the longest BDAT command that we write.
const maxBDAT = len("BDAT 1234567890 LAST\r\n")

// writeChunk writes what is in commands, then a chunk, in one write: the text is
// encoded first, since its size stands before it.
func (c *Conn) writeChunk(s *sending, b *buffers, enc *smtp.Encoder, text []byte, last bool) error {
	room := len(b.commands) + maxBDAT
	if cap(b.out) < room {
		b.out = make([]byte, room, room+chunk+chunk/16)
	}
	b.out = enc.Append(b.out[:room], text)
	kind := chunkReply
	b.commands = append(b.commands, "BDAT "...)
	b.commands = strconv.AppendInt(b.commands, int64(len(b.out)-room), 10)
	if last {
		kind = lastReply
		b.commands = append(b.commands, " LAST"...)
	}
	b.commands = append(b.commands, '\r', '\n')
	start := room - len(b.commands)
	copy(b.out[start:], b.commands)
	b.commands = b.commands[:0]
	if err := c.expect(expected{kind, s}); err != nil {
		return err
	}
	return c.put(b.out[start:])
}

// put writes, and ends the session if that fails.
func (c *Conn) put(p []byte) error {
	_, err := c.dst.Write(p)
	if err != nil {
		err = fmt.Errorf("server closed the connection: %w", err)
		c.fail(err)
	}
	return err
}

// abandon takes back a transaction whose message cannot be read: RSET drops the
// chunks that were sent (RFC 3030 section 2).
func (c *Conn) abandon(s *sending, b *buffers, cause error) error {
	if err := c.expect(expected{resetReply, s}); err != nil {
		return err
	}
	if err := c.put(append(b.commands, "RSET\r\n"...)); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSource, cause)
}

// fill reads until p is full or r ends, which is io.EOF. Unlike io.ReadFull it
// keeps the io.ErrUnexpectedEOF of a source that was cut short apart from the
// end of a message.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}
