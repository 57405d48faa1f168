package main

import (
	"fmt"
	"os"
	"strings"
)

// A list is blocks of lines, parted by blank lines; # begins a comment line:
//
//	mutant S01 lf-dot-lf-ends-data
//	file protocol/smtp/data.go
//	- if !crlf {
//	+ if false && !crlf {
//	test go test ./cmd/smtpd -run 'TestS01'
//
// The "-" line is one whole line of the file, without the white space around
// it, and stands there only once; the "+" line takes its place and may be
// empty. Several such pairs make one mutant. The test is a command for sh that
// begins with "go test", run at the top of the tree.
type mutant struct {
	id, name string
	file     string
	edits    []edit
	test     string
	list     string // where the block stands
	line     int
}

type edit struct{ from, to string }

// readList reads one .mut file.
func readList(path string) ([]mutant, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []mutant
	var m mutant
	flush := func() error {
		if m.line == 0 {
			return nil
		}
		if err := m.complete(); err != nil {
			return fmt.Errorf("%s:%d: %w", path, m.line, err)
		}
		list, m = append(list, m), mutant{}
		return nil
	}
	for i, text := range strings.Split(string(b)+"\n", "\n") {
		switch {
		case strings.HasPrefix(text, "#"):
		case strings.TrimSpace(text) == "":
			if err := flush(); err != nil {
				return nil, err
			}
		default:
			if m.line == 0 {
				m.list, m.line = path, i+1
			}
			if err := m.add(text); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		}
	}
	return list, flush()
}

// add takes one line of a block.
func (m *mutant) add(text string) error {
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "mutant":
		m.id, m.name, _ = strings.Cut(rest, " ")
	case "file":
		m.file = rest
	case "test":
		m.test = rest
	case "-":
		m.edits = append(m.edits, edit{from: rest, to: noReplacement})
	case "+":
		if len(m.edits) == 0 || m.edits[len(m.edits)-1].to != noReplacement {
			return fmt.Errorf("a + line without its - line")
		}
		m.edits[len(m.edits)-1].to = rest
	default:
		return fmt.Errorf("%q begins no line of a mutant: mutant, file, -, + or test", word)
	}
	return nil
}

// noReplacement marks an edit whose + line has not been read; no line of Go
// holds it.
const noReplacement = "\x00"

func (m *mutant) complete() error {
	if m.id == "" || m.name == "" || m.file == "" || len(m.edits) == 0 {
		return fmt.Errorf("a mutant has the lines mutant ID NAME, file, -, + and test")
	}
	for _, e := range m.edits {
		if e.to == noReplacement {
			return fmt.Errorf("line %q has no + line", e.from)
		}
	}
	if !strings.HasPrefix(m.test, "go test ") {
		return fmt.Errorf("test %q does not begin with %q", m.test, "go test")
	}
	return nil
}

// apply returns the source with the edits made.
func (m *mutant) apply(source string) (string, error) {
	lines := strings.Split(source, "\n")
	for _, e := range m.edits {
		at := -1
		for i, l := range lines {
			if strings.TrimSpace(l) != e.from {
				continue
			}
			if at >= 0 {
				return "", fmt.Errorf("%s:%d and %d are both %q", m.file, at+1, i+1, e.from)
			}
			at = i
		}
		if at < 0 {
			return "", fmt.Errorf("%s has no line %q", m.file, e.from)
		}
		lines[at] = e.to
	}
	return strings.Join(lines, "\n"), nil
}
