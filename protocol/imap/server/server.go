// Package server is the server's side of IMAP4rev1 (RFC 3501) and IMAP4rev2
// (RFC 9051) over one connection, and of the extensions that the list in
// extension.go names. It serves one Maildir and its folders.
//
// A session has two halves, which may be two programs one after the other:
// Authorization speaks with a stranger until he has proved who he is and never
// reads a byte further than that; Session serves the mailboxes to their owner.
//
// Invariants of a Session:
//  1. A sequence number that the client holds means the same message until the
//     client is told EXPUNGE or VANISHED.
//  2. Neither is told within FETCH, STORE, SEARCH and their like by sequence
//     number, nor when no command is in progress (RFC 9051 section 7.5.1).
//  3. A command is parsed to its CRLF before anything of it is done; APPEND, whose
//     messages stream, does nothing that shows before then.
//  4. OK is said when what was asked for is done, and as durable as
//     rohrpost-imapd(8) says.
//  5. No lock is held while the client is waited for, to read or to write.
//  6. A literal is as long as was announced, or the connection is cut.
//  7. Replies hold nothing of why we failed; the log does.
//
// Start reading at commands in command.go, then Session.Serve.
package server

import (
	"errors"
	"io"
	"time"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
)

// Conn is the peer. ReadLineBytes reads like Read, but never past an LF.
// WaitReadable waits until there is something to read, the descriptor other (-1 for
// none) is readable, or a time has passed, and reports whether it was the first.
type Conn interface {
	io.ReadWriter
	ReadLineBytes(p []byte) (int, error)
	WaitReadable(other int, timeout time.Duration) (own bool, err error)
}

// Log takes events: a word, and keys and values in turn.
type Log func(event string, pairs ...any)

// conversation is what both halves have: one reader, one writer, one decoder.
type conversation struct {
	r *line.Reader
	w *imap.Encoder
	d *imap.Decoder
}

func newConversation(c Conn, lim imap.Limits) conversation {
	t := conversation{r: line.NewReader(c, lim.Line+2), w: &imap.Encoder{Writer: line.NewWriter(c)}}
	// Answers gather as long as there are commands to work on.
	t.r.BeforeFill = t.w.Flush
	t.d = imap.NewDecoder(t.r, lim, t.resume)
	return t
}

// resume asks the client to go on.
func (t *conversation) resume(text string) error {
	t.w.Resume(text)
	return t.w.Flush()
}

// reply is how a command ends: a tagged status response. The zero reply says that
// it has been answered, or will be.
type reply struct {
	condition imap.Condition
	code      imap.Code
	text      string
}

func ok(text string) reply                     { return reply{imap.OK, "", text} }
func okCode(code imap.Code, text string) reply { return reply{imap.OK, code, text} }
func no(code imap.Code, text string) reply     { return reply{imap.NO, code, text} }
func bad(text string) reply                    { return reply{imap.BAD, "", text} }

// say writes a status response; an empty tag makes it untagged.
func (t *conversation) say(tag string, r reply) { t.w.Tagged(tag, r.condition, r.code, r.text) }

func (t *conversation) bye(code imap.Code, text string) { t.w.Untagged(imap.BYE, code, text) }

// complain answers what could not be understood, and returns nil if the session
// can go on.
func (t *conversation) complain(err error) error {
	var syntax *imap.SyntaxError
	if errors.As(err, &syntax) {
		t.w.Tagged(syntax.Tag, imap.BAD, syntax.Code, syntax.Text)
		return nil
	}
	var bye *imap.Bye
	if errors.As(err, &bye) {
		t.bye(bye.Code, bye.Text)
	}
	return err
}
