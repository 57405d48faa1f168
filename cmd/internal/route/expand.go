package route

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// Bounds of an expansion: aliases of aliases, and members in the end.
const (
	maxDepth   = 10
	maxMembers = 100_000
)

// alias is the target of an address that is an alias.
func (t *Table) alias(p place, e entry) (Target, error) {
	x := expansion{table: t, seen: map[string]bool{}}
	if err := x.run(e); err != nil {
		return Target{}, err
	}
	if len(x.members) == 0 {
		return Target{}, e.at.Errorf("name an address", "alias %s has no members, so mail to it would vanish", e.name)
	}
	target := Target{Kind: Alias, Address: p.address, Domain: p.address.Domain, Members: x.members, Why: append(p.why, e.why())}
	owner, err := t.owner(e.name, p.address.Domain)
	target.Owner = owner
	return target, err
}

// owner is the address owner-NAME of an alias, if that is an alias itself.
func (t *Table) owner(name, domain string) (string, error) {
	key := ownerName(name)
	_, ok, err := t.findAlias([]string{key})
	if !ok || err != nil {
		return "", err
	}
	if i := strings.LastIndexByte(key, '@'); i >= 0 {
		return address.Address{Local: key[:i], Domain: key[i+1:]}.String(), nil
	}
	return address.Address{Local: key, Domain: domain}.String(), nil
}

// ownerName is owner-NAME. The owner of an owner is itself.
func ownerName(name string) string {
	if strings.HasPrefix(name, "owner-") {
		return ""
	}
	return "owner-" + name
}

// expansion follows aliases level by level, so that each level costs one pass
// through the file however many members it has.
type expansion struct {
	table   *Table
	members []string
	seen    map[string]bool // members, and aliases expanded
}

// node is an alias on the way, with the one that named it.
type node struct {
	entry
	parent *node
	// mute says that its members are not ours to add: it, or one above it, has
	// an owner. It is followed only to find those that lead back.
	mute bool
}

// candidate is a member that may be an alias.
type candidate struct {
	place
	from *node
}

func (x *expansion) run(e entry) error {
	level := []*node{{entry: e}}
	for depth := 0; len(level) > 0; depth++ {
		if depth == maxDepth {
			return e.at.Errorf("name the members in one alias", "alias %s leads through more than %d others", e.name, maxDepth)
		}
		var local []candidate
		for _, n := range level {
			c, err := x.open(n)
			if err != nil {
				return err
			}
			local = append(local, c...)
		}
		next, err := x.follow(local)
		if err != nil {
			return err
		}
		level = next
	}
	return nil
}

