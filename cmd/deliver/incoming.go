package main

import "io"

// incoming is the message of a single delivery on its way in.
type incoming struct {
	in                      io.Reader
	returnPath, deliveredTo string
	trace                   *trace
	buf                     []byte // the piece read last
	ended                   bool
	size                    int64 // read so far, in bytes
}

func newIncoming(in io.Reader, env envelope) *incoming {
	m := &incoming{in: in}
	m.returnPath, m.deliveredTo = env.lines()
	m.trace = newTrace(addressIn(m.deliveredTo))
	return m
}

// begin reads the first piece.
func (m *incoming) begin() error {
	m.buf = make([]byte, firstPiece)
	return m.next()
}

// next reads until the buffer is full or the message has ended.
func (m *incoming) next() error {
	n, err := io.ReadFull(m.in, m.buf[:firstPiece])
	m.buf = m.buf[:n]
	m.size += int64(n)
	m.trace.Write(m.buf)
	switch err {
	case nil:
		return nil
	case io.EOF, io.ErrUnexpectedEOF:
		m.ended = true
		return m.trace.Close()
	}
	return incomplete.because("read standard input: %w", err)
}

// writeTo writes our header lines and the whole message to w.
func (m *incoming) writeTo(w io.Writer) error {
	head := m.trace.prologue(m.buf, 0, m.returnPath, m.deliveredTo)
	if _, err := w.Write(append(head, m.buf...)); err != nil {
		return err
	}
	for !m.ended {
		if err := m.next(); err != nil {
			return err
		}
		if _, err := w.Write(m.buf); err != nil {
			return err
		}
	}
	return nil
}
