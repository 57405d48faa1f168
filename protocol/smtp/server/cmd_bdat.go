package server

import (
	"strconv"
	"strings"

	"rohrpost/protocol/smtp"
)

// bdat is BDAT (RFC 3030 section 2): a chunk of the message follows at once, so
// many bytes long. Whatever the answer, the bytes are read.
func (s *Session) bdat(args string) smtp.Reply {
	size, last, ok := parseChunk(args)
	if !ok {
		// Nobody knows how many bytes follow, so none may be read as a command.
		s.hangUp(replyChunkSize)
		return smtp.Reply{}
	}
	m := s.chunked()
	if err := s.readChunk(m, size); err != nil {
		s.lost = err
		return smtp.Reply{}
	}
	if last {
		return s.lastChunk(m)
	}
	if m.refusal.Code == 0 && s.overfull(m) {
		m.refusal = replyTooBig
	}
	if m.refusal.Code != 0 {
		return m.refusal
	}
	return smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: strconv.FormatInt(size, 10) + " bytes taken"}
}

// parseChunk reads "size" or "size LAST".
func parseChunk(args string) (size int64, last, ok bool) {
	number, rest, _ := strings.Cut(args, " ")
	for i := 0; i < len(number); i++ {
		if number[i] < '0' || number[i] > '9' {
			return 0, false, false // ParseInt would take a sign
		}
	}
	size, err := strconv.ParseInt(number, 10, 64)
	last = strings.EqualFold(rest, "LAST")
	return size, last, err == nil && (last || rest == "")
}

// chunked is the message that the next chunk belongs to: the one under way, a
// new one, or one that is only read to be refused.
func (s *Session) chunked() *message {
	if s.message != nil {
		return s.message
	}
	m := &message{}
	m.refusal = s.refuseChunks()
	if s.mail != nil {
		m.dec.Keep = s.mail.Body == bodyBinary
		s.message = m
	}
	return m
}

// refuseChunks is the reply to a first chunk that came too early or that the
// backend does not want; the zero Reply: it may come.
func (s *Session) refuseChunks() smtp.Reply {
	if r := s.missing(envelope, ""); r.Code != 0 {
		return r
	}
	if s.recipients == 0 {
		return replyNoRcpts
	}
	if r := s.tx.Begin(); refuses(r) {
		return r
	}
	return smtp.Reply{}
}

// readChunk reads size bytes and decodes them as they lie in the read buffer.
func (s *Session) readChunk(m *message, size int64) error {
	s.pace(true)
	defer s.pace(false)
	for size > 0 {
		p, err := s.in.Peek()
		if err != nil {
			return truncated(err)
		}
		p = p[:min(int64(len(p)), size)]
		text, used, _ := m.dec.Decode(p)
		s.in.Skip(used)
		size -= int64(used)
		s.take(m, text)
	}
	return nil
}

// lastChunk ends the message that came in chunks.
func (s *Session) lastChunk(m *message) smtp.Reply {
	if s.mail == nil { // it belonged to no transaction
		return m.refusal
	}
	s.take(m, m.dec.End())
	s.finish(m)
	return smtp.Reply{}
}
