// Package keyword is the names of keywords: dovecot-keywords, which says what
// the letters a to z in a message's flags stand for.
package keyword

import (
	"errors"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// Max is how many keywords a Maildir can have.
const Max = 26

var (
	// ErrFull is the error of Add if there is no letter left.
	ErrFull = errors.New("all 26 keywords are taken")
	// ErrName is the error for what is no keyword.
	ErrName = errors.New("not a keyword")
)

// Table is the keywords of one Maildir. It is never changed.
type Table struct{}

// Read reads the table of the Maildir dir. Without a file it is empty.
func Read(dir *disk.Dir) (*Table, error) { return nil, errors.New("not yet") }

// Name is the name of keyword n, 0 to 25, or empty.
func (t *Table) Name(n int) string { return "" }

// Lookup is the number of the keyword with this name, whose case does not count.
func (t *Table) Lookup(name string) (n int, ok bool) { return 0, false }

// Full reports whether there is no letter left.
func (t *Table) Full() bool { return false }

// Add gives letters to those of names that have none, durably, and returns the
// table as it is then. If not all have room, the error is ErrFull, and the table
// returned has those that had.
func Add(m *maildir.Maildir, names ...string) (*Table, error) { return nil, errors.New("not yet") }
