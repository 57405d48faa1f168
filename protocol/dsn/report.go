// Package dsn writes delivery status notifications: multipart/report messages
// (RFC 3462) with a message/delivery-status part (RFC 3464), and addresses of
// RFC 6533 in their 7-bit form.
//
// Everything that comes from elsewhere, a server's reply, an address, the message
// itself, is made harmless here: it cannot add a field, a line or a part.
// Whether a report is due, and to whom, is the caller's business.
//
// Start reading at Report.Write.
package dsn

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"rohrpost/protocol/smtp"
)

// Action is what happened to a recipient (RFC 3464 section 2.3.3).
type Action string

// The actions that we report.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed"
	Delivered Action = "delivered"
	Relayed   Action = "relayed"
	Expanded  Action = "expanded"
)

// Report is one notification: recipients of one message with one action. Text
// comes as it is; Write makes it fit.
type Report struct {
	ID      string // unique; becomes part of the Message-ID
	Host    string // this host, the Reporting-MTA
	To      string // the sender of the message, as on the wire
	Date    time.Time
	Arrived time.Time // when the message came
	EnvID   string    // xtext as it came, or ""
	Action  Action
	Rcpts   []Rcpt
	// Full returns the whole message, if it is small enough, and not only its
	// header. Only reports of failure do so (RFC 3461 section 6.2).
	Full bool
}

// Rcpt is one recipient of the message.
type Rcpt struct {
	Address   string // as on the wire
	ORcpt     string // "rfc822;" and xtext as it came, or ""
	Reply     smtp.Reply
	LastTry   time.Time // zero: not told
	GivenUpAt time.Time // for a delay: when it will be given up
}

// dateFormat is RFC 5322's date-time.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// Write writes the report about the message msg, with LF line ends. It reads at
// most MaxReturned bytes of msg.
func (r *Report) Write(w io.Writer, msg io.Reader) error {
	returned, err := read(msg, r.Full && r.Action == Failed)
	if err != nil {
		return err
	}
	explanation, status := r.explain(), r.status()
	boundary := boundaryFor(r.ID, explanation, status, returned.text)
	b := bufio.NewWriter(w)
	r.header(b, boundary, returned.eightBit || !ascii(explanation))
	part(b, boundary, "text/plain; charset="+charset(explanation), transfer(!ascii(explanation)), explanation)
	part(b, boundary, "message/delivery-status", "", status)
	part(b, boundary, returned.mediaType(), transfer(returned.eightBit), returned.text)
	fmt.Fprintf(b, "--%s--\n", boundary)
	return b.Flush()
}

// subjects are for people; programs read the second part.
var subjects = map[Action]string{
	Failed:    "Mail could not be delivered",
	Delayed:   "Mail is delayed",
	Delivered: "Mail was delivered",
	Relayed:   "Mail was passed on",
	Expanded:  "Mail was sent to the members of a list",
}

func (r *Report) header(w io.Writer, boundary string, eightBit bool) {
	field(w, "From", "Mail system <mailer-daemon@"+plain(r.Host)+">")
	field(w, "To", "<"+line(r.To)+">")
	field(w, "Subject", subjects[r.Action])
	field(w, "Date", r.Date.Format(dateFormat))
	field(w, "Message-ID", "<"+plain(r.ID)+"@"+plain(r.Host)+">")
	field(w, "Auto-Submitted", "auto-replied") // RFC 3834: nobody answers this
	field(w, "MIME-Version", "1.0")
	field(w, "Content-Type", "multipart/report; report-type=delivery-status;\n\tboundary=\""+boundary+"\"")
	if eightBit {
		field(w, "Content-Transfer-Encoding", "8bit")
	}
	io.WriteString(w, "\nThis is a delivery status notification in MIME format.\n\n")
}

func part(w io.Writer, boundary, mediaType, encoding, text string) {
	fmt.Fprintf(w, "--%s\nContent-Type: %s\n", boundary, mediaType)
	if encoding != "" {
		field(w, "Content-Transfer-Encoding", encoding)
	}
	io.WriteString(w, "\n"+text)
	if text == "" || text[len(text)-1] != '\n' {
		io.WriteString(w, "\n")
	}
	io.WriteString(w, "\n")
}

func field(w io.Writer, name, value string) { fmt.Fprintf(w, "%s: %s\n", name, value) }

func transfer(eightBit bool) string {
	if eightBit {
		return "8bit"
	}
	return ""
}

func charset(text string) string {
	if ascii(text) {
		return "us-ascii"
	}
	return "utf-8"
}

// maxBase is how much of the ID becomes part of the boundary, which RFC 2046
// section 5.1.1 allows 70 characters.
const maxBase = 55

// boundaryFor is a line that none of the parts has in it. They are bounded, so
// there is one.
func boundaryFor(id string, parts ...string) string {
	base := "=_" + plain(id)
	base = base[:min(len(base), maxBase)] + "."
	for n := 0; ; n++ {
		boundary := base + strconv.Itoa(n)
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, boundary) }) {
			return boundary
		}
	}
}
