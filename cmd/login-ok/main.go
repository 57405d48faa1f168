// Login-ok is what a checkpassword program runs when the password was right: it
// reports on descriptor 1 the identity it was given (rohrpost-login-ok(8);
// the format is in protocol/auth).
//
// It has no flags and so no flag parser: it runs once for each login, and its
// start is all that it costs.
package main

import (
	"os"

	"rohrpost/protocol/auth"

	"golang.org/x/sys/unix"
)

// The exit codes of a server (prog.Server, which would link the flag parser).
const (
	temporary = 111
	misuse    = 100
)

func main() {
	if len(os.Args) > 1 {
		fail(misuse, "takes no arguments; a checkpassword program runs it, see rohrpost-login-ok(8)")
	}
	id, err := identity()
	if err != nil {
		fail(temporary, err.Error())
	}
	report, err := auth.AppendReport(nil, id)
	if err != nil {
		fail(temporary, err.Error())
	}
	if _, err := os.Stdout.Write(report); err != nil {
		fail(temporary, err.Error())
	}
}

// identity is who this process is now.
func identity() (auth.Identity, error) {
	groups, err := unix.Getgroups()
	if err != nil {
		return auth.Identity{}, os.NewSyscallError("getgroups", err)
	}
	dir, err := unix.Getwd()
	if err != nil {
		return auth.Identity{}, os.NewSyscallError("getcwd", err)
	}
	return auth.Identity{
		UID:  unix.Geteuid(),
		GIDs: append([]int{unix.Getegid()}, groups...),
		Dir:  dir,
		Env:  os.Environ(),
	}, nil
}

func fail(code int, why string) {
	unix.Write(2, []byte("login-ok: "+why+"\n"))
	os.Exit(code)
}
