package pop3

import "bytes"

// stuffer turns the bytes of a stored message into those of a multi-line
// response: every line ends in CRLF, and a dot at its beginning is doubled (RFC
// 1939 section 3). A CR that stands before its LF already is not doubled; all
// other bytes pass as they are, in lines of any length.
type stuffer struct {
	last byte // the last byte of the message so far
	some bool // there was one
}

// append appends the response's form of p to dst.
func (s *stuffer) append(dst, p []byte) []byte {
	for len(p) > 0 {
		if p[0] == '.' && (!s.some || s.last == '\n') {
			dst = append(dst, '.')
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			s.last, s.some = p[len(p)-1], true
			return append(dst, p...)
		}
		if i > 0 {
			s.last = p[i-1]
		}
		dst = append(dst, p[:i]...)
		if s.last != '\r' {
			dst = append(dst, '\r')
		}
		dst = append(dst, '\n')
		s.last, s.some = '\n', true
		p = p[i+1:]
	}
	return dst
}

// end appends the line end that a message may lack, and the final dot.
func (s *stuffer) end(dst []byte) []byte {
	if s.some && s.last != '\n' {
		dst = append(dst, '\r', '\n')
	}
	return append(dst, '.', '\r', '\n')
}
