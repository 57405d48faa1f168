package server

import "rohrpost/protocol/smtp"

// data is DATA (RFC 5321 section 4.1.1.4): the message follows, up to a dot on a
// line by itself.
func (s *Session) data(args string) smtp.Reply {
	switch {
	case args != "":
		return replyNoParams
	case s.message != nil:
		s.abort() // RFC 3030 section 2: only RSET would help
		return replyChunksBegun
	case s.recipients == 0:
		return replyNoRcpts
	case s.mail.Body == bodyBinary:
		return replyNeedsChunks
	}
	if r := s.tx.Begin(); refuses(r) {
		s.abort()
		return r
	}
	s.out.reply(replyData)
	m := &message{dec: smtp.Decoder{Dots: true}}
	if err := s.readData(m); err != nil {
		s.lost = err
		return smtp.Reply{}
	}
	s.finish(m)
	return smtp.Reply{}
}

// readData reads a message up to the dot.
func (s *Session) readData(m *message) error {
	s.pace(true)
	defer s.pace(false)
	for {
		p, err := s.in.Peek()
		if err != nil {
			return truncated(err)
		}
		text, used, done := m.dec.Decode(p)
		s.in.Skip(used)
		s.take(m, text)
		if done {
			return nil
		}
	}
}
