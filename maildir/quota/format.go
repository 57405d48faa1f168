// Package quota keeps a Maildir within its quota by the file maildirsize of
// Maildir++, which Courier, Dovecot, Exim and maildrop keep as well.
//
// The file begins with the limit, as "1073741824S,1000C": so many bytes, so
// many messages, of which either may be missing. Each line behind it is a
// change, as "2048 1": bytes and messages, negative where mail was removed. The
// sum of all is what the Maildir holds, with all its folders. Everybody appends;
// whoever finds the file missing, larger than 5120 bytes, not in this form, or
// with another limit than the configured one, counts the messages and writes it
// anew by rename. One who finds the quota used up counts before he says so,
// unless somebody else has just done that.
//
// The file is derived: it is never synced, and removing it costs a count.
//
// Start reading at Reserve.
package quota

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// fileName is the file, in the Maildir itself.
const fileName = "maildirsize"

// maxFile is the size in bytes from which the file is written anew.
const maxFile = 5120

// Limit is a quota. Zero is no limit.
type Limit struct{ Bytes, Messages int64 }

// Usage is what a Maildir holds, or a change of it.
type Usage struct{ Bytes, Messages int64 }

// ParseLimit reads a limit as the file's first line has it: numbers with the
// letter S for bytes or C for messages behind them, and commas between.
func ParseLimit(s string) (Limit, error) {
	var l Limit
	for part := range strings.SplitSeq(s, ",") {
		number, of := &l.Bytes, "S"
		if strings.HasSuffix(part, "C") {
			number, of = &l.Messages, "C"
		}
		digits, ok := strings.CutSuffix(part, of)
		n, err := strconv.ParseUint(digits, 10, 62)
		if err != nil || !ok {
			return Limit{}, fmt.Errorf("quota %q: write it like 1073741824S,1000C", s)
		}
		*number = int64(n)
	}
	return l, nil
}

// String is the limit as the file's first line has it.
func (l Limit) String() string {
	switch {
	case l.Messages == 0:
		return fmt.Sprintf("%dS", l.Bytes)
	case l.Bytes == 0:
		return fmt.Sprintf("%dC", l.Messages)
	}
	return fmt.Sprintf("%dS,%dC", l.Bytes, l.Messages)
}

// allows reports whether u is within the limit.
func (l Limit) allows(u Usage) bool {
	return (l.Bytes == 0 || u.Bytes <= l.Bytes) && (l.Messages == 0 || u.Messages <= l.Messages)
}

func (u Usage) add(v Usage) Usage { return Usage{u.Bytes + v.Bytes, u.Messages + v.Messages} }

// line is u as a line of the file.
func (u Usage) line() string { return fmt.Sprintf("%d %d\n", u.Bytes, u.Messages) }

// file is what the file says.
type file struct {
	limit Limit
	used  Usage
	lines int // after the first
}

var errDamaged = errors.New("maildirsize is damaged")

// parse reads the file's text. A line without its end, a number that is none,
// and a sum that cannot be are damage; the limit is told all the same if its
// line is whole.
func parse(text []byte) (file, error) {
	var f file
	first, rest, ok := bytes.Cut(text, []byte{'\n'})
	limit, err := ParseLimit(string(bytes.TrimSpace(first)))
	if err != nil || !ok {
		return f, errDamaged
	}
	f.limit = limit
	for len(rest) > 0 {
		line, after, ok := bytes.Cut(rest, []byte{'\n'})
		u, valid := parseLine(string(line))
		if !ok || !valid {
			return f, errDamaged
		}
		f.used = f.used.add(u)
		f.lines++
		rest = after
	}
	if f.lines == 0 || f.used.Bytes < 0 || f.used.Messages < 0 {
		return f, errDamaged
	}
	return f, nil
}

// maxNumber bounds one number, so that no sum of a file can wrap.
const maxNumber = math.MaxInt64 / maxFile

// parseLine reads one change. Courier pads its numbers with blanks.
func parseLine(line string) (u Usage, ok bool) {
	words := strings.Fields(line)
	if len(words) != 2 {
		return u, false
	}
	for i, n := range []*int64{&u.Bytes, &u.Messages} {
		v, err := strconv.ParseInt(words[i], 10, 64)
		if err != nil || v > maxNumber || v < -maxNumber {
			return u, false
		}
		*n = v
	}
	return u, true
}
