package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rohrpost/maildir/queue"
)

// state is an entry's state in one word.
func state(e queue.Entry, now time.Time) string {
	switch {
	case e.Cancelled:
		return "cancelled"
	case e.Held:
		return "held"
	case e.Next.After(now):
		return "waits"
	}
	return "due"
}

// recipients is whom an entry is for: one address, or as long as it is not
// expanded the first and how many more.
func recipients(e queue.Entry, env queue.Envelope) string {
	i := e.Number() - 1
	if i < 0 || i >= len(env.Recipients) {
		return "?"
	}
	s := env.Recipients[i].Address
	if more := len(env.Recipients) - 1; e.R == 0 && more > 0 {
		s += " +" + strconv.Itoa(more)
	}
	return s
}

// path is a sender as an envelope writes it.
func path(sender string) string { return "<" + printable(sender) + ">" }

// in is when something will be.
func in(t, now time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return "in " + span(t.Sub(now))
}

// span is a duration in its largest unit, rounded down.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d >= 2*day:
		return fmt.Sprintf("%dd", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// printable is text of strangers made fit for a terminal: what is not a letter,
// sign or blank is written as an escape.
func printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteByte(' ')
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}
