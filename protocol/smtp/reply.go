// Package smtp is what the two sides of SMTP and LMTP share: replies, the way a
// message is written on the wire, and the encodings of parameters (RFC 5321, RFC
// 2033, RFC 2034, RFC 3030, RFC 3461). The sides themselves are the packages
// server and client below it.
//
// Start reading at Reply for commands and at Decoder for messages.
package smtp

import (
	"strconv"
	"strings"
)

// Reply is a server's answer to one command.
type Reply struct {
	Code     int    // 200 to 599
	Enhanced string // the code of RFC 3463, as "5.1.1"; "" if there is none
	Text     string // for people; lines are separated by \n
}

// OK reports whether the command was done or, for DATA, may go on.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 400 }

// Temporary reports whether trying again later can help.
func (r Reply) Temporary() bool { return r.Code >= 400 && r.Code < 500 }

// Permanent reports whether trying again cannot help.
func (r Reply) Permanent() bool { return r.Code >= 500 }

// String is the reply in one line, as logs and reports show it.
func (r Reply) String() string {
	s := strconv.Itoa(r.Code)
	if r.Enhanced != "" {
		s += " " + r.Enhanced
	}
	if r.Text != "" {
		s += " " + strings.ReplaceAll(r.Text, "\n", " ")
	}
	return s
}

// Append appends the reply as it goes over the wire: each line with the code and
// the enhanced code in front.
func (r Reply) Append(b []byte) []byte {
	for text, more := r.Text, true; more; {
		var l string
		l, text, more = strings.Cut(text, "\n")
		b = strconv.AppendInt(b, int64(r.Code), 10)
		if more {
			b = append(b, '-')
		} else {
			b = append(b, ' ')
		}
		if r.Enhanced != "" {
			b = append(append(b, r.Enhanced...), ' ')
		}
		b = append(append(b, l...), '\r', '\n')
	}
	return b
}
