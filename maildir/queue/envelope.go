package queue

import (
	"fmt"
	"strings"
	"time"
)

// The bounds of an envelope block. What is larger is no entry of ours.
const (
	// MaxRecipients bounds the recipients of one entry. smtpd takes at most
	// maxrecipients (1,000); an alias may have more members than that.
	MaxRecipients = 20_000
	maxBlock      = 8 << 20 // bytes, with the blank line
	maxLine       = 4096    // bytes of one line, without LF
)

// Envelope is what goes with a message: where it came from, where it is to go,
// and what the client asked for. Addresses are in the form of the wire without
// angle brackets (the local part quoted where it must be, the domain as
// A-label); parameters are in the form of the wire too (xtext).
type Envelope struct {
	Sender     string // "" is the null reverse-path
	Recipients []Recipient
	Ret        string // FULL, HDRS or ""
	EnvID      string // RFC 3461 section 4.4
	Body       string // 7BIT, 8BITMIME, BINARYMIME or ""
	UTF8       bool   // SMTPUTF8 was asked for (RFC 6531)
	Auth       string // RFC 4954 section 5; "<>" or ""
	Arrived    time.Time
	// Client says whom the message came from, for people and reports.
	Client string
}

// Recipient is one forward-path with its parameters (RFC 3461 sections 4.1, 4.2).
type Recipient struct {
	Address string
	ORcpt   string // "rfc822;" and an address in xtext, or ""
	Notify  string // NEVER, or a list of SUCCESS, FAILURE, DELAY, or ""
}

// Notifies reports whether the sender asked to hear of this: "SUCCESS",
// "FAILURE" or "DELAY". Without NOTIFY that is failure and delay.
func (r Recipient) Notifies(of string) bool {
	if r.Notify == "" {
		return of != "SUCCESS"
	}
	for _, word := range strings.Split(r.Notify, ",") {
		if strings.EqualFold(word, of) {
			return true
		}
	}
	return false
}

// EnvelopeError is an envelope that the file format cannot hold, or a file that
// does not hold one.
type EnvelopeError struct{ What string }

func (e *EnvelopeError) Error() string { return "envelope: " + e.What }

func badEnvelope(format string, args ...any) error {
	return &EnvelopeError{fmt.Sprintf(format, args...)}
}

// The envelope block, version 1. Header syntax, one field a line, none folded,
// LF line ends, then a blank line:
//
//	Return-Path: <ann@example.org> RET=HDRS ENVID=QQ314159 BODY=8BITMIME
//	Recipient: <bob@example.net> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Bob@example.net
//	Recipient: <"carol c"@example.com>
//	Arrival-Date: Fri, 02 Jan 2026 03:04:05 +0000
//	Client: mail.example.org [192.0.2.7]
//
// Return-Path comes first and once, as MAIL has it: path and parameters. Then
// one Recipient for each RCPT, in order: the first is number 1. Then
// Arrival-Date, once, and Client, which may be missing. No octet below space
// and no DEL is ever in a value, whatever a client sends, so a value cannot add
// a line. Fields that are not known make the block unreadable: a later version
// may mean something by them.

const (
	fieldReturnPath = "Return-Path: "
	fieldRecipient  = "Recipient: "
	fieldArrival    = "Arrival-Date: "
	fieldClient     = "Client: "
)

// dateFormat is RFC 5322's date-time, always in UTC.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// encode is the envelope block with its blank line.
func (e *Envelope) encode() ([]byte, error) {
	if e.Arrived.IsZero() {
		e.Arrived = time.Now()
	}
	switch n := len(e.Recipients); {
	case n == 0:
		return nil, badEnvelope("no recipient")
	case n > MaxRecipients:
		return nil, badEnvelope("%d recipients, more than %d", n, MaxRecipients)
	case !validArrival(e.Arrived):
		return nil, badEnvelope("arrival in the year %d", e.Arrived.Year())
	}
	w := blockWriter{b: make([]byte, 0, 256)}
	w.path(fieldReturnPath, e.Sender)
	w.param("RET", e.Ret)
	w.param("ENVID", e.EnvID)
	w.param("BODY", e.Body)
	if e.UTF8 {
		w.b = append(w.b, " SMTPUTF8"...)
	}
	w.param("AUTH", e.Auth)
	w.end()
	for _, r := range e.Recipients {
		w.path(fieldRecipient, r.Address)
		w.param("NOTIFY", r.Notify)
		w.param("ORCPT", r.ORcpt)
		w.end()
	}
	w.b = append(w.b, fieldArrival...)
	w.b = e.Arrived.UTC().AppendFormat(w.b, dateFormat)
	w.end()
	if e.Client != "" {
		w.b = append(w.b, fieldClient...)
		w.text(e.Client)
		w.end()
	}
	w.b = append(w.b, '\n')
	if w.err == nil && len(w.b) > maxBlock {
		w.err = badEnvelope("larger than %d bytes", maxBlock)
	}
	return w.b, w.err
}

// blockWriter appends lines; the first error sticks.
type blockWriter struct {
	b    []byte
	line int // where the current line begins
	err  error
}

func (w *blockWriter) path(field, address string) {
	w.b = append(w.b, field...)
	w.b = append(w.b, '<')
	w.text(address)
	w.b = append(w.b, '>')
	if n, ok := pathEnd(string(w.b[w.line+len(field):])); w.err == nil && (!ok || n != len(address)+2) {
		w.err = badEnvelope("address %q would end early", address)
	}
}

func (w *blockWriter) param(name, value string) {
	if value == "" {
		return
	}
	if w.err == nil && strings.IndexByte(value, ' ') >= 0 {
		w.err = badEnvelope("a space in %s=%q", name, value)
	}
	w.b = append(w.b, ' ')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=')
	w.text(value)
}

func (w *blockWriter) text(s string) {
	if i := controlByte(s); i >= 0 && w.err == nil {
		w.err = badEnvelope("control byte %#02x in %q", s[i], s)
	}
	w.b = append(w.b, s...)
}

func (w *blockWriter) end() {
	if w.err == nil && len(w.b)-w.line > maxLine {
		w.err = badEnvelope("a line of %d bytes", len(w.b)-w.line)
	}
	w.b = append(w.b, '\n')
	w.line = len(w.b)
}

// controlByte is the index of the first octet below space or DEL, else -1.
func controlByte(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return i
		}
	}
	return -1
}

// pathEnd is the length of the path at the start of s, with both brackets. A
// bracket in a quoted string does not end it (RFC 5321 section 4.1.2).
func pathEnd(s string) (int, bool) {
	if s == "" || s[0] != '<' {
		return 0, false
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == '>' && !quoted:
			return i + 1, true
		case (c == '<' || c == ' ') && !quoted:
			return 0, false
		}
	}
	return 0, false
}
