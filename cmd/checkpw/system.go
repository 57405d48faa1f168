package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// systemBook is the accounts of the system, in the files passwd(5), shadow(5)
// and group(5). Accounts that a name service has elsewhere are not seen.
type systemBook struct{ passwd, shadow, group string }

// fields of passwd(5) and shadow(5), and the number of them that must be there.
const (
	pwUID, pwGID, pwHome, pwShell, pwFields = 2, 3, 5, 6, 7
	spHash, spExpire, spFields              = 1, 7, 8
	grID, grMembers, grFields               = 2, 3, 4
)

// maxSystemLine bounds a line of these files, in bytes; groups may be long.
const maxSystemLine = 64 << 10

// eachLine calls visit with the fields of each line that has at least n.
func eachLine(path string, n int, visit func(f []string)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; --system needs root, or a user who may read it", err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxSystemLine)
	for lines.Scan() {
		if f := strings.Split(lines.Text(), ":"); len(f) >= n {
			visit(f)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// find reads all files through for every login. Accounts without uid, with uid
// 0, or expired have no mail to read.
func (b systemBook) find(login string) (a account, ok bool, err error) {
	var pw, sp []string
	if err = eachLine(b.passwd, pwFields, func(f []string) {
		if f[0] == login && pw == nil {
			pw = f
		}
	}); err != nil {
		return a, false, err
	}
	if err = eachLine(b.shadow, spFields, func(f []string) {
		if f[0] == login && sp == nil {
			sp = f
		}
	}); err != nil {
		return a, false, err
	}
	groups, err := b.groups(login)
	if err != nil || pw == nil || sp == nil || expired(sp[spExpire], time.Now()) {
		return a, false, err
	}
	uid, err1 := strconv.Atoi(pw[pwUID])
	gid, err2 := strconv.Atoi(pw[pwGID])
	if err1 != nil || err2 != nil || uid <= 0 || gid < 0 {
		return a, false, nil
	}
	return account{
		name: login, hash: usable(sp[spHash]), uid: uid, gid: gid, groups: groups,
		home: pw[pwHome], shell: pw[pwShell], where: b.shadow + ": user " + login,
	}, true, nil
}

// groups is the supplementary groups of an account.
func (b systemBook) groups(login string) (ids []int, err error) {
	err = eachLine(b.group, grFields, func(f []string) {
		id, err := strconv.Atoi(f[grID])
		if err == nil && slices.Contains(strings.Split(f[grMembers], ","), login) {
			ids = append(ids, id)
		}
	})
	return ids, err
}

// usable is the hash, "" for the forms by which shadow(5) says that no password
// is right: empty, locked (!), none (*).
func usable(hash string) string {
	if hash == "" || hash[0] == '!' || hash[0] == '*' {
		return ""
	}
	return hash
}

// expired reports whether an account has expired: day is in days since 1970,
// empty for never.
func expired(day string, now time.Time) bool {
	n, err := strconv.ParseInt(day, 10, 64)
	return err == nil && n >= 0 && now.Unix()/(24*60*60) >= n
}

func (b systemBook) sample() string {
	hash := ""
	eachLine(b.shadow, spFields, func(f []string) {
		if hash == "" {
			hash = usable(f[spHash])
		}
	})
	return hash
}
