package server

import (
	"errors"
	"io"
	"io/fs"

	"rohrpost/maildir"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/mailbox"
	"rohrpost/maildir/quota"
	"rohrpost/protocol/imap"
)

// append is APPEND (RFC 9051 section 6.3.12), of several messages at once (RFC 3502):
// all of them come into the mailbox or none.
func (s *Session) append(imap.Command) (reply, error) {
	name, err := imap.ParseAppend(s.d)
	if err != nil {
		return reply{}, err
	}
	m, err := s.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s.refuseAppend(no(imap.CodeTryCreate, "no such mailbox"))
	} else if err != nil {
		return s.refuseAppend(s.failed("APPEND", err))
	}
	defer s.shut(m)
	return s.appendTo(m)
}

// refuseAppend refuses an APPEND as soon as its first literal is announced: then the
// client, if it waits to be asked, does not send it.
func (s *Session) refuseAppend(r reply) (reply, error) {
	if _, _, err := s.d.NextAppended(); err != nil {
		return reply{}, err
	}
	return r, nil
}

func (s *Session) appendTo(m *maildir.Maildir) (reply, error) {
	keywords, err := keyword.Read(m.Dir())
	if err != nil {
		return s.refuseAppend(s.failed("APPEND", err))
	}
	a := mailbox.NewAppend(m, s.Now)
	defer a.Abort()
	var size quota.Usage
	for {
		msg, more, err := s.d.NextAppended()
		switch {
		case err != nil:
			return reply{}, err
		case !more:
			return s.commitAppend(a, size)
		case s.AppendLimit > 0 && msg.Literal.Size > s.AppendLimit:
			return no(imap.CodeTooBig, "message is too big"), nil
		case msg.Literal.Size == 0:
			return no("", "given up: an empty message is none"), nil // RFC 3502 section 6.3.11
		}
		flags, err := flagsOf(m, &keywords, msg.Flags)
		if err == nil || errors.Is(err, keyword.ErrFull) {
			// RFC 9051 section 6.3.12: flags that cannot be kept are no reason to
			// refuse the message.
			err = a.Begin(flags, msg.Date)
		}
		if err != nil {
			return s.failed("APPEND", err), nil
		}
		if failure, err := s.receive(a, msg.Literal); err != nil || failure.condition != "" {
			return failure, err
		}
		size.Bytes += a.Size()
		size.Messages++
	}
}

// receive streams one message. Lines come to rest with LF.
func (s *Session) receive(a *mailbox.Append, l *imap.Literal) (failure reply, err error) {
	if err := l.Accept(); err != nil {
		return reply{}, err
	}
	var stored error
	w := lfWriter{dst: a}
	buf := make([]byte, 32<<10)
	for {
		n, err := l.Read(buf)
		if stored == nil {
			_, stored = w.Write(buf[:n])
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return reply{}, err
		}
	}
	if stored == nil {
		stored = w.Close()
	}
	if stored != nil {
		return s.failed("APPEND", stored), nil
	}
	return reply{}, nil
}

func (s *Session) commitAppend(a *mailbox.Append, size quota.Usage) (reply, error) {
	room, err := s.reserve(func() (quota.Usage, error) { return size, nil })
	if err != nil {
		return s.failed("APPEND", err), nil
	}
	validity, uids, err := a.Commit()
	if err != nil {
		room.Release()
		return s.failed("APPEND", err), nil
	}
	return okCode(imap.AppendUIDCode(validity, uids), "appended"), nil
}

// lfWriter takes the CR off each CRLF. Any other CR stays.
type lfWriter struct {
	dst io.Writer
	cr  bool // the last byte was a CR, which is held back
}

var cr = []byte{'\r'}

func (w *lfWriter) Write(p []byte) (int, error) {
	n := len(p)
	if w.cr && n > 0 {
		w.cr = false
		if p[0] != '\n' {
			if _, err := w.dst.Write(cr); err != nil {
				return 0, err
			}
		}
	}
	if n > 0 && p[n-1] == '\r' {
		w.cr = true
		p = p[:n-1]
	}
	_, err := w.dst.Write(dropCR(p))
	return n, err
}

// Close hands on a CR at the very end.
func (w *lfWriter) Close() error {
	if !w.cr {
		return nil
	}
	_, err := w.dst.Write(cr)
	return err
}

// dropCR takes the CR off each CRLF of p, in place.
func dropCR(p []byte) []byte {
	out := 0
	for i, c := range p {
		if c == '\r' && i+1 < len(p) && p[i+1] == '\n' {
			continue
		}
		p[out] = c
		out++
	}
	return p[:out]
}
