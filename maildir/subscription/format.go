package subscription

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"rohrpost/maildir"
)

// The file of Dovecot has a name in each line, in modified UTF-7. Since version 2,
// of Dovecot 2.3, tabs stand between the levels, and a first line says so, with
// an empty one behind it:
//
//	V⇥2
//
//	INBOX
//	Lists⇥golang
//	Entw&APw-rfe
//
// Before, dots stand there. In version 2, what would be a NUL, tab, CR, LF or
// \001 is \001 and one of 0 t r n 1. Dovecot also takes names in UTF-8, where it is
// set up so.
const header2 = "V\t2\n\n"

// inbox is the Maildir itself.
const inbox = "INBOX"

// list is the lines of a file, without their ends.
type list struct {
	version int // 1 or 2
	lines   []string
}

func parse(b []byte) *list {
	l := &list{version: 1}
	if rest, ok := bytes.CutPrefix(b, []byte(header2)); ok {
		l.version, b = 2, rest
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			l.lines = append(l.lines, line)
		}
	}
	return l
}

// parseCourier reads courierimapsubscribed, whose names all begin with INBOX, as
// the first line of version 2 would have them. Shared folders are left out.
func parseCourier(b []byte) *list {
	l := &list{version: 2}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if child, ok := strings.CutPrefix(line, inbox+maildir.Separator); ok {
			line = child
		} else if line != inbox {
			continue
		}
		if name, ok := decode(line); ok {
			l.lines = append(l.lines, l.encode(name))
		}
	}
	return l
}

func (l *list) text() []byte {
	var b []byte
	if l.version == 2 {
		b = append(b, header2...)
	}
	for _, line := range l.lines {
		b = append(append(b, line...), '\n')
	}
	return b
}

// names is what the lines mean.
func (l *list) names() []string {
	var names []string
	seen := map[string]bool{}
	for _, line := range l.lines {
		if name, ok := l.name(line); ok && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// set adds a name or removes it, and reports whether that changes anything.
func (l *list) set(name string, on bool) bool {
	means := func(line string) bool {
		n, ok := l.name(line)
		return ok && n == name
	}
	if on == slices.ContainsFunc(l.lines, means) {
		return false
	}
	if on {
		l.lines = append(l.lines, l.encode(name))
	} else {
		l.lines = slices.DeleteFunc(l.lines, means)
	}
	return true
}

// name is what a line means; false if it can be no folder's name.
func (l *list) name(line string) (string, bool) {
	if l.version == 2 {
		line = unescape.Replace(strings.ReplaceAll(line, "\t", maildir.Separator))
	}
	return decode(line)
}

// unescape turns what Dovecot has escaped back into what no folder's name has.
var unescape = strings.NewReplacer("\x010", "\x00", "\x011", "\x01", "\x01t", "\t", "\x01r", "\r", "\x01n", "\n")

// decode reads a name with dots.
func decode(s string) (string, bool) {
	if strings.EqualFold(s, inbox) {
		return inbox, true
	}
	name, err := maildir.DecodeUTF7(s)
	if err != nil && utf8.ValidString(s) {
		name = s
	}
	return name, maildir.CheckFolderName(name) == nil
}

// encode is the line for a name. A name that CheckFolderName accepts holds nothing
// that has to be escaped.
func (l *list) encode(name string) string {
	levels := strings.Split(name, maildir.Separator)
	for i, level := range levels {
		levels[i] = maildir.EncodeUTF7(level)
	}
	if l.version == 2 {
		return strings.Join(levels, "\t")
	}
	return strings.Join(levels, maildir.Separator)
}
