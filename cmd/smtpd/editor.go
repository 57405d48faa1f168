package main

import (
	"bytes"
	"io"
	"strings"

	"rohrpost/protocol/message"
)

// editor copies a message that a mail reader submits and mends its header on the
// way (RFC 6409 section 8): Bcc fields go, and what add returns comes in front
// of the empty line that ends the header. It holds no more of the message than
// the name of a field. What a field is, package message says.
type editor struct {
	dst io.Writer
	// add returns the lines to add, given the fields that are there.
	add func(seen fields) []byte

	seen    fields
	state   editState
	name    []byte // the start of a line, held until it is clear what it is
	dropped bool   // the line before went, so its continuations go
}

// fields says which of the fields that may be missing a header has.
type fields struct{ date, messageID bool }

type editState int

const (
	lineBegins editState = iota
	inName               // within what may be the name of a field
	keeping              // within a line that stays
	dropping             // within a line that goes
	inBody
)

// Write copies the next piece, which has LF line ends.
func (e *editor) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		used, err := e.step(p)
		if err != nil {
			return 0, err
		}
		p = p[used:]
	}
	return n, nil
}

// Close ends the message. One without a body gets its missing fields now.
func (e *editor) Close() error {
	if e.state == inBody {
		return nil
	}
	if err := e.release(); err != nil {
		return err
	}
	return e.put(e.add(e.seen))
}

// step takes one byte or more of p, or only finds out what begins here.
func (e *editor) step(p []byte) (used int, err error) {
	switch e.state {
	case lineBegins:
		return 0, e.begin(p[0])
	case inName:
		return e.readName(p)
	case inBody:
		return len(p), e.put(p)
	}
	n := bytes.IndexByte(p, '\n') + 1
	if n == 0 {
		n = len(p)
	}
	if e.state == keeping {
		err = e.put(p[:n])
	}
	if p[n-1] == '\n' {
		e.dropped = e.state == dropping
		e.state = lineBegins
	}
	return n, err
}

func (e *editor) begin(c byte) error {
	switch {
	case c == '\n':
		e.state = inBody
		return e.put(e.add(e.seen))
	case c != ' ' && c != '\t':
		e.state = inName
	case e.dropped:
		e.state = dropping
	default:
		e.state = keeping
	}
	return nil
}

// readName gathers the name of a field until its colon, or until it turns out
// not to be one.
func (e *editor) readName(p []byte) (used int, err error) {
	i := bytes.IndexAny(p, ":\n")
	if i < 0 {
		i = len(p)
	}
	if len(e.name)+i > message.MaxName || i < len(p) && p[i] == '\n' {
		e.state = keeping
		return 0, e.release()
	}
	e.name = append(e.name, p[:i]...)
	if i == len(p) {
		return i, nil
	}
	e.state = keeping
	switch strings.ToLower(string(bytes.TrimRight(e.name, " \t"))) {
	case "bcc", "resent-bcc":
		e.name = e.name[:0]
		e.state = dropping
		return i, nil
	case "date":
		e.seen.date = true
	case "message-id":
		e.seen.messageID = true
	}
	return i, e.release()
}

// release writes what was held.
func (e *editor) release() error {
	err := e.put(e.name)
	e.name = e.name[:0]
	return err
}

func (e *editor) put(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := e.dst.Write(p)
	return err
}

// missingFields are the lines that a submitted message lacks.
func (in *incoming) missingFields(seen fields) []byte {
	var b []byte
	if !seen.date {
		b = append(b, "Date: "...)
		b = append(in.b.now().AppendFormat(b, dateFormat), '\n')
	}
	if !seen.messageID {
		b = append(b, "Message-ID: <"...)
		b = append(b, in.sink.ID()...)
		b = append(b, '@')
		b = append(b, in.b.set.me...)
		b = append(b, ">\n"...)
	}
	return b
}
