package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/password"
	"rohrpost/cmd/internal/route"
	"rohrpost/cmd/internal/users"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/address"
)

// book is the users of a mail host, to be changed.
type book struct {
	etc   control.Dir
	mail  string
	table *users.Table
}

func openBook(p *place) (*book, error) {
	etc, err := p.must()
	if err != nil {
		return nil, err
	}
	mail, err := etc.Mail("")
	if err != nil {
		return nil, err
	}
	b := &book{etc: etc, mail: mail, table: users.Open(etc, mail)}
	if m, ok := mailOwner(etc); ok {
		b.table.Group = m.gid
	}
	return b, nil
}

// canonical is a name as it stands in users: NAME for a local domain, else
// NAME@DOMAIN with the domain in A-labels.
func (b *book) canonical(arg string) (string, error) {
	name := users.Fold(arg)
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		domain, err := address.ParseDomain(name[i+1:], true)
		if err != nil {
			return "", frame.Usage(fmt.Errorf("%q is not a domain", name[i+1:]))
		}
		name = name[:i] + "@" + domain
	}
	if err := users.CheckName(name); err != nil {
		return "", frame.Usage(err)
	}
	table, err := route.Load(b.etc, b.mail)
	if err != nil {
		return "", err
	}
	return table.UserName(name)
}

// newUser is what user add was told.
type newUser struct {
	name, password string
	dir, quota     string
	uid, gid       int
}

// add adds a user: first the domain, then the Maildir, then the line, so that
// who stops in between has added nobody.
func (b *book) add(n newUser, out io.Writer) (users.User, error) {
	hash, err := password.Hash(n.password)
	if err != nil {
		return users.User{}, err
	}
	dir := n.dir
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return users.User{}, err
		}
	}
	if err := n.check(); err != nil {
		return users.User{}, frame.Usage(err)
	}
	switch taken, err := b.table.Has(n.name); {
	case err != nil:
		return users.User{}, frame.Fail(err)
	case taken:
		return users.User{}, frame.Fail(fmt.Errorf("%w; 'rohrpost user passwd' changes the password", users.ErrExists))
	}
	line, err := users.Line(n.name, hash, n.uid, n.gid, dir, n.quota)
	if err != nil {
		return users.User{}, frame.Usage(err)
	}
	if n.quota != "" {
		if _, err := users.ParseQuota(n.quota); err != nil {
			return users.User{}, frame.Usage(fmt.Errorf("--quota: %w; write it as storage=1G or storage=1G:messages=10000", err))
		}
	}
	u, err := b.table.Parse(line)
	if err != nil {
		return users.User{}, frame.Fail(err)
	}
	if err := b.serve(u.Name, out); err != nil {
		return users.User{}, err
	}
	if err := b.makeMaildir(u); err != nil {
		return users.User{}, err
	}
	if m, ok := mailOwner(b.etc); ok && m.foreign(u) {
		fmt.Fprintf(out, "uid %d is not that of %s (%d): mail for %s waits until relay and deliver run as uid %d\n", u.UID, m.path, m.uid, u.Name, u.UID)
	}
	return u, b.table.Add(b.etc, line)
}

// check refuses what could be written and would not work.
func (n newUser) check() error {
	if _, domain, virtual := strings.Cut(n.name, "@"); virtual && strings.Contains(domain, "_") {
		return fmt.Errorf("%q is not a domain: it contains an underscore", domain)
	}
	if (n.uid == users.None) != (n.gid == users.None) {
		return errors.New("--uid and --gid need each other; see 'rohrpost user add --help'")
	}
	return nil
}

func (b *book) passwd(name, secret string) error {
	hash, err := password.Hash(secret)
	if err != nil {
		return err
	}
	return b.table.SetHash(b.etc, name, hash)
}

// lastOf reports whether a user who is gone was the last of a virtual domain.
func (b *book) lastOf(name string) (domain string, last bool) {
	_, domain, virtual := strings.Cut(name, "@")
	if !virtual {
		return "", false
	}
	err := b.table.Each(func(u users.User, _ error) error {
		if strings.HasSuffix(u.Name, "@"+domain) {
			return errAny
		}
		return nil
	})
	return domain, err == nil
}

// serve adds the domain of a virtual user to virtualdomains.
func (b *book) serve(name string, out io.Writer) error {
	_, domain, virtual := strings.Cut(name, "@")
	if !virtual {
		return nil
	}
	table, err := route.Load(b.etc, b.mail)
	if err != nil {
		return err
	}
	local, err := table.Serves(domain)
	if err != nil || local {
		return err
	}
	unlock, err := b.etc.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := b.appendLine("virtualdomains", domain); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: added %s\n", b.etc.File("virtualdomains"), domain)
	return nil
}

// appendLine adds a line to a control file.
func (b *book) appendLine(name, line string) error {
	old, err := os.ReadFile(b.etc.File(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		old = append(old, '\n')
	}
	return b.etc.Replace(name, 0o644, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s%s\n", old, line)
		return err
	})
}

// makeMaildir makes a user's Maildir, and gives what it made to the user's uid,
// else to the owner of the mail directory: root adds users for the mail uid.
func (b *book) makeMaildir(u users.User) error {
	above := existing(u.Maildir())
	m, err := maildir.Create(u.Maildir(), disk.OS)
	if err != nil {
		return err
	}
	m.Close()
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := ownerOf(b.mail)
	if err != nil {
		return err
	}
	if u.UID != users.None {
		uid, gid = u.UID, u.GID
	}
	return giveAway(above, u.Maildir(), uid, gid)
}

// existing is the longest part of a path that exists.
func existing(path string) string {
	for path != "/" {
		if _, err := os.Lstat(path); err == nil {
			return path
		}
		path = filepath.Dir(path)
	}
	return path
}

// giveAway changes the owner of a Maildir and of the directories between it and
// above, which exists longer than the user.
func giveAway(above, path string, uid, gid int) error {
	paths := []string{}
	if path != above {
		for _, sub := range []string{"tmp", "new", "cur"} {
			paths = append(paths, filepath.Join(path, sub))
		}
	}
	for ; path != above && path != "/"; path = filepath.Dir(path) {
		paths = append(paths, path)
	}
	for _, p := range paths {
		if err := os.Lchown(p, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

func ownerOf(path string) (uid, gid int, err error) {
	st, err := os.Stat(existing(path))
	if err != nil {
		return 0, 0, err
	}
	s := st.Sys().(*syscall.Stat_t)
	return int(s.Uid), int(s.Gid), nil
}
