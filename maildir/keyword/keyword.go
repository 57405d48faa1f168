// Package keyword is the names of keywords: dovecot-keywords, which says what the
// letters a to z among a message's flags stand for in one folder.
//
// Reading takes no lock, since the file is replaced by rename. Writing takes that
// of the list of UIDs: Dovecot relies on it for this file too, and removes
// dovecot-keywords.lock without asking whose it is.
//
// Invariant: the name of a letter never changes, so that no message gets a
// keyword that nobody gave it. Which messages bear a letter is not known here.
//
// Start reading at Read and Add.
package keyword

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/uidlist"
)

// Name is the name of the file, beside new and cur of each folder.
const Name = "dovecot-keywords"

// Max is how many keywords a folder can have: there are so many letters.
const Max = 26

// maxFile bounds the file, and maxName a keyword that is added, in bytes. Dovecot
// adds none of more than 50 and reads any.
const (
	maxFile = 64 << 10
	maxName = 100
)

// ErrFull is the error of Add if there is no letter left.
var ErrFull = errors.New("all 26 keywords are taken")

// ErrName is the error of Add for what is no keyword.
var ErrName = errors.New("not a keyword")

// Table is the keywords of one folder. It is never changed.
type Table struct{ names [Max]string }

// Read reads the table of the Maildir dir. Without a file it is empty, and also if
// something else has its name.
func Read(dir *disk.Dir) (*Table, error) {
	f, err := dir.Open(Name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, disk.ErrNotRegular) || errors.Is(err, unix.ELOOP) {
		return &Table{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	if len(b) == maxFile {
		b = b[:bytes.LastIndexByte(b, '\n')+1]
	}
	return Parse(b), nil
}

// Parse reads a table. Each line is a number, for the letters from a on, a blank
// and a name:
//
//	0 $MDNSent
//	1 Work
//
// Lines that do not follow this are left out; of two for one number the later
// one counts.
func Parse(b []byte) *Table {
	t := &Table{}
	for line := range bytes.Lines(b) {
		number, name, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte{' '})
		n, err := strconv.ParseUint(string(number), 10, 8)
		if ok && err == nil && n < Max && len(name) > 0 {
			t.names[n] = string(name)
		}
	}
	return t
}

// Name is the name of keyword n, 0 to 25. It is empty for a letter that is free,
// and for one whose name in the file is no keyword of IMAP.
func (t *Table) Name(n int) string {
	if n < 0 || n >= Max || !isKeyword(t.names[n]) {
		return ""
	}
	return t.names[n]
}

// Lookup is the number of the keyword with this name. The case of letters does
// not count (RFC 9051 section 9, note 1). Of several the first is meant.
func (t *Table) Lookup(name string) (n int, ok bool) {
	for n, have := range t.names {
		if have != "" && equalFold(have, name) {
			return n, true
		}
	}
	return 0, false
}

// Full reports whether there is no letter left.
func (t *Table) Full() bool { return t.free(0) < 0 }

// free is the first letter that has no name and is not among used, or -1.
func (t *Table) free(used maildir.Flags) int {
	for n, name := range t.names {
		if name == "" && used&maildir.Keyword(n) == 0 {
			return n
		}
	}
	return -1
}

// Add gives a letter to each of names that has none, durably, and returns the
// table as it is then. used is the flags that messages bear: where the file was
// lost, their letters are not free although they have no name. If there are not
// letters for all, the first get theirs, and the error is ErrFull; ErrName if one
// is no keyword, and then none gets a letter. The error wraps dotlock.ErrBusy if
// another program holds the lock.
func Add(m *maildir.Maildir, used maildir.Flags, names ...string) (*Table, error) {
	for _, name := range names {
		if !isKeyword(name) || len(name) > maxName {
			return nil, fmt.Errorf("%q: %w", name, ErrName)
		}
	}
	t, err := Read(m.Dir())
	if err != nil || !t.lacks(names) {
		return t, err
	}
	lock, err := uidlist.Lock(m)
	if err != nil {
		return nil, fmt.Errorf("keywords of %s: %w", m.Path(), err)
	}
	defer lock.Release()
	if t, err = Read(m.Dir()); err != nil {
		return nil, err
	}
	full := t.add(used, names)
	if err := lock.Replace(Name, t.text(), later(m.Dir(), time.Now())); err != nil {
		return nil, fmt.Errorf("keywords of %s: %w", m.Path(), err)
	}
	return t, full
}

func (t *Table) lacks(names []string) bool {
	for _, name := range names {
		if _, ok := t.Lookup(name); !ok {
			return true
		}
	}
	return false
}

// add is Add to t itself.
func (t *Table) add(used maildir.Flags, names []string) error {
	for _, name := range names {
		if _, ok := t.Lookup(name); ok {
			continue
		}
		n := t.free(used)
		if n < 0 {
			return ErrFull
		}
		t.names[n] = name
	}
	return nil
}

// text is the table as a file. Names that we do not understand are kept.
func (t *Table) text() []byte {
	var b []byte
	for n, name := range t.names {
		if name != "" {
			b = fmt.Appendf(b, "%d %s\n", n, name)
		}
	}
	return b
}

// later is the time to give to the new file: Dovecot reads it again only if the
// second of its last change is another one.
func later(dir *disk.Dir, now time.Time) time.Time {
	st, err := dir.Stat(Name)
	if err != nil || now.Unix() > int64(st.Mtim.Sec) {
		return now
	}
	return time.Unix(int64(st.Mtim.Sec)+1, 0)
}

// isKeyword reports whether s is a flag-keyword: an atom (RFC 9051 section 9).
func isKeyword(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// equalFold compares as IMAP does: only ASCII letters have a case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
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
