package client

import (
	"errors"
	"fmt"
	"strings"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
)

// Bounds of a reply. RFC 5321 section 4.5.3.1.5 has 512 bytes a line; some
// servers explain themselves at greater length, which is read and cut.
const (
	maxReplyLine  = 2000 // bytes read of a line
	maxReplyKept  = 512  // bytes kept of it
	maxReplyLines = 100
)

// ErrReply is a reply that breaks the protocol. The connection cannot be used
// any further: nobody knows which command the next line answers.
var ErrReply = errors.New("malformed reply")

// ReadReply reads one reply (RFC 5321 section 4.2). Its text has no control
// characters but the \n between its lines, whatever the server sent. An error
// that wraps ErrReply means that the server does not speak SMTP.
func ReadReply(r *line.Reader) (smtp.Reply, error) {
	var reply smtp.Reply
	var text strings.Builder
	for n := 1; ; n++ {
		l, err := r.ReadLine(maxReplyLine)
		if errors.Is(err, line.ErrTooLong) || errors.Is(err, line.ErrFlood) {
			return reply, fmt.Errorf("%w: a line of more than %d bytes", ErrReply, maxReplyLine)
		}
		if err != nil {
			return reply, err
		}
		code, more, rest, err := splitReply(l)
		switch {
		case err != nil:
			return reply, err
		case n > 1 && code != reply.Code:
			return reply, fmt.Errorf("%w: %d after %d in one reply", ErrReply, code, reply.Code)
		case n > maxReplyLines:
			return reply, fmt.Errorf("%w: more than %d lines", ErrReply, maxReplyLines)
		case n > 1:
			text.WriteByte('\n')
		}
		enhanced, rest := cutEnhanced(code, rest)
		if n == 1 {
			reply.Code, reply.Enhanced = code, enhanced
		}
		text.WriteString(printable(rest))
		if !more {
			reply.Text = text.String()
			return reply, nil
		}
	}
}

// splitReply takes one line apart: code, whether more lines follow, text.
func splitReply(l []byte) (code int, more bool, text string, err error) {
	if len(l) < 3 || l[0] < '2' || l[0] > '5' || !digit(l[1]) || !digit(l[2]) {
		return 0, false, "", fmt.Errorf("%w: %.40q", ErrReply, l)
	}
	code = int(l[0]-'0')*100 + int(l[1]-'0')*10 + int(l[2]-'0')
	if len(l) == 3 { // QUIRK: RFC 5321 asks for a space here; RFC 821 did not
		return code, false, "", nil
	}
	if l[3] != ' ' && l[3] != '-' {
		return 0, false, "", fmt.Errorf("%w: %.40q", ErrReply, l)
	}
	return code, l[3] == '-', string(l[4:min(len(l), maxReplyKept)]), nil
}

// cutEnhanced takes the enhanced status code off a text (RFC 2034 section 3).
// One of another class than the reply's is text.
func cutEnhanced(code int, text string) (enhanced, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	if !isEnhanced(word) || int(word[0]-'0') != code/100 {
		return "", text
	}
	return word, rest
}

// isEnhanced holds for "class.subject.detail" (RFC 3463 section 2).
func isEnhanced(s string) bool {
	if len(s) < 5 || s[1] != '.' || s[0] != '2' && s[0] != '4' && s[0] != '5' {
		return false
	}
	subject, detail, ok := strings.Cut(s[2:], ".")
	return ok && upTo999(subject) && upTo999(detail)
}

func upTo999(s string) bool {
	if len(s) < 1 || len(s) > 3 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// printable replaces control characters by spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
