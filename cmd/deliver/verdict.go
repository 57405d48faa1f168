package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// verdict is what the caller hears about a message: an enhanced status code
// (RFC 3463), the reply code that goes with it in LMTP, and a text that tells
// the sender enough. The exit code follows from the class, so it always agrees.
type verdict struct {
	reply int
	code  string
	text  string
}

// The verdicts, one table (the manual's DIAGNOSTICS).
var (
	stored             = verdict{250, "2.0.0", "delivered"}
	notStored          = verdict{451, "4.3.0", "cannot store the message now"}
	diskFull           = verdict{452, "4.3.1", "mail system is full"}
	stopped            = verdict{451, "4.3.2", "delivery was interrupted"}
	misconfigured      = verdict{451, "4.3.5", "mailbox cannot be used as it is set up"}
	mailboxFull        = verdict{452, "4.2.2", "mailbox is full"}
	incomplete         = verdict{451, "4.4.2", "message is incomplete"}
	mailboxFullForGood = verdict{552, "5.2.2", "mailbox is full"}
	mailLoop           = verdict{554, "5.4.6", "mail is looping"}
	unknownUser        = verdict{550, "5.1.1", "no such user here"}
)

// permanent reports whether trying again cannot help.
func (v verdict) permanent() bool { return v.code[0] == '5' }

// because is the verdict as an error, with a reason for the log.
func (v verdict) because(format string, args ...any) error {
	return &refusal{v, fmt.Errorf(format, args...)}
}

// refusal is a verdict that is not good, and why.
type refusal struct {
	verdict
	why error
}

func (r *refusal) Error() string   { return r.code + " " + r.text + ": " + r.why.Error() }
func (r *refusal) Unwrap() error   { return r.why }
func (r *refusal) Permanent() bool { return r.permanent() }

// bySystem maps the errors of the file system to verdicts. All others are
// temporary too: a delayed message is seen, a bounced one is gone.
var bySystem = []struct {
	err     unix.Errno
	verdict verdict
	remedy  string
}{
	{unix.ENOSPC, diskFull, "make room on the disk"},
	{unix.EDQUOT, mailboxFull, "the user's disk quota is used up"},
	{unix.EFBIG, diskFull, "the message is larger than ulimit -f allows"},
	{unix.EROFS, notStored, "the file system is mounted read-only"},
	{unix.EACCES, misconfigured, "give it to the user that deliver runs as"},
	{unix.EPERM, misconfigured, "give it to the user that deliver runs as"},
	{unix.ELOOP, misconfigured, "name the place itself, or use --follow"},
	{unix.ENOTDIR, misconfigured, "name a Maildir, or use --follow if it is a symbolic link"},
	{unix.ENAMETOOLONG, misconfigured, "the path is too long"},
	{unix.EMFILE, notStored, "raise ulimit -n"},
	{unix.ENFILE, notStored, "the system has no more open files"},
}

// judge is the refusal for any error.
func judge(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	for _, row := range bySystem {
		if errors.Is(err, row.err) {
			return &refusal{row.verdict, fmt.Errorf("%w; %s", err, row.remedy)}
		}
	}
	return &refusal{notStored, err}
}
