package users

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"rohrpost/cmd/internal/control"
)

// Errors of a change.
var (
	ErrExists  = errors.New("there is such a user already")
	ErrMissing = errors.New("there is no such user")
)

// newMode is the mode of a users file that did not exist: hashes are secrets. If
// root makes it for Table.Group, that may read it too.
const newMode = 0o600

// Line is a user as a line of the file, without LF. quota is a rule as Dovecot
// writes it; uid and gid may be None and home and quota empty.
func Line(name, hash string, uid, gid int, home, quota string) (string, error) {
	for _, field := range []string{name, hash, home} {
		if strings.ContainsAny(field, ":\r\n\x00") {
			return "", fmt.Errorf("%q contains a colon or a line end, which cannot stand in %s", field, FileName)
		}
	}
	extra := ""
	if quota != "" {
		if strings.ContainsAny(quota, " \t\r\n\x00") {
			return "", fmt.Errorf("quota %q contains a blank", quota)
		}
		extra = quotaKey + quota
	}
	return strings.Join([]string{name, hash, number(uid), number(gid), "", home, "", extra}, ":"), nil
}

func number(id int) string {
	if id == None {
		return ""
	}
	return fmt.Sprint(id)
}

// Parse reads a line that is not in the file yet.
func (t *Table) Parse(line string) (User, error) {
	return t.parse(control.Row{Text: []byte(line)})
}

// Add appends a line for a new user, or fails with ErrExists.
func (t *Table) Add(etc control.Dir, line string) error {
	u, err := t.Parse(line)
	if err != nil {
		return err
	}
	return t.edit(etc, u.Name, func(old []byte) ([]byte, error) {
		if old != nil {
			return nil, ErrExists
		}
		return []byte(line), nil
	})
}

// SetHash changes a user's hash and nothing else of the line, or fails with
// ErrMissing.
func (t *Table) SetHash(etc control.Dir, name, hash string) error {
	if strings.ContainsAny(hash, ":\r\n\x00") {
		return fmt.Errorf("hash %q cannot stand in a line", hash)
	}
	return t.edit(etc, name, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, ErrMissing
		}
		f := strings.SplitN(string(old), ":", 3)
		f = append(f, "")[:max(len(f), 2)]
		f[fieldHash] = hash
		return []byte(strings.Join(f, ":")), nil
	})
}

// Delete takes a user's line out, or fails with ErrMissing.
func (t *Table) Delete(etc control.Dir, name string) error {
	return t.edit(etc, name, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, ErrMissing
		}
		return nil, nil
	})
}

// edit rewrites the file under the lock. change gets the user's line, or nil if
// there is none, and returns the line in its place, or nil for none. All other
// lines, comments among them, stay as they are.
func (t *Table) edit(etc control.Dir, name string, change func(old []byte) ([]byte, error)) error {
	if err := CheckName(name); err != nil {
		return err
	}
	unlock, err := etc.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	return etc.ReplaceFor(t.Group, FileName, newMode, func(w io.Writer) error {
		return t.copy(w, Fold(name), change)
	})
}

func (t *Table) copy(w io.Writer, name string, change func(old []byte) ([]byte, error)) error {
	found := false
	put := func(line []byte) error {
		if line == nil {
			return nil
		}
		_, err := w.Write(append(line, '\n'))
		return err
	}
	_, err := t.file.Each(func(r control.Row) (bool, error) {
		line := bytes.Clone(r.Text)
		if key, _, _ := bytes.Cut(r.Text, []byte(":")); !found && index([]string{name}, key) == 0 {
			var err error
			found = true
			if line, err = change(line); err != nil {
				return true, err
			}
		}
		return false, put(line)
	})
	if err != nil || found {
		return err
	}
	line, err := change(nil)
	if err != nil {
		return err
	}
	return put(line)
}
