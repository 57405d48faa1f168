package pop3

import (
	"errors"
	"io"

	"rohrpost/maildir"
)

// errCut ends a session in which a message could not be read to its end: the
// client must not see a final dot, and there is no other way to say it.
var errCut = errors.New("message could not be read to its end")

// retr is RETR.
func (s *session) retr(arg string) {
	i, ok := s.message(arg)
	if !ok {
		return
	}
	if s.send(i, nil) {
		s.drop.retrieved.add(i, s.drop.list.Len())
		s.drop.Stats.Retrieved++
	}
}

// send answers with message i, or as much of it as top lets through, and reports
// whether it did.
func (s *session) send(i int, top *top) bool {
	msg, ok := s.at(i)
	if !ok {
		return false
	}
	f, _, err := s.drop.Box.OpenMessage(msg)
	if errors.Is(err, maildir.ErrGone) {
		s.no("message is gone")
		return false
	}
	if err != nil {
		s.log("read-failed", "msg", i+1, "err", err)
		s.no("[SYS/TEMP] cannot read the message now, try again later")
		return false
	}
	defer f.Close()
	if err := s.stream(f, top); err != nil {
		s.log("read-failed", "msg", i+1, "err", err)
		s.end(errCut)
		return false
	}
	return true
}

// stream sends the file as it is at this moment. What it was when it was listed
// does not matter any more.
func (s *session) stream(f io.Reader, top *top) error {
	s.ok("message follows")
	var wire stuffer
	b := s.drop.buffer()
	for {
		n, err := f.Read(b)
		if err != nil && err != io.EOF {
			return err
		}
		p := b[:n]
		if top != nil {
			p = top.cut(p)
		}
		s.w.Extend(func(dst []byte) []byte { return wire.append(dst, p) })
		if err == io.EOF || top != nil && top.done {
			break
		}
	}
	s.w.Extend(wire.end)
	return nil
}
