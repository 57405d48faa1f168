package server

import (
	"errors"
	"fmt"

	"rohrpost/maildir"
	"rohrpost/maildir/quota"
	"rohrpost/protocol/imap"
)

// The quota (RFC 9208) is that of Maildir++: one limit for all mailboxes, kept with
// what they hold in the file maildirsize. Package quota has the format.
const quotaRoot = "ROOT" // as Courier calls it

// getQuota is GETQUOTA (RFC 9208 section 4.1.1).
func (s *Session) getQuota(imap.Command) (reply, error) {
	root, err := imap.ParseGetQuota(s.d)
	if err != nil {
		return reply{}, err
	}
	limit, used, err := quota.Read(s.Inbox)
	switch {
	case err != nil:
		return s.failed("GETQUOTA", err), nil
	case root != quotaRoot || limit == (quota.Limit{}):
		return no(imap.CodeNonExistent, "no such quota root"), nil
	}
	s.tellQuota(limit, used)
	return ok("that is the quota"), nil
}

// getQuotaRoot is GETQUOTAROOT (RFC 9208 section 4.1.2). The mailbox need not exist.
func (s *Session) getQuotaRoot(imap.Command) (reply, error) {
	name, err := imap.ParseMailbox(s.d)
	if err != nil {
		return reply{}, err
	}
	limit, used, err := quota.Read(s.Inbox)
	if err != nil {
		return s.failed("GETQUOTAROOT", err), nil
	}
	limited := limit != (quota.Limit{})
	s.w.Extend(func(b []byte) []byte {
		b = imap.AppendMailbox(append(b, "* QUOTAROOT "...), name, s.enabled.utf8)
		if limited {
			b = append(b, " "+quotaRoot...)
		}
		return append(b, "\r\n"...)
	})
	if limited {
		s.tellQuota(limit, used)
	}
	return ok("that is the quota root"), nil
}

// setQuota is SETQUOTA (RFC 9208 section 4.1.3): limits are the administrator's.
func (s *Session) setQuota(imap.Command) (reply, error) {
	if _, _, err := imap.ParseSetQuota(s.d); err != nil {
		return reply{}, err
	}
	return no(imap.CodeNoPerm, "limits cannot be set by IMAP"), nil
}

// tellQuota writes the QUOTA response. RFC 9208 section 4.2.1: a resource that is not
// named is not limited.
func (s *Session) tellQuota(limit quota.Limit, used quota.Usage) {
	s.w.Extend(func(b []byte) []byte {
		b = append(b, "* QUOTA "+quotaRoot+" ("...)
		if limit.Bytes > 0 {
			b = fmt.Appendf(b, "STORAGE %d %d", kilobytes(used.Bytes), kilobytes(limit.Bytes))
		}
		if limit.Bytes > 0 && limit.Messages > 0 {
			b = append(b, ' ')
		}
		if limit.Messages > 0 {
			b = fmt.Appendf(b, "MESSAGE %d %d", used.Messages, limit.Messages)
		}
		return append(b, ")\r\n"...)
	})
}

// kilobytes is bytes in the unit of STORAGE, 1024 octets, rounded up.
func kilobytes(bytes int64) int64 { return (bytes + 1023) / 1024 }

// reserve takes room in the quota; what it returns gives it back. Without a quota
// there is room, and usage is not even asked for.
func (s *Session) reserve(usage func() (quota.Usage, error)) (quota.Reservation, error) {
	if !quota.Kept(s.Inbox) {
		return quota.Reservation{}, nil
	}
	u, err := usage()
	if err != nil {
		return quota.Reservation{}, err
	}
	return quota.ReserveAll(s.Inbox, "", u)
}

// freed notes that messages are gone.
func (s *Session) freed(u quota.Usage) {
	if u.Messages > 0 {
		quota.Add(s.Inbox, quota.Usage{Bytes: -u.Bytes, Messages: -u.Messages})
	}
}

// usage is what messages take of the quota, as stored; nothing if there is none to
// keep.
func (s *Session) usage(positions []int) (u quota.Usage, err error) {
	if !quota.Kept(s.Inbox) {
		return u, nil
	}
	for _, pos := range positions {
		size := s.box.At(pos).Size
		if size < 0 {
			if size, err = s.storedSize(pos); errors.Is(err, maildir.ErrGone) {
				continue
			} else if err != nil {
				return u, err
			}
		}
		u.Bytes += size
		u.Messages++
	}
	return u, nil
}

// storedSize asks the file system.
func (s *Session) storedSize(pos int) (int64, error) {
	f, err := s.box.OpenMessage(pos)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Size(), nil
}
