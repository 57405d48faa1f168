package route

import (
	"fmt"
	"strings"

	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// maxLocal bounds a local part that we look up, in bytes. RFC 5321 section
// 4.5.3.1.1 asks for 64; lists with long extensions exceed it.
const maxLocal = 256

// place is what the domain of an address decides.
type place struct {
	address address.Address // domain in lower case, never empty
	literal bool            // aliases are passed by: the local part began with a backslash
	why     []string

	remote bool
	relay  bool // if remote: rcpthosts lists it

	name    string // the name to look up, after virtualdomains prepended; case as it came
	prepend string // what virtualdomains prepended
	suffix  string // @DOMAIN for lines NAME@DOMAIN of users, else empty
}

// place applies the rules for domains.
func (t *Table) place(a address.Address) (place, error) {
	p := place{address: a}
	p.address.Domain = users.Fold(strings.TrimSuffix(a.Domain, "."))
	if name, ok := strings.CutPrefix(a.Local, `\`); ok && name != "" {
		p.literal = true
		p.address.Local = name
	}
	p.name = p.address.Local
	if p.address.Domain == "" {
		me, err := t.me.get()
		if err != nil {
			return place{}, err
		}
		p.address.Domain = me
	}
	for _, rule := range []func(*place) (bool, error){t.local, t.virtualDomain, t.elsewhere} {
		if done, err := rule(&p); done || err != nil {
			return p, err
		}
	}
	return p, nil
}

// local is rule 1.
func (t *Table) local(p *place) (bool, error) {
	domain := p.address.Domain
	if domain == "localhost" {
		p.why = append(p.why, "localhost is always local")
		return true, nil
	}
	rules, exists, err := t.locals.get()
	if err != nil {
		return false, err
	}
	if r, ok := rules[domain]; ok {
		p.why = append(p.why, t.locals.at(r, domain+" is local"))
		return true, nil
	}
	if exists {
		return false, nil
	}
	me, err := t.me.get()
	if err != nil || domain != me {
		return false, err
	}
	p.why = append(p.why, domain+" is local: it is me, and there is no file locals")
	return true, nil
}

// virtualDomain is rule 2.
func (t *Table) virtualDomain(p *place) (bool, error) {
	rules, _, err := t.virtual.get()
	if err != nil || len(rules) == 0 {
		return false, err
	}
	for _, key := range virtualKeys(users.Fold(p.name), p.address.Domain) {
		r, ok := rules[key]
		switch {
		case !ok:
			continue
		case r.colon && r.prepend == "":
			p.why = append(p.why, t.virtual.at(r, key+": is an exception"))
			return false, nil
		case r.colon:
			p.prepend, p.name = r.prepend, r.prepend+"-"+p.name
			p.why = append(p.why, t.virtual.at(r, fmt.Sprintf("%s: becomes %s", key, p.name)))
		default:
			p.suffix = "@" + p.address.Domain
			p.why = append(p.why, t.virtual.at(r, p.address.Domain+" is a virtual domain"))
		}
		return true, nil
	}
	return false, nil
}

// virtualKeys are the keys of virtualdomains that an address matches, the most
// specific first.
func virtualKeys(name, domain string) []string {
	keys := []string{name + "@" + domain, domain}
	keys = append(keys, parents(domain)...)
	return append(keys, "")
}

// parents are the keys with which a list names everything below a domain:
// .b.c and .c for a.b.c.
func parents(domain string) []string {
	var keys []string
	for i := 1; i < len(domain); i++ {
		if domain[i] == '.' {
			keys = append(keys, domain[i:])
		}
	}
	return keys
}

// elsewhere is rule 3.
func (t *Table) elsewhere(p *place) (bool, error) {
	p.remote = true
	rules, _, err := t.relayed.get()
	if err != nil {
		return false, err
	}
	for _, key := range append([]string{p.address.Domain}, parents(p.address.Domain)...) {
		if r, ok := rules[key]; ok {
			p.relay = true
			p.why = append(p.why, t.relayed.at(r, "strangers may send to "+key))
			return true, nil
		}
	}
	p.why = append(p.why, p.address.Domain+" is neither local nor virtual")
	return true, nil
}

// userNames are the names to look for in users, in order.
func (p place) userNames() []string {
	return withSuffix(bases(p.name, "+-"), p.suffix)
}

// aliasNames are the names to look for in aliases, in order. Only + makes an
// extension here: list-request must not reach everybody on list. What was
// prepended is a name by itself, so a whole domain can go to an alias.
func (p place) aliasNames() []string {
	names := withSuffix(bases(p.address.Local, "+"), "@"+p.address.Domain)
	if p.suffix == "" {
		names = append(names, bases(p.name, "+")...)
	}
	if p.prepend != "" {
		names = append(names, p.prepend)
	}
	return names
}

// promisedNames are the names of this host that stand in for a promised one
// that is nobody's: abuse is postmaster's work unless somebody else has it.
func (p place) promisedNames() []string {
	switch users.Fold(p.address.Local) {
	case "abuse":
		return []string{"abuse", "postmaster"}
	case "postmaster":
		return []string{"postmaster"}
	}
	return nil
}

// ext is what follows the user's name and a delimiter in the name looked up.
func (p place) ext(user string) string {
	base := len(user) - len(p.suffix)
	if base < 0 || base >= len(p.name) || users.Fold(p.name[:base]+p.suffix) != users.Fold(user) {
		return ""
	}
	return p.name[base+1:]
}

// bases are a name and what is left of it before each of the delimiters, the
// longest first. A name too long to be anybody's has none.
func bases(name, delimiters string) []string {
	if len(name) > maxLocal {
		return nil
	}
	names := []string{name}
	for i := len(name) - 1; i > 0; i-- {
		if strings.IndexByte(delimiters, name[i]) >= 0 {
			names = append(names, name[:i])
		}
	}
	return names
}

func withSuffix(names []string, suffix string) []string {
	for i := range names {
		names[i] += suffix
	}
	return names
}

// UserName is the name in users of NAME or NAME@DOMAIN: bare for a local domain.
// A domain that virtualdomains rewrites has no users of its own, which is an
// error.
func (t *Table) UserName(name string) (string, error) {
	i := strings.LastIndexByte(name, '@')
	if i < 0 {
		return name, nil
	}
	p, err := t.place(address.Address{Local: name[:i], Domain: name[i+1:]})
	switch {
	case err != nil:
		return "", err
	case p.prepend != "":
		return "", fmt.Errorf("virtualdomains rewrites %s to %s; add that name instead", name, p.name)
	case p.remote || p.suffix != "":
		return name, nil
	}
	return p.name, nil
}

// Serves reports whether a domain is local or virtual.
func (t *Table) Serves(domain string) (bool, error) {
	p, err := t.place(address.Address{Local: "postmaster", Domain: domain})
	return !p.remote, err
}