// open adds the members of an alias that cannot be aliases, and returns the
// others.
func (x *expansion) open(n *node) ([]candidate, error) {
	items, err := n.items()
	if err != nil {
		return nil, err
	}
	var local []candidate
	for _, item := range items {
		err := x.table.eachAddress(n.at, item, func(at control.Line, a address.Address) error {
			p, err := x.table.place(a)
			switch {
			case err != nil:
				return err
			case p.remote:
				return x.add(n, at, p.address)
			case p.literal:
				return x.add(n, at, literal(p))
			}
			local = append(local, candidate{p, n})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return local, nil
}

// follow looks up one level of candidates: aliases are the next level, all else
// is a member.
func (x *expansion) follow(local []candidate) ([]*node, error) {
	var names []string
	for _, c := range local {
		for _, n := range c.aliasNames() {
			names = append(names, n, ownerName(users.Fold(n)))
		}
	}
	found, err := x.table.findAliases(names)
	if err != nil {
		return nil, err
	}
	var next []*node
	for _, c := range local {
		e, ok := firstOf(found, c.aliasNames())
		_, owned := found[ownerName(e.name)]
		switch {
		case !ok:
			err = x.add(c.from, c.from.at, c.address)
		case e.name == c.from.name:
			// "bob: bob, archive" keeps a copy in bob's own mailbox.
			err = x.add(c.from, c.from.at, literal(c.place))
		case c.from.leadsFrom(e.name):
			err = c.from.at.Errorf("take one of them out", "aliases %s and %s lead to each other", e.name, c.from.name)
		case owned:
			err = x.add(c.from, c.from.at, c.address)
		}
		if err != nil {
			return nil, err
		}
		n := &node{entry: e, parent: c.from, mute: c.from.mute || owned}
		if ok && e.name != c.from.name && x.first(n) {
			next = append(next, n)
		}
	}
	return next, nil
}

// first reports whether an alias has not been followed yet.
func (x *expansion) first(n *node) bool {
	key := "alias " + n.name
	if n.mute {
		key = "mute " + n.name
	}
	seen := x.seen[key]
	x.seen[key] = true
	return !seen
}

func firstOf(found map[string]entry, names []string) (entry, bool) {
	for _, n := range names {
		if e, ok := found[users.Fold(n)]; ok {
			return e, true
		}
	}
	return entry{}, false
}

// leadsFrom reports whether n was reached through an alias of this name.
func (n *node) leadsFrom(name string) bool {
	for ; n != nil; n = n.parent {
		if n.name == name {
			return true
		}
	}
	return false
}

// literal is the address of a mailbox past aliases.
func literal(p place) address.Address {
	return address.Address{Local: `\` + p.address.Local, Domain: p.address.Domain}
}

// add adds a member once.
func (x *expansion) add(n *node, at control.Line, a address.Address) error {
	key := users.Fold(a.String())
	if n.mute || x.seen[key] {
		return nil
	}
	if len(x.members) == maxMembers {
		return at.Errorf("use a mailing list manager", "the alias has more than %d members", maxMembers)
	}
	x.seen[key] = true
	x.members = append(x.members, a.String())
	return nil
}

// eachAddress visits the addresses that one item of an alias means.
func (t *Table) eachAddress(at control.Line, item string, visit func(control.Line, address.Address) error) error {
	bare := strings.Trim(item, `"`)
	switch {
	case strings.HasPrefix(bare, "|"):
		return at.Errorf("run it from a .qmail or Sieve file of a user", "%s is a program, and aliases run none", bare)
	case strings.HasPrefix(bare, "/"):
		return at.Errorf("name a user instead", "%s is a file, and aliases write none", bare)
	case strings.HasPrefix(bare, ":include:"):
		return t.include(at, strings.TrimSpace(bare[len(":include:"):]), visit)
	case strings.HasPrefix(bare, ":"):
		return at.Errorf("only :include:/path is known", "%s is not known", bare)
	}
	a, err := parseMember(item)
	if err != nil {
		return at.Errorf("write name, name@domain, or :include:/path", "%q: %v", item, err)
	}
	return visit(at, a)
}

// parseMember reads NAME, NAME@DOMAIN or either after a backslash.
func parseMember(item string) (address.Address, error) {
	bare, literal := strings.CutPrefix(item, `\`)
	suffix := ""
	if strings.IndexByte(bare, '@') < 0 {
		suffix = "@localhost"
	}
	a, err := address.Parse(bare+suffix, true)
	if suffix != "" {
		a.Domain = ""
	}
	if literal {
		a.Local = `\` + a.Local
	}
	return a, err
}

// include visits the addresses in a file, which may be separated by commas and
// lines. It names addresses only: no further files.
func (t *Table) include(at control.Line, path string, visit func(control.Line, address.Address) error) error {
	if !filepath.IsAbs(path) {
		return at.Errorf("write :include:/path", "%q is not an absolute path", path)
	}
	file := control.File{Path: path}
	exists, err := file.Each(func(r control.Row) (bool, error) {
		text := string(bytes.TrimSpace(r.Text))
		line := control.Line{File: path, No: r.No, Text: text}
		if text == "" || text[0] == '#' {
			return false, nil
		}
		items, err := split(line, text)
		for _, item := range items {
			if strings.HasPrefix(strings.Trim(item, `"`), ":include:") {
				return true, line.Errorf("name addresses here, and the other file in aliases", "an included file includes another")
			}
			if err = t.eachAddress(line, item, visit); err != nil {
				break
			}
		}
		return err != nil, err
	})
	switch {
	case errors.Is(err, os.ErrPermission):
		return at.Errorf("let the mail uid read it", "%s cannot be opened: permission denied", path)
	case err == nil && !exists:
		return at.Errorf("create the file or take the line out", "%s: %v", path, fs.ErrNotExist)
	}
	return err
}
