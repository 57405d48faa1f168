package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// identity is whom listen becomes after it has opened its sockets.
type identity struct {
	uid, gid int
	groups   []int
}

// parseIdentity reads --user: a name of the system's, or UID:GID.
func parseIdentity(s string) (id identity, err error) {
	uid, gid, numbers := strings.Cut(s, ":")
	if numbers {
		if id.uid, err = strconv.Atoi(uid); err == nil {
			id.gid, err = strconv.Atoi(gid)
		}
		if err != nil || id.uid < 0 || id.gid < 0 {
			return id, fmt.Errorf("--user %q: give a name, or two numbers UID:GID", s)
		}
		id.groups = []int{id.gid}
	} else if id, err = named(s); err != nil {
		return id, err
	}
	if id.uid == 0 || id.gid == 0 {
		return id, fmt.Errorf("--user %q is root; give the user that mail belongs to", s)
	}
	return id, nil
}

// named is a user of the system's with all its groups.
func named(name string) (id identity, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return id, fmt.Errorf("--user %q: %w; 'useradd --system %s' makes it", name, err, name)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return id, fmt.Errorf("groups of --user %q: %w", name, err)
	}
	for _, g := range append([]string{u.Uid, u.Gid}, groups...) {
		n, err := strconv.Atoi(g)
		if err != nil {
			return id, fmt.Errorf("--user %q: id %q is not a number", name, g)
		}
		id.groups = append(id.groups, n)
	}
	id.uid, id.gid, id.groups = id.groups[0], id.groups[1], id.groups[2:]
	return id, nil
}

// take becomes the identity for good, in all threads. Who is it already has
// nothing to do.
func (id identity) take() error {
	if os.Getuid() == id.uid && os.Geteuid() == id.uid && os.Getegid() == id.gid {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("become uid %d: only root can, and this is uid %d; leave --user out", id.uid, os.Geteuid())
	}
	if err := syscall.Setgroups(id.groups); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setresgid(id.gid, id.gid, id.gid); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setresuid(id.uid, id.uid, id.uid); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	if syscall.Setuid(0) == nil {
		return errors.New("become another user: the way back to root is open")
	}
	return nil
}
