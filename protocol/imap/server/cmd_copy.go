package server

import (
	"errors"
	"io/fs"

	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/maildir/quota"
	"rohrpost/protocol/imap"
)

// copy is COPY and UID COPY (RFC 9051 section 6.4.7).
func (s *Session) copy(c imap.Command) (reply, error) {
	return s.transfer(c, func(positions []int, to *maildir.Maildir) (mailbox.Copied, error) {
		room, err := s.reserve(func() (quota.Usage, error) { return s.usage(positions) })
		if err != nil {
			return mailbox.Copied{}, err
		}
		done, err := s.box.Copy(positions, to)
		if err != nil {
			room.Release()
		}
		return done, err
	})
}

// transfer is COPY or MOVE.
func (s *Session) transfer(c imap.Command, do func([]int, *maildir.Maildir) (mailbox.Copied, error)) (reply, error) {
	args, err := imap.ParseCopy(s.d)
	if err != nil {
		return reply{}, err
	}
	positions, err := s.positions(args.Set, c.UID)
	if err != nil {
		return reply{}, err
	}
	to, err := s.open(args.Mailbox)
	if errors.Is(err, fs.ErrNotExist) {
		// RFC 9051 section 6.4.7: the client may create it and try again.
		return no(imap.CodeTryCreate, "no such mailbox"), nil
	} else if err != nil {
		return s.failed(c.Name, err), nil
	}
	defer s.shut(to)
	done, err := do(positions, to)
	if err != nil {
		return s.failed(c.Name, err), nil
	}
	if len(done.UIDs) == 0 {
		return ok("there was nothing to do"), nil
	}
	code := imap.CopyUIDCode(done.Validity, done.From, done.UIDs)
	if c.Name == "MOVE" {
		// RFC 6851 section 4.3: before the EXPUNGE responses.
		s.say("", okCode(code, "moved"))
		if s.enabled.condstore {
			// RFC 6851 section 4.4.
			return okCode(imap.HighestModSeqCode(int64(s.box.HighestModSeq())), "moved"), nil
		}
		return ok("moved"), nil
	}
	return okCode(code, "copied"), nil
}
