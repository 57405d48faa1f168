package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// FuzzTree holds the scanner to its invariants, and to what a reading of the
// rules with the whole message at hand finds.
func FuzzTree(f *testing.F) {
	f.Add("Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b\r\nContent-Type: message/rfc822\n\nA: b\n\n\n--b--\nepi")
	f.Add("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nx\r\n--b\r\n\r\n\n--b--")
	f.Add("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b-1\n\n--b-1\n--b-1--\n--b--\n")
	f.Add("Content-Type: multipart/mixed; boundary=b--\n\n--b--\nContent-Type: multipart/mixed; boundary=b\n\n--b--\n--b----\n")
	f.Fuzz(func(t *testing.T, msg string) {
		tree := scanned(t, msg)
		checkInvariants(t, tree, msg)
		if len(tree.Parts) >= MaxDepth {
			return // the reading below knows no bounds
		}
		m := reading{msg: msg}
		if got, want := shape(tree, msg, 0), m.part(nil, false); got != want {
			t.Fatalf("%q:\nscanned %s\nread    %s", msg, got, want)
		}
	})
}

// reading reads a message by recursive descent, as the rules say it.
type reading struct {
	msg string
	pos int
	// behind is where the last line end begins that may belong to a delimiter.
	behind int
}

func (m *reading) line() string {
	l := m.msg[m.pos:]
	if i := strings.IndexByte(l, '\n'); i >= 0 {
		l = l[:i+1]
	}
	return l
}

func (m *reading) take() {
	l := m.line()
	m.pos += len(l)
	m.behind = m.pos - len(l) + len(strings.TrimSuffix(strings.TrimSuffix(l, "\n"), "\r"))
	if !strings.HasSuffix(l, "\n") {
		m.behind = m.pos
	}
}

// delimits reports which of the boundaries the next line is, from the innermost.
func (m *reading) delimits(open []string) (k int, last, ok bool) {
	l := strings.TrimSuffix(m.line(), "\n")
	if l != m.line() {
		l = strings.TrimSuffix(l, "\r")
	}
	if len(l) > maxDelimiter {
		return 0, false, false
	}
	l = strings.TrimRight(l, " \t")
	for k = len(open) - 1; k >= 0; k-- {
		if open[k] != "" && l == "--"+open[k] {
			return k, false, true
		}
		if open[k] != "" && l == "--"+open[k]+"--" {
			return k, true, true
		}
	}
	return 0, false, false
}

// part reads a part up to a delimiter of those open, and writes it down.
func (m *reading) part(open []string, digest bool) string {
	h := Header{limit: MaxField}
	contentType, has := "", false
	h.Field = func(f Field) {
		if f.Is("Content-Type") && !has {
			contentType, has = string(f.Value), true
		}
	}
	for m.pos < len(m.msg) && !h.Done() {
		if _, _, ok := m.delimits(open); ok {
			break
		}
		io.WriteString(&h, m.line())
		m.take()
	}
	h.Close()
	m.behind = m.pos // the line end before the body is the header's
	mt, ok := parseMediaType([]byte(contentType))
	name, kind := "text/plain", Leaf
	switch {
	case ok:
		name = contentType[mt.typeStart:mt.typeEnd] + "/" + contentType[mt.subtypeStart:mt.subtypeEnd]
		kind = containerOf([]byte(contentType[mt.typeStart:mt.typeEnd]), []byte(contentType[mt.subtypeStart:mt.subtypeEnd]))
	case !has && digest:
		name, kind = "message/rfc822", Message
	}
	body := m.pos
	switch kind {
	case Message:
		return name + "(" + m.part(open, false) + ")"
	case Multipart:
		b, _ := AppendParam(nil, []byte(contentType), "boundary", nil)
		b = bytes.TrimRight(b, " \t")
		var kids []string
		if len(b) > 0 && len(b) <= MaxBoundary {
			kids = m.multipart(open, string(b), strings.EqualFold(name, "multipart/digest") || strings.HasSuffix(strings.ToLower(name), "/digest"))
		} else {
			m.leaf(open)
		}
		if len(kids) > 0 {
			return name + "(" + strings.Join(kids, " ") + ")"
		}
		return fmt.Sprintf("text/plain(%q)", m.msg[body:max(body, m.behind)])
	}
	m.leaf(open)
	return fmt.Sprintf("%s(%q)", name, m.msg[body:max(body, m.behind)])
}

// leaf skips to a delimiter of those open, or to the end, where no line end is
// the delimiter's.
func (m *reading) leaf(open []string) {
	for m.pos < len(m.msg) {
		if _, _, ok := m.delimits(open); ok {
			return
		}
		m.take()
	}
	m.behind = m.pos
}

func (m *reading) multipart(open []string, boundary string, digest bool) (kids []string) {
	within := append(open[:len(open):len(open)], boundary)
	m.leaf(within)
	for m.pos < len(m.msg) {
		k, last, _ := m.delimits(within)
		if k < len(open) {
			return kids
		}
		m.take()
		if last {
			m.leaf(open)
			return kids
		}
		m.behind = m.pos
		kids = append(kids, m.part(within, digest))
	}
	return kids
}
