package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/users"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
	"rohrpost/protocol/address"
)

// makeHome makes the directory of a mail host, or what is missing of it. Each
// step can be repeated, so a first start that was killed is completed by the
// next.
func makeHome(home, host string) error {
	for _, dir := range []string{"etc", "mail"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			return fmt.Errorf("make the mail host: %w", err)
		}
	}
	q, err := queue.Create(filepath.Join(home, "queue"), disk.OS)
	if err != nil {
		return fmt.Errorf("make the mail host: %w", err)
	}
	q.Close()
	etc := control.Dir{Path: filepath.Join(home, "etc")}
	for _, name := range []string{"mail", "queue"} {
		if err := writeIfMissing(etc, name, "../"+name); err != nil {
			return err
		}
	}
	return nameHost(etc, host)
}

func writeIfMissing(etc control.Dir, name, value string) error {
	if _, err := os.Lstat(etc.File(name)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return writeValue(etc, name, value)
}

func writeValue(etc control.Dir, name, value string) error {
	return etc.Replace(name, 0o644, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, value)
		return err
	})
}

// nameHost writes me: the name given, else on first use the system's.
func nameHost(etc control.Dir, host string) error {
	if host == "" {
		name, err := etc.Me()
		if err != nil {
			return err
		}
		if _, err := address.ParseDomain(name, true); err != nil {
			name = "localhost" // a system's name may hold what a mail domain may not
		}
		return writeIfMissing(etc, "me", name)
	}
	name, err := address.ParseDomain(host, true)
	if err != nil {
		return frame.Usage(fmt.Errorf("--host %q: %w; give a name like mx.example.org", host, err))
	}
	if me, err := etc.Me(); err != nil || me == name {
		if err != nil {
			return err
		}
		return writeIfMissing(etc, "me", name)
	}
	return writeValue(etc, "me", name)
}

// lockHome keeps a second up out. The lock goes with the process, whatever ends
// it.
func lockHome(home string) (unlock func(), err error) {
	path := filepath.Join(home, "run", "up.pid")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the mail host: %w; give another --home", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		pid, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		return nil, fmt.Errorf("%s is up already: pid %s; stop that, or give another --home", home, strings.TrimSpace(string(pid)))
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// errAny ends a look for users at the first.
var errAny = errors.New("there is a user")

// makeDemo makes the user demo if there are no users, and tells the password
// this once.
func makeDemo(etc control.Dir) error {
	b, err := openBook(&place{etc: etc.Path})
	if err != nil {
		return err
	}
	err = b.table.Each(func(users.User, error) error { return errAny })
	if errors.Is(err, errAny) {
		return nil
	}
	if err != nil {
		return err
	}
	n := newUser{name: "demo", password: generate(), uid: users.None, gid: users.None}
	if _, err := b.add(n, os.Stderr); err != nil {
		return err
	}
	log.Event("demo-user", "user", n.name, "password", n.password)
	return nil
}
