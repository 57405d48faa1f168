package server

import "rohrpost/protocol/imap"

// id is ID (RFC 2971). What the client says of itself is not looked at: nothing
// must depend on it.
func (s *Session) id(imap.Command) (reply, error) {
	if _, err := imap.ParseID(s.d); err != nil {
		return reply{}, err
	}
	tellID(s.w, s.Version)
	return ok("that is me"), nil
}

// tellID writes the ID response.
func tellID(w *imap.Encoder, version string) {
	w.Extend(func(b []byte) []byte {
		b = append(b, `* ID ("name" "rohrpost" "version" `...)
		b = imap.AppendString(b, version, false)
		return append(b, ")\r\n"...)
	})
}
