package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
)

// files reads every file of the directory in the form that it should have.
func (i *inspection) files() {
	entries, err := os.ReadDir(i.etc.Path)
	if err != nil {
		return // directory has said it
	}
	for _, e := range entries {
		form, known := control.Known[e.Name()]
		if !known {
			i.unknown(e.Name())
			continue
		}
		if read := formReaders[form]; read != nil {
			i.wrong(read(i.etc, e.Name()))
		}
	}
}

// unknown reports a file that no program reads. It may be a slip of the pen.
func (i *inspection) unknown(name string) {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return // an editor's, or a change that is under way
	}
	remedy := "no program reads it; take it away"
	if k := nearest(name); k != "" {
		remedy = "did you mean " + k + "?"
	}
	i.wrong(finding(i.etc.File(name), 0, remedy, "is not a control file"))
}

// nearest is the control file whose name is most like this one: at most two
// letters, and half of the name, are missing, more or wrong.
func nearest(name string) string {
	found, least := "", 3
	for _, k := range control.Names() {
		if d := distance(strings.ToLower(name), k); d < least && 2*d <= len(k) {
			found, least = k, d
		}
	}
	return found
}

// distance is the edit distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// formReaders read a file in its form. Those that are missing are read by a
// check of their own.
var formReaders = map[control.Form]func(control.Dir, string) error{
	control.Text:     func(d control.Dir, n string) error { _, err := d.Value(n, ""); return err },
	control.Path:     readPath,
	control.Name:     readName,
	control.Number:   func(d control.Dir, n string) error { _, err := d.Int("", n, 0); return err },
	control.Duration: func(d control.Dir, n string) error { _, err := d.Seconds("", n, 0); return err },
	control.Addresses: func(d control.Dir, n string) error {
		lines, _, err := d.Lines(n)
		for _, l := range lines {
			err = errors.Join(err, addressOrDomain(l, l.Text))
		}
		return err
	},
	control.Expiry: func(d control.Dir, n string) error { _, err := d.Expiry(); return err },
}

// readPath wants a path that leads to a directory.
func readPath(d control.Dir, name string) error {
	value, err := d.Value(name, "")
	if err == nil && value == "" {
		err = finding(d.File(name), 0, "write a path into it, or remove it", "is empty")
	}
	return err
}

func readName(d control.Dir, name string) error {
	value, err := d.Value(name, "")
	if err != nil {
		return err
	}
	if _, err := address.ParseDomain(value, true); err != nil {
		return finding(d.File(name), 1, "write a name like mx.example.org", "%q is not a domain name", value)
	}
	return nil
}

// addressOrDomain wants ADDRESS or @DOMAIN.
func addressOrDomain(l control.Line, text string) error {
	var err error
	if domain, ok := strings.CutPrefix(text, "@"); ok {
		_, err = address.ParseDomain(domain, true)
	} else {
		_, err = address.Parse(text, true)
	}
	if err != nil {
		return l.Errorf("write name@domain or @domain", "%q is neither address nor @domain", text)
	}
	return nil
}

// domains reads me and the lists of domains, and what they say of each other.
func (i *inspection) domains() {
	table, err := route.Load(i.etc, "")
	if err != nil {
		i.wrong(err)
		return
	}
	i.table = table
	me, err := i.etc.Me()
	if err != nil {
		return // Load has said it
	}
	if !strings.Contains(me, ".") {
		i.warn(finding(i.etc.File("me"), 0, "write this host's full name into it", "this host is called %q, which other hosts do not know", me))
	}
	locals, _, _ := i.etc.Lines("locals")
	virtual, _, _ := i.etc.Lines("virtualdomains")
	seen := map[string]control.Line{}
	for _, l := range locals {
		seen[strings.ToLower(l.Text)] = l
	}
	for _, l := range virtual {
		key, prepend, _ := strings.Cut(strings.ToLower(l.Text), ":")
		if other, ok := seen[key]; ok {
			i.warn(l.Errorf(fmt.Sprintf("take one of them out; %s:%d counts", other.File, other.No), "%s is local already", key))
		}
		if prepend != "" {
			i.known(l, prepend, "mail for %s goes to %s, and there is no such user or alias", key, prepend)
		}
		seen[key] = l
	}
}

// known wants a local name to lead somewhere.
func (i *inspection) known(l control.Line, name, format string, args ...any) {
	t, err := i.table.Resolve(address.Address{Local: name})
	if err == nil && t.Kind == route.Unknown {
		i.warn(l.Errorf("add it, or mend the line", format, args...))
	}
}

// senders reads the file senders: login: address or @domain, ...
func (i *inspection) senders() {
	lines, _, err := i.etc.Lines("senders")
	if err != nil {
		i.wrong(err)
		return
	}
	for _, l := range lines {
		login, list, ok := strings.Cut(l.Text, ":")
		if login = strings.TrimSpace(login); !ok || login == "" {
			i.wrong(l.Errorf("write login: address, @domain, ...", "%q has no login and colon", l.Text))
			continue
		}
		for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			i.wrong(addressOrDomain(l, item))
		}
		if i.table == nil {
			continue
		}
		if _, ok, err := i.table.Login(login); err == nil && !ok {
			i.warn(l.Errorf("add the user, or take the line out", "nobody logs in as %q", login))
		}
	}
}
