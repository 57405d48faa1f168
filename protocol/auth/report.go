package auth

import (
	"bytes"
	"errors"
	"strconv"
)

// The report of login-ok is fields, each ended by one NUL:
//
//	login-ok 1          the format and its version
//	UID                 decimal
//	GID[ GID…]          decimal, the primary group first
//	DIRECTORY           absolute
//	NAME=VALUE          any number of times: the environment
//	                    an empty field: the end
//
// A report that was cut off lacks its end and is none; so is one with anything
// before or behind it. No login can forge it, because logins hold no NUL.
const reportHead = "login-ok 1"

// maxReport bounds a report, in bytes.
const maxReport = 128 << 10

var errReport = errors.New("it printed no report of login-ok: was login-ok run?")

// AppendReport appends id as login-ok reports it. Strings that are no
// NAME=VALUE are left out of the environment.
func AppendReport(b []byte, id Identity) ([]byte, error) {
	start := len(b)
	b = append(append(b, reportHead...), 0)
	b = append(strconv.AppendInt(b, int64(id.UID), 10), 0)
	for i, g := range id.GIDs {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(g), 10)
	}
	b = append(b, 0)
	b = append(append(b, id.Dir...), 0)
	for _, e := range id.Env {
		if isSetting([]byte(e)) {
			b = append(append(b, e...), 0)
		}
	}
	b = append(b, 0)
	if len(b)-start > maxReport {
		return b[:start], errors.New("environment is larger than " + strconv.Itoa(maxReport) + " bytes")
	}
	return b, nil
}

// ParseReport reads a whole report.
func ParseReport(b []byte) (Identity, error) {
	var id Identity
	if len(b) > maxReport || !bytes.HasSuffix(b, []byte{0, 0}) {
		return id, errReport
	}
	f := bytes.Split(b[:len(b)-2], []byte{0})
	if len(f) < 4 || string(f[0]) != reportHead || len(f[3]) == 0 || f[3][0] != '/' {
		return id, errReport
	}
	var err error
	if id.UID, err = parseID(f[1]); err != nil {
		return id, err
	}
	for _, g := range bytes.Split(f[2], []byte{' '}) {
		n, err := parseID(g)
		if err != nil {
			return id, err
		}
		id.GIDs = append(id.GIDs, n)
	}
	id.Dir = string(f[3])
	for _, e := range f[4:] {
		if !isSetting(e) {
			return id, errReport
		}
		id.Env = append(id.Env, string(e))
	}
	return id, nil
}

// parseID reads a uid or gid: 32 bits, and not the value that means "no change"
// to the kernel.
func parseID(b []byte) (int, error) {
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil || n == 1<<32-1 || strconv.FormatUint(n, 10) != string(b) {
		return 0, errReport
	}
	return int(n), nil
}

// isSetting reports whether an environment string is NAME=VALUE.
func isSetting(e []byte) bool { return bytes.IndexByte(e, '=') > 0 }
