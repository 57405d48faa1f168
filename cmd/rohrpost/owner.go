package main

import (
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
)

// owner is who owns the mail of a host: the uid that its programs run as.
type owner struct {
	path     string // the directory that says so
	uid, gid int
	groups   []int // all, with gid
}

// mailOwner is the owner of the mail directory, or of the queue if there is no
// mail directory. ok is false if there is neither.
func mailOwner(etc control.Dir) (o owner, ok bool) {
	for _, where := range []func(string) (string, error){etc.Mail, etc.Queue} {
		path, err := where("")
		if err != nil {
			continue
		}
		if st, err := os.Stat(path); err == nil {
			s := st.Sys().(*syscall.Stat_t)
			return newOwner(path, int(s.Uid), int(s.Gid)), true
		}
	}
	return owner{}, false
}

// newOwner looks up the groups of a uid. One that the system does not know has
// the group of its directory.
func newOwner(path string, uid, gid int) owner {
	o := owner{path: path, uid: uid, gid: gid}
	account, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		o.groups = []int{gid}
		return o
	}
	if n, err := strconv.Atoi(account.Gid); err == nil {
		o.gid = n
	}
	o.groups = []int{o.gid}
	ids, _ := account.GroupIds()
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			o.groups = append(o.groups, n)
		}
	}
	return o
}

// foreign reports whether the mail of a user is for another uid.
func (o owner) foreign(u users.User) bool { return u.UID != users.None && u.UID != o.uid }

// may reports whether the mode of a file gives the owner this right: 4 to read,
// 1 to pass through a directory.
func (o owner) may(right os.FileMode, st os.FileInfo) bool {
	s := st.Sys().(*syscall.Stat_t)
	mode := st.Mode().Perm()
	switch {
	case o.uid == 0:
		return true
	case int(s.Uid) == o.uid:
		return mode&(right<<6) != 0
	case slices.Contains(o.groups, int(s.Gid)):
		return mode&(right<<3) != 0
	}
	return mode&right != 0
}
