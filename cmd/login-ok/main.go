// Login-ok is what a checkpassword program runs when the password was right: it
// reports on descriptor 1 the identity it was given (rohrpost-login-ok(8);
// the format is in protocol/auth).
//
// It has no flags and so no flag parser: it runs once for each login, and its
// start is all that it costs.
package main

import (
	"os"

	"rohrpost/cmd/internal/frame"
	"rohrpost/protocol/auth"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 2 && about[os.Args[1]] != "" {
		say(about[os.Args[1]])
		return
	}
	if len(os.Args) > 1 {
		fail(frame.Server.Usage, "takes no arguments; a checkpassword program runs it, see rohrpost-login-ok(8)")
	}
	id, err := identity()
	if err != nil {
		fail(frame.Server.Temporary, err.Error())
	}
	report, err := auth.AppendReport(nil, id)
	if err != nil {
		fail(frame.Server.Temporary, err.Error())
	}
	say(string(report))
}

// about is what login-ok says of itself.
var about = map[string]string{
	"--help":    help,
	"-h":        help,
	"--version": "login-ok (rohrpost) " + frame.Version + "\n",
}

const help = `login-ok reports on standard output the identity that it was given, in a form for
programs. A checkpassword program runs it when the password was right; see
rohrpost-login-ok(8).

Usage:
  login-ok
`

func say(text string) {
	if _, err := os.Stdout.WriteString(text); err != nil {
		fail(frame.Server.Temporary, err.Error())
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
