package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/password"
	"rohrpost/cmd/internal/route"
	"rohrpost/cmd/internal/users"
)

// users reads every line of users.
func (i *inspection) users() {
	mail, err := i.etc.Mail("")
	if err != nil {
		i.wrong(err)
		return
	}
	table := users.Open(i.etc, mail)
	if _, err := os.Stat(i.etc.File(users.FileName)); errors.Is(err, fs.ErrNotExist) {
		i.wrong(table.Missing())
		return
	}
	first := map[string]int{}
	err = table.Each(func(u users.User, err error) error {
		if err != nil {
			i.wrong(err)
			return nil
		}
		if line, twice := first[u.Name]; twice {
			i.wrong(finding(u.File, u.Line, "take one of them out", "%s is in line %d already, and that one counts", u.Name, line))
			return nil
		}
		first[u.Name] = u.Line
		i.user(u)
		return nil
	})
	i.wrong(err)
}

// user looks at one user.
func (i *inspection) user(u users.User) {
	if u.Hash != "" {
		if err := password.Check(u.Hash); err != nil {
			i.wrong(finding(u.File, u.Line, "'rohrpost user passwd "+u.Name+"' makes another", "%s cannot log in: %v", u.Name, err))
		}
	}
	if strings.HasPrefix(u.Hash, "{PLAIN") {
		i.warn(finding(u.File, u.Line, "'rohrpost user passwd "+u.Name+"' makes a hash of it", "the password of %s stands there in the clear", u.Name))
	}
	if o, ok := mailOwner(i.etc); ok && o.foreign(u) {
		i.wrong(finding(u.File, u.Line, "leave uid and gid empty, or run relay and deliver as that uid",
			"mail for %s waits: its uid is %d, and %s belongs to %d", u.Name, u.UID, o.path, o.uid))
	}
	if _, domain, virtual := strings.Cut(u.Name, "@"); virtual && i.table != nil {
		served, err := i.table.Serves(domain)
		if err == nil && !served {
			i.wrong(finding(u.File, u.Line, "add "+domain+" to virtualdomains", "%s gets no mail: %s is not served here", u.Name, domain))
		}
	}
	st, err := os.Stat(u.Home)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// deliver makes it with the first message
	case err != nil:
		i.wrong(finding(u.File, u.Line, "mend the home", "home of %s: %v", u.Name, err))
	case !st.IsDir():
		i.wrong(finding(u.File, u.Line, "mend the home", "home of %s, %s, is not a directory", u.Name, u.Home))
	case st.Mode().Perm()&0o002 != 0:
		i.wrong(finding(u.File, u.Line, "chmod o-w "+u.Home, "everybody may write into %s, the home of %s", u.Home, u.Name))
	}
}

// aliases reads every alias with what it includes and leads to.
func (i *inspection) aliases() {
	if i.table == nil {
		return
	}
	first := map[string]int{}
	err := i.table.EachAlias(func(name string, at control.Line, members []string, err error) {
		if line, twice := first[name]; twice {
			i.wrong(at.Errorf("take one of them out", "alias %s is in line %d already, and that one counts", name, line))
			return
		}
		first[name] = at.No
		i.wrong(err)
		for _, m := range members {
			i.member(at, name, m)
		}
	})
	i.wrong(err)
}

// member wants a member of an alias to be somebody.
func (i *inspection) member(at control.Line, name, member string) {
	a, err := parseAddress(member)
	if err != nil {
		i.wrong(at.Errorf("mend the address", "alias %s: %q: %v", name, member, err))
		return
	}
	t, err := i.table.Resolve(a)
	if err == nil && t.Kind == route.Unknown {
		i.wrong(at.Errorf("add the user, or take the member out", "alias %s leads to %s, and nobody here has that name", name, member))
	}
}
