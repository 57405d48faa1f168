// Package users reads the file users (rohrpost-users(5)): who has a mailbox
// here, its password hash, identity, home and quota, in the lines of the
// passwd-file that Dovecot reads:
//
//	name:{SCHEME}hash:uid:gid:gecos:home:shell:extra
//
// A name is NAME, a user of the domains in locals, or NAME@DOMAIN, a user of a
// virtual domain. Names are compared without regard to case.
//
// The file is read through on each lookup, so a user added meanwhile works at
// once. That is fine up to about a million lines; an index (cdb) may come later.
//
// Start reading at Lookup, then parse.
package users

import (
	"bytes"
	"strings"

	"rohrpost/cmd/internal/control"
)

// FileName is the file's name in the configuration directory.
const FileName = "users"

// None is the UID or GID of a user whose line leaves it empty: the program's
// own.
const None = -1

// User is one line of users.
type User struct {
	Name  string // as in the file, in lower case: NAME or NAME@DOMAIN
	Hash  string // {SCHEME}hash, as in the file; empty: nobody can log in
	UID   int    // None if empty, never 0
	GID   int    // None if empty
	Home  string // absolute; the Maildir is in it
	Quota string // as the first line of maildirsize has it: 1073741824S,1000C; empty: none
	File  string // where it stands
	Line  int
}

// Maildir is the path of the user's Maildir.
func (u User) Maildir() string { return u.Home + "/Maildir" }

// Scheme is how the password is hashed, "-" without one.
func (u User) Scheme() string {
	if name, _, ok := strings.Cut(strings.TrimPrefix(u.Hash, "{"), "}"); ok {
		return name
	}
	if u.Hash == "" {
		return "-"
	}
	return "crypt" // bare, as in /etc/shadow
}

// Table is the file users of one configuration directory, for programs that
// look up more than once. It is safe for several goroutines.
type Table struct {
	// Group is the gid that has to read a file that root makes; 0 is none.
	Group int

	file control.File
	mail string
}

// Open returns the table. mail is the directory for homes that the file leaves
// empty. Nothing is read yet.
func Open(etc control.Dir, mail string) *Table {
	return &Table{file: control.File{Path: etc.File(FileName), Private: true}, mail: mail}
}

// Lookup finds one user. ok is false if there is none of that name; an error is
// a control.Error, and temporary.
func Lookup(etc control.Dir, mail, name string) (u User, ok bool, err error) {
	u, i, err := Open(etc, mail).First(name)
	return u, i >= 0, err
}

// First finds the user of the first of these names that there is, in one pass,
// and says which name it was: -1 if there is none. If a name stands in several
// lines, the first counts. A file that does not exist is an error.
func (t *Table) First(names ...string) (u User, which int, err error) {
	u, which, exists, err := t.first(names)
	if err == nil && !exists {
		err = t.Missing()
	}
	return u, which, err
}

// Has reports whether a name is taken. A file that does not exist yet has
// nobody.
func (t *Table) Has(name string) (bool, error) {
	_, which, _, err := t.first([]string{name})
	return which >= 0, err
}

func (t *Table) first(names []string) (u User, which int, exists bool, err error) {
	which = -1
	folded := foldAll(names)
	exists, err = t.file.Each(func(r control.Row) (bool, error) {
		name, _, _ := bytes.Cut(r.Text, []byte(":"))
		i := index(folded[:limit(which, len(folded))], name)
		if i < 0 {
			return false, nil
		}
		found, err := t.parse(r)
		if err != nil {
			return true, err
		}
		u, which = found, i
		return i == 0, nil
	})
	return u, which, exists, err
}

// Missing is the error for a file that is not there. That is no empty file: it
// may be a directory that was mistyped or is not mounted, and then everybody
// would be unknown, and their mail bounce.
func (t *Table) Missing() error {
	return &control.Error{File: t.file.Path, What: "does not exist",
		Remedy: "'rohrpost user add' makes it; an empty file says that there are no users"}
}

// limit is how many of n names are still better than the one found.
func limit(found, n int) int {
	if found < 0 {
		return n
	}
	return found
}

// Each calls visit for each line in turn: with the user, or with what is wrong
// with the line. It ends when visit returns an error.
func (t *Table) Each(visit func(User, error) error) error {
	_, err := t.file.Each(func(r control.Row) (bool, error) {
		if ignored(r.Text) {
			return false, nil
		}
		return false, visit(t.parse(r))
	})
	return err
}

// ignored reports whether a line is blank or a comment.
func ignored(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) == 0 || text[0] == '#'
}

// index finds a name among folded ones, or returns -1.
func index(folded []string, name []byte) int {
	for i, f := range folded {
		if len(f) == len(name) && f != "" && equalFold(f, name) {
			return i
		}
	}
	return -1
}

// equalFold compares a folded string with bytes of the same length. Only ASCII
// letters have case here: in the rest of Unicode it depends on the language.
func equalFold(folded string, b []byte) bool {
	for i := 0; i < len(folded); i++ {
		if folded[i] != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Fold is a name as names are compared: ASCII letters in lower case.
func Fold(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] != lower(name[i]) {
			b := []byte(name)
			for i := range b {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return name
}

// foldAll folds names. One that cannot stand in the file becomes "", which is
// no line's name: a stranger's "#bob" must not find a line commented out.
func foldAll(names []string) []string {
	folded := make([]string, len(names))
	for i, n := range names {
		if CheckName(n) == nil {
			folded[i] = Fold(n)
		}
	}
	return folded
}
