package route

import (
	"bytes"
	"fmt"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
)

// maxEntry bounds one alias with its continuation lines, in bytes. Longer lists
// belong into an :include: file.
const maxEntry = 256 << 10

// entry is one alias: a line of aliases with the lines that continue it.
type entry struct {
	name  string // folded
	value string
	at    control.Line
}

// findAlias finds the alias of the first of these names that there is.
func (t *Table) findAlias(names []string) (entry, bool, error) {
	found, err := t.findAliases(names)
	if err != nil {
		return entry{}, false, err
	}
	for _, n := range names {
		if e, ok := found[users.Fold(n)]; ok {
			return e, true, nil
		}
	}
	return entry{}, false, nil
}

// findAliases finds those of the names that are aliases, in one pass. The first
// of two aliases of one name counts.
func (t *Table) findAliases(names []string) (map[string]entry, error) {
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[users.Fold(n)] = n != ""
	}
	found := map[string]entry{}
	err := t.eachAlias(func(name string) bool { return wanted[name] }, func(e entry) error {
		if _, twice := found[e.name]; !twice {
			found[e.name] = e
		}
		return nil
	})
	return found, err
}

// eachAlias reads aliases through and visits the entries whose names are
// wanted.
func (t *Table) eachAlias(wanted func(name string) bool, visit func(entry) error) error {
	r := aliasReader{path: t.aliases.Path, wanted: wanted, visit: visit}
	if _, err := t.aliases.Each(r.row); err != nil {
		return err
	}
	return r.finish()
}

// EachAlias visits every alias of the file with its members, fully expanded, or
// with what is wrong with it. Of two aliases with one name only the first is
// expanded.
func (t *Table) EachAlias(visit func(name string, at control.Line, members []string, err error)) error {
	seen := map[string]bool{}
	return t.eachAlias(func(string) bool { return true }, func(e entry) error {
		x := expansion{table: t, seen: map[string]bool{}}
		if !seen[e.name] {
			if err := x.run(e); err != nil {
				visit(e.name, e.at, nil, err)
				return nil
			}
		}
		seen[e.name] = true
		visit(e.name, e.at, x.members, nil)
		return nil
	})
}

// aliasReader puts lines together to entries.
type aliasReader struct {
	path   string
	wanted func(name string) bool
	visit  func(entry) error

	began   bool // an entry is there to be continued
	current entry
	wants   bool
}

func (r *aliasReader) row(row control.Row) (stop bool, err error) {
	at := control.Line{File: r.path, No: row.No, Text: string(bytes.TrimSpace(row.Text))}
	switch {
	case at.Text == "" || row.Text[0] == '#':
		return false, nil
	case row.Torn:
		return true, at.Errorf("end the file with a newline", "the last line has no end, so it may be half written")
	case row.Text[0] == ' ' || row.Text[0] == '\t':
		return false, r.more(at)
	}
	if err := r.finish(); err != nil {
		return true, err
	}
	return false, r.begin(at)
}

func (r *aliasReader) begin(at control.Line) error {
	name, value, err := cutName(at)
	if err != nil {
		return err
	}
	r.began, r.wants = true, r.wanted(name)
	r.current = entry{name: name, value: value, at: at}
	return nil
}

// more continues an entry.
func (r *aliasReader) more(at control.Line) error {
	if !r.began {
		return at.Errorf("begin the line with name:", "the line continues nothing")
	}
	if !r.wants {
		return nil
	}
	if len(r.current.value)+len(at.Text) > maxEntry {
		return at.Errorf("put the members into a file and write :include:/path", "alias %s is longer than %d bytes", r.current.name, maxEntry)
	}
	r.current.value += " " + at.Text
	return nil
}

func (r *aliasReader) finish() error {
	wants := r.wants
	r.wants = false
	if !wants {
		return nil
	}
	return r.visit(r.current)
}

// cutName splits "name: value"; the name may be quoted.
func cutName(at control.Line) (name, value string, err error) {
	text := at.Text
	if rest, ok := strings.CutPrefix(text, `"`); ok {
		name, rest, ok = strings.Cut(rest, `"`)
		rest = strings.TrimLeft(rest, " \t")
		if !ok || !strings.HasPrefix(rest, ":") {
			return "", "", at.Errorf(`write "name": value`, "the alias has no name")
		}
		value = rest[1:]
	} else if name, value, ok = strings.Cut(text, ":"); !ok || name == "" {
		return "", "", at.Errorf("write name: value", "%q has no colon", text)
	}
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsAny(name, "\x00\t\r") {
		return "", "", at.Errorf("write name: value", "the alias has no name")
	}
	return users.Fold(name), strings.TrimSpace(value), nil
}

// items splits a value at its commas outside quotes.
func (e entry) items() ([]string, error) { return split(e.at, e.value) }

func split(at control.Line, value string) ([]string, error) {
	var items []string
	quoted, start := false, 0
	add := func(end int) {
		if s := strings.TrimSpace(value[start:end]); s != "" {
			items = append(items, s)
		}
		start = end + 1
	}
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			add(i)
		}
	}
	if quoted {
		return nil, at.Errorf("close the quote", "a quoted string has no end")
	}
	add(len(value))
	return items, nil
}

// why is a line of Target.Why.
func (e entry) why() string {
	return fmt.Sprintf("%s:%d: alias %s", e.at.File, e.at.No, e.name)
}
