package main

import (
	"bytes"
	"strings"

	"rohrpost/protocol/message"
)

// maxHops is the number of Received lines at which a message counts as going
// round in circles (DESIGN section 8; smtpd stops at 50).
const maxHops = 100

// trace is what a message tells about its way so far, read from its header as
// it streams by.
//
// The topmost Received line parts it. Above it is what the MTA added that calls
// us: a Return-Path or our own Delivered-To there is not written again. Below it
// is the past: our own Delivered-To there says that the message has been here.
type trace struct {
	header     message.Header
	hops       int
	returnPath bool // above the topmost Received
	marks      []mark
}

// mark is one recipient's own Delivered-To, and where it was seen.
type mark struct {
	address      string
	above, below bool
}

// newTrace returns a trace that looks out for these recipients, as their
// Delivered-To lines name them.
func newTrace(recipients ...string) *trace {
	t := &trace{marks: make([]mark, len(recipients))}
	for i, r := range recipients {
		t.marks[i].address = r
	}
	t.header.Field = t.field
	return t
}

// Write looks at the next piece of the message.
func (t *trace) Write(p []byte) (int, error) { return t.header.Write(p) }

// Close says that the message has ended.
func (t *trace) Close() error { return t.header.Close() }

func (t *trace) field(f message.Field) {
	switch {
	case f.Is("Received"):
		t.hops++
	case f.Is("Return-Path"):
		t.returnPath = t.returnPath || t.hops == 0
	case f.Is("Delivered-To"):
		t.mark(string(f.Value))
	}
}

func (t *trace) mark(address string) {
	for i := range t.marks {
		m := &t.marks[i]
		if m.address == "" || !strings.EqualFold(m.address, address) {
			continue
		}
		m.above = m.above || t.hops == 0
		m.below = m.below || t.hops > 0
	}
}

// refusal says why recipient i must not get the message, or nil. It knows all
// once the header is over.
func (t *trace) refusal(i int) error {
	switch {
	case t.marks[i].below:
		return mailLoop.because("it has been delivered to %s before", t.marks[i].address)
	case t.hops >= maxHops:
		return mailLoop.because("it carries %d Received lines, %d are too many", t.hops, maxHops)
	}
	return nil
}

// addressIn is the address that a Delivered-To line names, or "".
func addressIn(line string) string {
	_, address, _ := strings.Cut(line, ":")
	return strings.Trim(address, " \t")
}

// prologue is what goes in front of a message that begins with first: our header
// lines, in the line-end style of its first line, unless the calling MTA has
// already written them, and what keeps them apart from a beginning that is no
// header. The message itself follows byte for byte.
func (t *trace) prologue(first []byte, i int, returnPath, deliveredTo string) []byte {
	var b []byte
	eol := lineEnd(first)
	if returnPath != "" && !t.returnPath {
		b = append(append(b, returnPath...), eol...)
	}
	if deliveredTo != "" && !t.marks[i].above {
		b = append(append(b, deliveredTo...), eol...)
	}
	return append(b, joint(first, eol, len(b) > 0)...)
}

// joint is what stands between our lines and a message that does not begin with
// a header field.
//
// The "From " line of an mbox file becomes the value of a field, as Postfix
// does it: dropping it would lose bytes, and left alone it would be a line in
// the header that is no field. A message whose first line is neither a field
// nor empty has no header: an empty line keeps all of it in the body, so that
// nothing of it becomes a header by accident or continues our own last line.
func joint(first []byte, eol string, ours bool) string {
	switch {
	case isPostmark(first):
		return "X-Mailbox-Line: "
	case !ours || len(first) == 0 || startsEmpty(first) || message.FirstIsField(first):
		return ""
	}
	return eol
}

// isPostmark reports whether a message begins with the line that parts the
// messages of an mbox file, perhaps quoted.
func isPostmark(first []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(first[:min(len(first), 64)], ">"), []byte("From "))
}

func startsEmpty(first []byte) bool {
	return first[0] == '\n' || bytes.HasPrefix(first, []byte("\r\n"))
}

// lineEnd is how the first line of the message ends. One without an end in the
// first piece gets LF, which is how lines end at rest.
func lineEnd(first []byte) string {
	if i := bytes.IndexByte(first, '\n'); i > 0 && first[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
