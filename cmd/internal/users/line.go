package users

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"rohrpost/cmd/internal/control"
)

// The fields of a line, from 0. All after the name may be missing.
const (
	fieldName = iota
	fieldHash
	fieldUID
	fieldGID
	fieldGecos
	fieldHome
	fieldShell
	fieldExtra
	fields
)

// maxID is the largest uid and gid: 2^32-1 means "none" to the kernel.
const maxID = 1<<32 - 2

// quotaKey begins the extra field that holds the quota, as Dovecot has it.
const quotaKey = "userdb_quota_rule=*:"

// parse reads one line that is neither blank nor a comment.
func (t *Table) parse(r control.Row) (User, error) {
	at := control.Line{File: t.file.Path, No: r.No}
	if r.Torn {
		return User{}, at.Errorf("end the file with a newline; 'rohrpost user' replaces it whole",
			"the last line has no end, so it may be half written")
	}
	if bytes.IndexByte(r.Text, ':') < 0 {
		return User{}, at.Errorf("see rohrpost-users(5)", "%q has no colon", r.Text)
	}
	f := strings.SplitN(strings.TrimSuffix(string(r.Text), "\r"), ":", fields)
	f = append(f, make([]string, fields-len(f))...)
	u := User{Name: Fold(f[fieldName]), Hash: f[fieldHash], File: at.File, Line: r.No}
	if err := CheckName(u.Name); err != nil {
		return User{}, at.Errorf("see rohrpost-users(5)", "%v", err)
	}
	var err error
	if u.UID, err = id(f[fieldUID]); err != nil {
		return User{}, at.Errorf("give a number, or leave it empty", "uid of %s: %v", u.Name, err)
	}
	if u.UID == 0 {
		return User{}, at.Errorf("give the mailbox to another uid, or leave it empty", "uid of %s is 0: root has no mailbox", u.Name)
	}
	if u.GID, err = id(f[fieldGID]); err != nil {
		return User{}, at.Errorf("give a number, or leave it empty", "gid of %s: %v", u.Name, err)
	}
	if u.Home, err = t.home(u.Name, f[fieldHome]); err != nil {
		return User{}, at.Errorf("give an absolute path, or leave it empty", "%v", err)
	}
	if u.Quota, err = quota(f[fieldExtra]); err != nil {
		return User{}, at.Errorf("write it as userdb_quota_rule=*:storage=1G", "quota of %s: %v", u.Name, err)
	}
	return u, nil
}

// CheckName reports what is wrong with a name: NAME or NAME@DOMAIN that can
// stand in a line of users and be a directory below the mail directory.
func CheckName(name string) error {
	local, domain, virtual := cutDomain(name)
	if err := checkElement("name", local); err != nil {
		return err
	}
	if virtual {
		return checkElement("domain", domain)
	}
	return nil
}

// forbidden are the bytes that mean something else in users, in a path, or to
// the programs that read the same file.
const forbidden = "/:%*'\\\"<>(),;@ \t"

func checkElement(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("a %s is empty", what)
	case len(s) > 200:
		return fmt.Errorf("%s is longer than 200 bytes", what)
	case s[0] == '.' || s[0] == '-' || s[0] == '#':
		return fmt.Errorf("%s %q begins with %q", what, s, s[0])
	case strings.Contains(s, ".."):
		return fmt.Errorf("%s %q contains two dots in a row", what, s)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s %q is not UTF-8", what, s)
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f || c < utf8.RuneSelf && strings.ContainsRune(forbidden, c) {
			return fmt.Errorf("%s %q contains %q", what, s, c)
		}
	}
	return nil
}

// cutDomain splits a name at its last @.
func cutDomain(name string) (local, domain string, virtual bool) {
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return name, "", false
}

func id(s string) (int, error) {
	if s == "" {
		return None, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > maxID {
		return None, fmt.Errorf("%q is not a number from 1 to %d", s, maxID)
	}
	return int(n), nil
}

// home is the home of a line, MAIL/NAME or MAIL/DOMAIN/NAME if it is empty.
func (t *Table) home(name, given string) (string, error) {
	if given == "" {
		return DefaultHome(t.mail, name), nil
	}
	if !filepath.IsAbs(given) {
		return "", fmt.Errorf("home %q of %s is not an absolute path", given, name)
	}
	return filepath.Clean(given), nil
}

// DefaultHome is MAIL/NAME or MAIL/DOMAIN/NAME, for a name that CheckName has
// passed.
func DefaultHome(mail, name string) string {
	local, domain, _ := cutDomain(name)
	return filepath.Join(mail, domain, local)
}

// quota reads the quota out of the extra fields, which blanks separate.
func quota(extra string) (string, error) {
	for _, f := range strings.Fields(extra) {
		if rule, ok := strings.CutPrefix(f, quotaKey); ok {
			return ParseQuota(rule)
		}
	}
	return "", nil
}

// ParseQuota turns a quota rule as Dovecot writes it (storage=1G:messages=1000)
// into the form of maildirsize (1073741824S,1000C).
func ParseQuota(rule string) (string, error) {
	var out []string
	for _, part := range strings.Split(rule, ":") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "storage", "bytes":
			n, err := size(value, key == "storage")
			if err != nil {
				return "", err
			}
			out = append(out, strconv.FormatUint(n, 10)+"S")
		case "messages":
			n, err := strconv.ParseUint(value, 10, 62)
			if err != nil {
				return "", fmt.Errorf("%q is not a number of messages", value)
			}
			out = append(out, strconv.FormatUint(n, 10)+"C")
		default:
			return "", fmt.Errorf("%q is neither storage=, bytes= nor messages=", part)
		}
	}
	return strings.Join(out, ","), nil
}

// size is a number of bytes with an optional letter b k M G T. Dovecot counts a
// bare number after storage= in kilobytes, and so do we.
func size(s string, kilo bool) (uint64, error) {
	digits := strings.TrimRight(s, "bBkKmMgGtT")
	n, err := strconv.ParseUint(digits, 10, 40)
	unit := strings.ToLower(s[len(digits):])
	if unit == "" && kilo {
		unit = "k"
	}
	shift, ok := map[string]uint{"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40}[unit]
	if err != nil || !ok || n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return n << shift, nil
}
