package server

import (
	"strings"

	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
)

// Backend is what stands behind a session: it judges senders, recipients and
// messages. The engine has parsed and bounded all that it is handed, holds the
// protocol's order of commands, and writes the replies.
//
// A session calls its backend from one goroutine.
type Backend interface {
	// Mail judges a reverse-path and opens a transaction. A reply that is not
	// OK refuses it; then the transaction is not used. The zero Reply stands
	// for the engine's own "250 2.1.0".
	Mail(m *Mail) (Transaction, smtp.Reply)
}

// Transaction is one envelope and its message. The engine calls
//
//	Rcpt…  Begin  Write…  End      for a message that came whole and clean
//	Rcpt…  [Begin  Write…]  Abort  otherwise: RSET, a second EHLO, QUIT, a
//	                               message too large or not clean, a client
//	                               that is gone
//
// and nothing after End or Abort.
type Transaction interface {
	// Rcpt judges one forward-path. The zero Reply accepts it with the
	// engine's own text; a reply that is not OK refuses this recipient only.
	Rcpt(r *Rcpt) smtp.Reply

	// Begin is called before the first byte, with at least one recipient
	// accepted. A reply that is not OK refuses DATA, or the message as a whole
	// if it comes in chunks, whose bytes are then read and dropped. The zero
	// Reply goes on.
	Begin() smtp.Reply

	// Write takes the next piece of the message, with LF line ends. p is valid
	// during the call. After an error nothing more is written; the rest of the
	// message is read and dropped, and End is called as always: the reason
	// belongs into its verdict.
	Write(p []byte) (int, error)

	// End judges the message, which now has been written whole. It calls
	// verdict exactly once, before it returns or later from any goroutine, with
	// one reply; in LMTP with one for each accepted recipient, in order. With
	// an OK reply the message is the backend's for good.
	//
	// Until the verdict is in, the engine goes on: it opens the next
	// transactions, as far as the client sends them without waiting and
	// Config.InFlight allows. Replies always leave in the order of the
	// commands, each as soon as it is its turn, even if no input comes.
	End(verdict func(...smtp.Reply))

	// Abort drops the transaction and whatever was written.
	Abort()
}

// Mail is a MAIL command with its parameters.
type Mail struct {
	From  address.Address // the zero value is the null reverse-path
	Size  int64           // as declared, in bytes on the wire; -1 if not
	Body  string          // "7BIT", "8BITMIME", "BINARYMIME"; "" if not said
	UTF8  bool            // SMTPUTF8
	Ret   string          // DSN: "FULL", "HDRS" or ""
	EnvID string          // DSN: in xtext, as it came
	Auth  string          // AUTH: in xtext, as it came; "<>" for nobody; "" if not said

	Client *Client
}

// With is the word for the protocol in the message's Received line: Client.With,
// or what RFC 6531 section 4.3 has for a message with SMTPUTF8.
func (m *Mail) With() string {
	if !m.UTF8 {
		return m.Client.With
	}
	return "UTF8" + strings.TrimPrefix(m.Client.With, "E")
}

// Rcpt is a RCPT command with its parameters.
type Rcpt struct {
	To     address.Address // Domain is "" for <postmaster>
	Notify string          // DSN: "NEVER", or of "SUCCESS,FAILURE,DELAY" what was asked for, in this order; "" if not said
	ORcpt  string          // DSN: "rfc822;…", the address in xtext, as it came; "" if not said

	// DeliveryID and Again come with XDELIVERYID and XAGAIN, which only LMTP
	// with Config.DeliveryID knows: the base name for the Maildir, and that an
	// earlier attempt may have got so far as to use it.
	DeliveryID string
	Again      bool
}

// Client is what the session has learned of its client so far.
type Client struct {
	Helo  string // what it calls itself: a domain or an address literal
	Login string // whom it logged in as; "" if it did not
	With  string // the protocol for a Received line: "ESMTP", "ESMTPSA", "LMTP" (RFC 3848)
}
