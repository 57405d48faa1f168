package pop3

// lang is LANG (RFC 6856 section 3): our one language is English.
func (s *session) lang(tag string) {
	switch {
	case tag == "":
		s.ok("languages follow")
		s.w.Line("en English")
		s.dot()
	case tag == "*" || equalFold([]byte(tag), "EN"):
		s.ok("en now")
	default:
		s.no("no such language")
	}
}

// utf8 is UTF8 (RFC 6856 section 2). Messages are sent as they are in either
// mode.
//
// DEVIATION: RFC 6856 section 2.1 asks to refuse a message with UTF-8 in its
// header to a client that has not said UTF8. Clients that meet such a refusal
// stop there and never get the mail behind it, so they get the bytes.
func (s *session) utf8(string) {
	s.ok("UTF-8 now")
}
