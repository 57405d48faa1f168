package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"rohrpost/cmd/internal/users"
)

// take becomes the account for good: groups, gid, uid, environment, working
// directory.
func (a account) take() error {
	if err := a.takeIDs(); err != nil {
		return err
	}
	for name, value := range map[string]string{"USER": a.name, "HOME": a.home, "SHELL": a.shell} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if err := os.Chdir(a.home); err != nil {
		return fmt.Errorf("home: %w; %s", err, a.remedy(err))
	}
	return nil
}

// remedy is what to do about a home that cannot be entered.
func (a account) remedy(err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return "'rohrpost user add' makes it for new users; for this one: install -d -m 700 " + a.owner() + a.home
	}
	return "it must be a directory of this user"
}

func (a account) owner() string {
	if a.uid == users.None {
		return ""
	}
	return fmt.Sprintf("-o %d -g %d ", a.uid, a.gid)
}

// takeIDs takes groups, gid and uid. An account without a uid, and one whose
// uid is ours already, runs as we are: the virtual users of one mail uid.
func (a account) takeIDs() error {
	own := os.Geteuid()
	switch {
	case a.uid == users.None || a.uid == own:
		return nil
	case own != 0:
		return fmt.Errorf("%s: its uid is %d, this program's %d, and only root can change it; leave the uid empty for virtual users", a.where, a.uid, own)
	case a.gid == users.None:
		return fmt.Errorf("%s: it has a uid but no gid; add the gid", a.where)
	}
	if err := syscall.Setgroups(append([]int{a.gid}, a.groups...)); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setresgid(a.gid, a.gid, a.gid); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setresuid(a.uid, a.uid, a.uid); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	return nil
}
