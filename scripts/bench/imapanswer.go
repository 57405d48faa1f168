package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// An answer is what came back for one command. It is counted, not kept.
type answer struct {
	found    int   // responses FETCH, EXPUNGE, LIST and STATUS; numbers in SEARCH, SORT and THREAD
	exists   int   // messages in the mailbox by EXISTS, or the sum of MESSAGES in STATUS
	literals int64 // octets in literals
	octets   int64 // octets in all
}

// hear reads the answer to the oldest command that waits for one.
func (c *imapConn) hear() answer {
	var a answer
	c.heard++
	tag := fmt.Appendf(nil, "a%d ", c.heard)
	for c.err == nil {
		line := c.response(&a)
		if status, ok := bytes.CutPrefix(line, tag); ok {
			if !bytes.HasPrefix(status, []byte("OK")) {
				c.err = refusal{c.sent[c.heard-1], string(line)}
			}
			break
		}
	}
	return a
}

// response reads one response with its literals into a, and returns it if it is
// one line that fits into the buffer; it is overwritten by the next read.
func (c *imapConn) response(a *answer) []byte {
	line, more := c.part(a)
	numbers := len(line) > 2 && line[0] == '*' && c.untagged(a, line[2:])
	if !more {
		if numbers {
			a.found += countNumbers(line, 0)
		}
		return line
	}
	for last := byte(0); ; line, more = c.part(a) {
		if numbers {
			a.found += countNumbers(line, last)
			last = lastByte(line)
		}
		if !more || c.err != nil {
			return nil
		}
	}
}

// part reads to the end of a line or to that of the buffer, and past a literal
// if the line announces one. More says that the response goes on.
func (c *imapConn) part(a *answer) (part []byte, more bool) {
	if c.err != nil {
		return nil, false
	}
	part, err := c.in.ReadSlice('\n')
	a.octets += int64(len(part))
	if err == bufio.ErrBufferFull {
		return part, true
	}
	if err != nil {
		c.err = fmt.Errorf("waiting for a response: %w", err)
		return nil, false
	}
	n := literalSize(part)
	if n < 0 {
		return part, false
	}
	part = bytes.Clone(part[:min(len(part), 64)]) // reading the literal may overwrite it
	_, c.err = io.CopyN(io.Discard, c.in, n)
	a.literals += n
	a.octets += n
	return part, true
}

// untagged counts a response, given without its star. It reports whether the
// numbers in it are to be counted.
func (c *imapConn) untagged(a *answer, line []byte) (numbers bool) {
	word, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
	n, err := strconv.Atoi(string(word))
	if err == nil {
		word, _, _ = bytes.Cut(rest, []byte(" "))
	}
	switch string(word) {
	case "SEARCH", "SORT", "THREAD":
		return true
	case "FETCH", "EXPUNGE", "LIST":
		a.found++
	case "EXISTS":
		a.exists = n
	case "STATUS":
		a.found++
		_, after, _ := bytes.Cut(rest, []byte("MESSAGES "))
		digits, _, _ := bytes.Cut(after, []byte(" "))
		n, _ := strconv.Atoi(string(bytes.TrimRight(digits, ")")))
		a.exists += n
	case "CAPABILITY":
		c.capabilities = " " + string(rest)
	}
	return false
}

// literalSize is the size that the end of a line announces, or -1.
func literalSize(line []byte) int64 {
	line = bytes.TrimRight(line, "\r\n")
	open := bytes.LastIndexByte(line, '{')
	if open < 0 || line[len(line)-1] != '}' {
		return -1
	}
	n, err := strconv.ParseInt(string(line[open+1:len(line)-1]), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func lastByte(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[len(b)-1]
}

// countNumbers is how many numbers begin in b; before is the byte before b.
func countNumbers(b []byte, before byte) (n int) {
	for _, x := range b {
		if isDigit(x) && !isDigit(before) {
			n++
		}
		before = x
	}
	return n
}
