// Package maillog writes the log: one event, one line on descriptor 2,
// "program: event key=value …" (maillog(5)). Supervisors add the time.
//
// Bytes from a peer are always values and always quoted where they could be
// mistaken for anything else, so no client can write a line of the log.
package maillog

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Bounds, in bytes: one value, and one line.
const (
	maxValue = 512
	maxLine  = 2000
)

// waitForReader is how long a full pipe may hold up the mail, in milliseconds.
const waitForReader = 1000

// Logger writes the lines of one program.
type Logger struct {
	Program string
	// Write takes one whole line; nil means descriptor 2.
	Write func(line []byte)
	with  []byte
}

// New returns a logger to descriptor 2.
func New(program string) *Logger { return &Logger{Program: program} }

// With returns a logger that adds these pairs to each line.
func (l *Logger) With(pairs ...any) *Logger {
	n := *l
	n.with = appendPairs(append([]byte(nil), l.with...), pairs)
	return &n
}

// Event writes one line. pairs alternate keys and values; a value may be a
// string, an error, a number, a time.Duration or a fmt.Stringer. An empty string
// leaves its key out.
func (l *Logger) Event(event string, pairs ...any) {
	b := make([]byte, 0, 256)
	b = append(b, l.Program...)
	b = append(b, ": "...)
	b = append(b, event...)
	b = append(b, l.with...)
	b = appendPairs(b, pairs)
	if len(b) > maxLine {
		b = append(b[:maxLine], "..."...)
	}
	b = append(b, '\n')
	if l.Write != nil {
		l.Write(b)
		return
	}
	stderr(b)
}

// stderr writes one line unless the reader of our pipe has stopped reading:
// mail goes before logs.
func stderr(b []byte) {
	n, _ := unix.Poll([]unix.PollFd{{Fd: 2, Events: unix.POLLOUT}}, waitForReader)
	if n > 0 {
		unix.Write(2, b)
	}
}

func appendPairs(b []byte, pairs []any) []byte {
	for i := 0; i+1 < len(pairs); i += 2 {
		s := text(pairs[i+1])
		if s == "" {
			continue
		}
		b = append(b, ' ')
		b = append(b, pairs[i].(string)...)
		b = append(b, '=')
		b = appendValue(b, s)
	}
	return b
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Duration:
		return v.Round(time.Millisecond).String()
	case error:
		if v == nil {
			return ""
		}
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

func appendValue(b []byte, s string) []byte {
	if len(s) > maxValue {
		s = s[:maxValue] + "..."
	}
	if plain(s) {
		return append(b, s...)
	}
	return strconv.AppendQuoteToASCII(b, s)
}

// plain reports whether s can stand unquoted: printable ASCII without space,
// quotes and the equals sign.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= utf8.RuneSelf || c == 0x7f || c == '"' || c == '=' || c == '\\' {
			return false
		}
	}
	return true
}
