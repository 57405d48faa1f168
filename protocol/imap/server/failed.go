package server

import (
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/dotlock"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/maildir/quota"
	"rohrpost/protocol/imap"
)

// failures are the errors that a client is told the kind of, with the response
// codes of RFC 5530. What is not here is UNAVAILABLE: it may pass.
var failures = []struct {
	err  error
	code imap.Code
	text string
}{
	{errReadOnly, imap.CodeNoPerm, "mailbox is read-only"},
	{errUnknownCTE, imap.CodeUnknownCTE, "content transfer encoding is not known"},
	{mailbox.ErrBusy, imap.CodeInUse, "mailbox is in use by another program, try again later"},
	{dotlock.ErrBusy, imap.CodeInUse, "mailbox is in use by another program, try again later"},
	{maildir.ErrFolderName, imap.CodeCannot, "no mailbox can have this name"},
	{maildir.ErrGone, imap.CodeExpungeIssued, "some of the messages are gone"},
	{quota.ErrOver, imap.CodeOverQuota, "over quota"},
	{keyword.ErrFull, imap.CodeLimit, "no room for another keyword"},
	{maildir.ErrFolderExists, imap.CodeAlreadyExists, "mailbox exists already"},
	{unix.ELOOP, imap.CodeCannot, "this is no mailbox"},
	{unix.ENOTDIR, imap.CodeCannot, "this is no mailbox"},
	{unix.ENOSPC, imap.CodeLimit, "disk is full"},
	{unix.EDQUOT, imap.CodeOverQuota, "over quota"},
	{fs.ErrExist, imap.CodeAlreadyExists, "mailbox exists already"},
	{fs.ErrNotExist, imap.CodeNonExistent, "no such mailbox"},
	{fs.ErrPermission, imap.CodeNoPerm, "no permission"},
	{unix.EROFS, imap.CodeNoPerm, "file system is read-only"},
}

// errReadOnly is a change in a mailbox that was opened by EXAMINE.
var errReadOnly = errors.New("mailbox is read-only")

// asked are codes that say no more than what a mailbox or a message is like. Clients
// ask for mailboxes that nobody has made, some of them each minute, and for parts that
// nobody can decode: no news for a log.
var asked = []imap.Code{imap.CodeNonExistent, imap.CodeAlreadyExists, imap.CodeCannot, imap.CodeUnknownCTE}

// failed is the answer to a command that could not be obeyed, and logs why.
func (s *Session) failed(what string, err error) reply {
	r := failure(err)
	if !slices.Contains(asked, r.code) {
		s.Log("failed", "user", s.User, "cmd", what, "err", err)
	}
	return r
}

// failure is what a client is told of an error.
func failure(err error) reply {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return no(f.code, f.text)
		}
	}
	return no(imap.CodeUnavailable, "cannot do that now, try again later")
}
