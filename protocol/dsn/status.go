package dsn

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"rohrpost/protocol/smtp"
)

// status is the part for programs (RFC 3464 section 2).
func (r *Report) status() string {
	var b strings.Builder
	field(&b, "Reporting-MTA", "dns; "+plain(r.Host))
	if id, err := smtp.DecodeXtext(r.EnvID); err == nil && id != "" {
		field(&b, "Original-Envelope-Id", line(id))
	}
	if !r.Arrived.IsZero() {
		field(&b, "Arrival-Date", r.Arrived.Format(dateFormat))
	}
	for i := range r.Rcpts {
		b.WriteByte('\n')
		r.recipient(&b, &r.Rcpts[i])
	}
	return b.String()
}

// recipient is the group of fields of one recipient.
func (r *Report) recipient(b *strings.Builder, to *Rcpt) {
	if original := originalRecipient(to.ORcpt); original != "" {
		field(b, "Original-Recipient", original)
	}
	field(b, "Final-Recipient", typed(to.Address))
	field(b, "Action", string(r.Action))
	field(b, "Status", r.code(to.Reply))
	if to.Reply.Code != 0 {
		field(b, "Diagnostic-Code", "smtp; "+fold(line(asciiOnly(to.Reply.String()))))
	}
	if !to.LastTry.IsZero() {
		field(b, "Last-Attempt-Date", to.LastTry.Format(dateFormat))
	}
	if !to.GivenUpAt.IsZero() {
		field(b, "Will-Retry-Until", to.GivenUpAt.Format(dateFormat))
	}
}

// code is the Status of a recipient: the reply's, if it is of the action's class
// (RFC 3464 section 2.3.4).
func (r *Report) code(reply smtp.Reply) string {
	class := "2"
	switch r.Action {
	case Failed:
		class = "5"
	case Delayed:
		class = "4"
	}
	if strings.HasPrefix(reply.Enhanced, class+".") {
		return plain(reply.Enhanced)
	}
	return class + ".0.0"
}

// originalRecipient is the value for an ORCPT, or "" if it cannot be one.
func originalRecipient(orcpt string) string {
	kind, value, ok := strings.Cut(orcpt, ";")
	if !ok || kind == "" || plain(kind) != kind {
		return ""
	}
	if !strings.EqualFold(kind, "utf-8") { // whose encoding is another one, and stays
		decoded, err := smtp.DecodeXtext(value)
		if err != nil || !ascii(decoded) {
			return ""
		}
		value = decoded
	}
	return kind + "; " + asciiOnly(line(value))
}

// typed is an address with its type: rfc822 or, where that cannot hold it, utf-8
// in its 7-bit form (RFC 6533 section 3).
func typed(address string) string {
	address = line(address)
	if ascii(address) {
		return "rfc822; " + address
	}
	var b strings.Builder
	b.WriteString("utf-8; ")
	for _, c := range address {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`\+=`, c) {
			fmt.Fprintf(&b, `\x{%02X}`, c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// maxValue bounds a text from elsewhere, in bytes.
const maxValue = 900

// line makes one bounded line of a text: it can end no field.
func line(s string) string {
	if len(s) > maxValue {
		s = s[:maxValue] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError {
			return '?'
		}
		return c
	}, s)
}

// asciiOnly replaces what is not ASCII.
func asciiOnly(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= utf8.RuneSelf {
			return '?'
		}
		return c
	}, s)
}

// plain leaves letters, digits and the dots, dashes and underscores between them.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', strings.ContainsRune("._-", c):
			return c
		}
		return '_'
	}, s)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldAt is where a long value is folded, in bytes.
const foldAt = 70

// fold breaks a value at spaces into lines that are not much longer than foldAt.
func fold(s string) string {
	var b strings.Builder
	for len(s) > foldAt {
		i := strings.LastIndexByte(s[:foldAt], ' ')
		if i <= 0 {
			if i = strings.IndexByte(s[1:], ' ') + 1; i == 0 {
				break
			}
		}
		if strings.Trim(s[:i], " ") == "" || strings.Trim(s[i:], " ") == "" {
			break // a line of blanks alone would end the header for some
		}
		b.WriteString(s[:i] + "\n")
		s = s[i:]
	}
	return b.String() + s
}
