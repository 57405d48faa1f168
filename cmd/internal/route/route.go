// Package route decides where an address goes: into a mailbox here, to the
// members of an alias, to another host, or nowhere. It reads me, locals,
// virtualdomains, rcpthosts, aliases and users (rohrpost-control(5)) and is the
// one place that knows how they work together.
//
// The rules, in order:
//
//  1. A domain in locals (without that file: me), and localhost, is local: its
//     users are the bare names in users.
//  2. Else virtualdomains may list it: alone, so its users are the NAME@DOMAIN
//     lines of users, or with a prepend as in qmail. The most specific rule
//     counts: address, domain, parent domains from the longest, everything.
//  3. Else it is remote; rcpthosts says whether strangers may send there.
//  4. A local name is looked for in aliases, then in users; the whole name
//     first, then what is left of it before a + (aliases) or a + or - (users,
//     the longest first).
//  5. postmaster and abuse are never unknown.
//
// A name from outside never becomes part of a path: homes come from lines of
// users, and only their names do.
//
// Start reading at Resolve.
package route

import (
	"fmt"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// Kind is what an address is to this host.
type Kind int

// The kinds.
const (
	Unknown Kind = iota // the domain is ours, the name is nobody's
	Mailbox
	Alias
	Remote
)

func (k Kind) String() string {
	return [...]string{"unknown", "mailbox", "alias", "remote"}[k]
}

// Target is where an address goes.
type Target struct {
	Kind    Kind
	Address address.Address // as asked, domain in lower case, me where it was empty
	Domain  string          // Address.Domain
	Why     []string        // the rules that led here, "file:line: text"

	// Mailbox:
	User users.User
	Ext  string // what followed the user's name and its delimiter

	// Alias: Members are addresses, each once, with all aliases on the way
	// expanded; only an alias with an owner of its own stays one, because its
	// mail has another sender. A member whose local part begins with a
	// backslash (as in "\\bob"@mx.example) means the mailbox of that name, past
	// aliases; Resolve understands it.
	Members []string
	Owner   string // address of owner-NAME, the sender for the members, if there is one

	// Remote:
	Relay bool // rcpthosts lists the domain
}

// Table is the configuration that Resolve needs. It follows changes of its files
// and is safe for several goroutines.
type Table struct {
	mail    string
	me      host
	locals  list
	virtual list
	relayed list
	aliases control.File
	users   *users.Table
}

// Load returns the table of a configuration directory. mail is the directory of
// homes; empty means what the configuration says. The lists of domains are read
// now, so that a bad one stops a program before it greets; users and aliases
// are looked through on each Resolve. Errors are control.Errors.
func Load(etc control.Dir, mail string) (*Table, error) {
	if err := etc.Exists(); err != nil {
		return nil, err
	}
	mail, err := etc.Mail(mail)
	if err != nil {
		return nil, err
	}
	t := &Table{mail: mail, users: users.Open(etc, mail)}
	t.me.etc, t.me.file.Path = etc, etc.File("me")
	t.aliases.Path = etc.File("aliases")
	t.locals.file.Path = etc.File("locals")
	t.relayed.file.Path = etc.File("rcpthosts")
	t.virtual.file.Path = etc.File("virtualdomains")
	t.virtual.prepends = true
	for _, l := range []*list{&t.locals, &t.relayed, &t.virtual} {
		if _, _, err := l.get(); err != nil {
			return nil, err
		}
	}
	_, err = t.me.get()
	return t, err
}

// Resolve says where mail for an address goes. An error is one of the
// configuration or the file system, and temporary: nothing is known then about
// the address.
func (t *Table) Resolve(a address.Address) (Target, error) {
	p, err := t.place(a)
	if err != nil {
		return Target{}, err
	}
	if p.remote {
		return Target{Kind: Remote, Address: p.address, Domain: p.address.Domain, Why: p.why, Relay: p.relay}, nil
	}
	target, ok, err := t.named(p, p.aliasNames(), p.userNames())
	if ok || err != nil {
		return target, err
	}
	if promised := p.promisedNames(); promised != nil {
		return t.promised(p, promised)
	}
	return Target{Kind: Unknown, Address: p.address, Domain: p.address.Domain,
		Why: append(p.why, "neither aliases nor users have "+p.name+p.suffix)}, nil
}

// Login finds the user that a login means: NAME, or NAME@DOMAIN for a domain
// that is ours. ok is false if there is none.
func (t *Table) Login(login string) (u users.User, ok bool, err error) {
	names := []string{login}
	if i := strings.LastIndexByte(login, '@'); i >= 0 {
		p, err := t.place(address.Address{Local: login[:i], Domain: login[i+1:]})
		if err != nil {
			return users.User{}, false, err
		}
		if !p.remote {
			names = append(names, p.name+p.suffix)
		}
	}
	u, which, err := t.users.First(names...)
	return u, which >= 0, err
}

// named is rule 4, for these names.
func (t *Table) named(p place, aliases, names []string) (Target, bool, error) {
	if !p.literal {
		e, ok, err := t.findAlias(aliases)
		if err != nil {
			return Target{}, false, err
		}
		if ok {
			target, err := t.alias(p, e)
			return target, true, err
		}
	}
	u, which, err := t.users.First(names...)
	if which < 0 || err != nil {
		return Target{}, false, err
	}
	p.why = append(p.why, fmt.Sprintf("%s:%d: user %s", u.File, u.Line, u.Name))
	return p.mailbox(u, p.ext(names[which])), true, nil
}

// promised is rule 5: the names of RFC 5321 section 4.5.1 and RFC 2142, with a
// mailbox of last resort that is made on demand.
func (t *Table) promised(p place, names []string) (Target, error) {
	p.why = append(p.why, p.name+" is always deliverable")
	target, ok, err := t.named(p, names, names)
	if ok || err != nil {
		return target, err
	}
	u := users.User{Name: "postmaster", UID: users.None, GID: users.None, Home: users.DefaultHome(t.mail, "postmaster")}
	p.why = append(p.why, "into "+u.Maildir())
	return p.mailbox(u, ""), nil
}

func (p place) mailbox(u users.User, ext string) Target {
	return Target{Kind: Mailbox, Address: p.address, Domain: p.address.Domain, Why: p.why, User: u, Ext: ext}
}
