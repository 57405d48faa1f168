// Package auth asks a checkpassword-compatible program whether a login is right
// (cr.yp.to/checkpwd/interface.html) and learns whom it makes of the client.
//
// Such a program reads login, password and timestamp on descriptor 3, takes the
// account's identity and runs the program it was told. We tell it to run
// login-ok, which reports that identity on its standard output. So a right
// password is a report and exit code 0; nothing else is.
//
// Invariants:
//  1. The program inherits descriptors 0 to 3 and no other.
//  2. A login that could mean something to a shell, a path, a query or a
//     template reaches no program at all.
//  3. No output, exit code or death of the program, without the report of
//     login-ok, is a success.
//
// Start reading at Check; report.go has the format that login-ok writes.
package auth

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrRefused is a login or password that is not right. The client may try
// again; it is told no more than that.
var ErrRefused = errors.New("login refused")

// maxRecord bounds what a checkpassword program reads on descriptor 3, in bytes,
// so it bounds login, password and timestamp together.
const maxRecord = 512

// maxLogin bounds a login, in bytes.
const maxLogin = 255

// timeout is how long a checkpassword program may take. Slow hashes on a busy
// host take seconds; a client gives up after a minute.
const timeout = 30 * time.Second

// Identity is whom a login turned out to be.
type Identity struct {
	UID  int
	GIDs []int    // the primary group first, then the supplementary ones
	Dir  string   // working directory, as a rule the home
	Env  []string // the environment as the checkpassword program left it
}

// Check runs "argv… loginOK" with login, password and stamp on descriptor 3, the
// null device on 0, a pipe on 1 and our log on 2, in the environment env. stamp
// is what a challenge was, or anything: the common programs ignore it. loginOK is
// the path of login-ok.
//
// The error is ErrRefused if the answer is no, which includes everything that
// cannot be right and so is not even asked: no password, a strange login, more
// than the 512 bytes that fit. Every other error is temporary: the program is
// missing, was killed, exits with anything but 0 and 1, exits 0 without the
// report of login-ok, or was still running after 30 seconds and has been killed
// with its process group.
func Check(argv []string, loginOK string, login, password, stamp string, env []string) (Identity, error) {
	record, err := appendRecord(nil, login, password, stamp)
	if err != nil {
		return Identity{}, err
	}
	c := child{argv: append(argv[:len(argv):len(argv)], loginOK), env: env, timeout: timeout}
	return c.ask(record)
}

// appendRecord appends what descriptor 3 will hold: login, password and stamp,
// each ended by NUL.
func appendRecord(b []byte, login, password, stamp string) ([]byte, error) {
	if !goodLogin(login) || password == "" || strings.IndexByte(password, 0) >= 0 || strings.IndexByte(stamp, 0) >= 0 {
		return nil, ErrRefused
	}
	for _, s := range []string{login, password, stamp} {
		b = append(b, s...)
		b = append(b, 0)
	}
	if len(b) > maxRecord {
		return nil, ErrRefused
	}
	return b, nil
}

// goodLogin reports whether a login can be handed to a program: printable UTF-8
// that is neither a path nor an option, and has none of the characters that
// templates, queries and the users file give a meaning to.
func goodLogin(s string) bool {
	if s == "" || len(s) > maxLogin || !utf8.ValidString(s) {
		return false
	}
	if s[0] == '-' || s[0] == '.' || strings.Contains(s, "..") || strings.ContainsAny(s, `/\%'"*():`) {
		return false
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}
