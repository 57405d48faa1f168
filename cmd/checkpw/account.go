package main

import (
	"errors"
	"fmt"
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/password"
	"rohrpost/cmd/internal/users"
)

// account is whom a login names.
type account struct {
	name        string // as its book has it, not as the client typed it
	hash        string // "": nobody can log in
	uid, gid    int    // users.None: the program's own
	groups      []int  // supplementary
	home, shell string
	where       string // file and line, for messages
}

// book is a place where accounts are written down.
type book interface {
	// find returns the account of a login. It takes the same time whether
	// there is one or not.
	find(login string) (a account, ok bool, err error)
	// sample is the hash of some account, "" if there is none.
	sample() string
}

// open returns the books, in the order in which they are asked.
func (o *options) open() ([]book, error) {
	etc := control.Open(o.etc)
	mail, err := etc.Mail(o.mail)
	if err != nil {
		return nil, err
	}
	mine, err := localNames(etc)
	if err != nil {
		return nil, err
	}
	books := []book{&usersBook{users.Open(etc, mail), mine}}
	if o.system {
		books = append(books, systemBook{passwd: "/etc/passwd", shadow: "/etc/shadow", group: "/etc/group"})
	}
	return books, nil
}

// check finds the account of a login and verifies the password. All books are
// asked, whichever knows the login, and one hash is computed for every login
// that could exist: neither words nor time tell a stranger which do.
func check(books []book, r record) (account, error) {
	if err := users.CheckName(r.login); err != nil || r.password == "" {
		log.Event("refused", "user", r.login, "reason", "login or password is not well formed")
		return account{}, refused
	}
	var found *account
	like := ""
	for _, b := range books {
		a, ok, err := b.find(r.login)
		if err != nil {
			return account{}, err
		}
		if ok && found == nil {
			found = &a
		}
		if like == "" {
			like = b.sample()
		}
	}
	if found == nil || found.hash == "" {
		password.Pretend(like, r.password)
		log.Event("refused", "user", r.login, "reason", "no such user with a password")
		return account{}, refused
	}
	ok, err := password.Verify(found.hash, r.password)
	if err != nil {
		return account{}, fmt.Errorf("%s: %w; 'rohrpost user passwd %s' makes a new one", found.where, err, found.name)
	}
	if !ok {
		log.Event("refused", "user", r.login, "reason", "wrong password")
		return account{}, refused
	}
	return *found, nil
}

// usersBook is the file users(5).
type usersBook struct {
	table *users.Table
	local []string // domains whose users are bare names
}

// localNames is the domains that may follow a bare name: me, localhost and those
// of the file locals.
func localNames(etc control.Dir) ([]string, error) {
	me, err := etc.Me()
	if err != nil {
		return nil, err
	}
	names := []string{me, "localhost"}
	lines, _, err := etc.Lines("locals")
	for _, l := range lines {
		names = append(names, users.Fold(l.Text))
	}
	return names, err
}

// find looks for the login as it stands, then, if its domain is one of ours, for
// the name alone. The first name asked for is one that no line has: so the
// table never stops early, and reads on even when it has found its user.
func (b *usersBook) find(login string) (account, bool, error) {
	u, which, err := b.table.First("", login, b.bare(login))
	if err != nil || which < 0 {
		return account{}, false, err
	}
	return account{
		name: u.Name, hash: u.Hash, uid: u.UID, gid: u.GID, home: u.Home, shell: "/bin/sh",
		where: fmt.Sprintf("%s:%d", u.File, u.Line),
	}, true, nil
}

// bare is the login without a domain of ours, "" if it has another or none.
func (b *usersBook) bare(login string) string {
	i := strings.LastIndexByte(login, '@')
	for _, d := range b.local {
		if i >= 0 && users.Fold(login[i+1:]) == d {
			return login[:i]
		}
	}
	return ""
}

// sample is the hash of the first user who has one.
func (b *usersBook) sample() string {
	hash := ""
	enough := errors.New("enough")
	b.table.Each(func(u users.User, err error) error {
		if err == nil && u.Hash != "" {
			hash = u.Hash
			return enough
		}
		return nil
	})
	return hash
}
