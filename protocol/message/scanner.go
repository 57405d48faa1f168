package message

import (
	"bytes"
	"io"
)

// windowSize is how much of a message is held while it is scanned, in bytes. It
// must exceed maxDelimiter.
const windowSize = 32 << 10

// Scanner reads the structure of messages. The zero value is ready, and keeps
// its buffers from one message to the next.
type Scanner struct {
	tree   Tree
	window []byte
	header Header

	open       []frame    // parts that have begun and not ended, the message first
	boundaries boundaries // of the multiparts among them
	inHeader   bool       // of the innermost open part
	headerOnly bool
	full       bool // MaxParts parts have begun: nothing delimits any more

	at, before mark // the next byte; the same without the line end before it
	midLine    bool // the next byte goes on in a line
	cr         bool // that line so far ends in a CR
}

// frame is an open part.
type frame struct {
	part        int32
	lastChild   int32
	start, body mark
}

// mark is a place in the message: how many bytes, line ends and LFs without CR
// lie before it.
type mark struct{ offset, lines, bare int64 }

func (m mark) to(end mark) Range {
	size := end.offset - m.offset
	return Range{Offset: m.offset, Size: size, Wire: size + end.bare - m.bare}
}

// Scan reads a message to its end and returns its structure. Line ends may be
// LF and CRLF. The Tree is valid until the next call. The error is that of r;
// no message is malformed.
func (s *Scanner) Scan(r io.Reader) (*Tree, error) {
	s.headerOnly = false
	return s.scan(r, windowSize)
}

// headerPiece is how much is read at once where only the header is asked for,
// in bytes: one read for most messages.
const headerPiece = 8 << 10

// ScanHeader reads a message to the end of its header, and a little further. The
// Tree has one part, with the Value of each field, and with a Body of unknown
// size.
func (s *Scanner) ScanHeader(r io.Reader) (*Tree, error) {
	s.headerOnly = true
	return s.scan(r, headerPiece)
}

func (s *Scanner) scan(r io.Reader, window int) (*Tree, error) {
	s.reset()
	have := 0
	for {
		n, err := fill(r, s.window[have:window])
		have += n
		if err != nil && err != io.EOF {
			return nil, err
		}
		taken := s.feed(s.window[:have], err == io.EOF)
		if err == io.EOF || s.headerOnly && !s.inHeader {
			break
		}
		have = copy(s.window, s.window[taken:have])
	}
	s.finish()
	return &s.tree, nil
}

// fill reads until p is full, so that how a source cuts its bytes costs nothing.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	return n, err
}

func (s *Scanner) reset() {
	if s.window == nil {
		s.window = make([]byte, windowSize)
		s.header = Header{Field: s.field, limit: MaxField}
	}
	t := &s.tree
	t.Parts, t.envelopes, t.text = t.Parts[:0], t.envelopes[:0], append(t.text[:0], 0)
	s.open = s.open[:0]
	s.boundaries.keep(0)
	s.full, s.midLine, s.cr = false, false, false
	s.at, s.before = mark{}, mark{}
	s.begin(true)
}

// feed scans p, which goes on where the bytes taken so far end, and returns how
// much of it is taken: all if it is final, else at least what makes room.
func (s *Scanner) feed(p []byte, final bool) int {
	taken := 0
	for taken < len(p) {
		if !s.inHeader {
			if s.headerOnly {
				return taken
			}
			taken += s.skip(p[taken:])
		}
		rest := p[taken:]
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			if taken > 0 && !final {
				return taken
			}
			n = len(rest) // the last line, or one longer than the window
		}
		s.line(rest[:n])
		taken += n
	}
	return taken
}

// line takes a line, or a piece of one.
func (s *Scanner) line(p []byte) {
	if len(p) == 0 {
		return
	}
	if !s.midLine && !s.boundaries.empty() {
		if k, last, ok := s.boundaries.match(p); ok {
			s.delimit(k)
			s.advance(p)
			s.follow(k, last)
			return
		}
	}
	if !s.inHeader {
		s.advance(p)
		return
	}
	s.header.Write(p)
	s.advance(p)
	if s.header.Done() {
		s.endHeader()
	}
}

// advance moves on by a line or a piece of one.
func (s *Scanner) advance(p []byte) {
	n := len(p)
	s.at.offset += int64(n)
	s.before = s.at
	if p[n-1] != '\n' {
		s.midLine, s.cr = true, p[n-1] == '\r'
		return
	}
	crlf := s.midLine && s.cr
	if n > 1 {
		crlf = p[n-2] == '\r'
	}
	s.midLine = false
	s.endLine(crlf)
}

// endLine counts a line that ends before s.at.
func (s *Scanner) endLine(crlf bool) {
	s.before = s.at
	s.before.offset--
	s.at.lines++
	if crlf {
		s.before.offset--
	} else {
		s.at.bare++
	}
}

// skip takes those lines of a body that cannot delimit, up to the last that p
// has the end of.
func (s *Scanner) skip(p []byte) int {
	if s.boundaries.empty() {
		return s.skipAll(p)
	}
	if s.midLine {
		return 0
	}
	taken, bare, lines, crlf := 0, 0, 0, false
	for {
		rest := p[taken:]
		if len(rest) < 2 || rest[0] == '-' && rest[1] == '-' {
			break
		}
		n := bytes.IndexByte(rest, '\n')
		if n < 0 {
			break
		}
		lines++
		crlf = n > 0 && rest[n-1] == '\r'
		if !crlf {
			bare++
		}
		taken += n + 1
	}
	if lines > 0 {
		s.at.offset += int64(taken)
		s.at.lines += int64(lines - 1)
		s.at.bare += int64(bare)
		if !crlf {
			s.at.bare--
		}
		s.endLine(crlf)
	}
	return taken
}

// skipAll takes all of p, where nothing can delimit any more.
func (s *Scanner) skipAll(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	lines := bytes.Count(p, []byte("\n"))
	s.at.bare += int64(lines - countCRLF(p))
	if p[0] == '\n' && s.midLine && s.cr {
		s.at.bare--
	}
	s.at.lines += int64(lines)
	s.at.offset += int64(len(p))
	last := p[len(p)-1]
	s.midLine, s.cr = last != '\n', last == '\r'
	return len(p)
}

// countCRLF counts the line ends with a CR.
func countCRLF(p []byte) (n int) {
	for {
		i := bytes.IndexByte(p, '\r')
		if i < 0 || i+1 == len(p) {
			return n
		}
		if p[i+1] == '\n' {
			n++
		}
		p = p[i+1:]
	}
}

// finish ends all parts where the message ends.
func (s *Scanner) finish() {
	for s.inHeader {
		s.endHeader()
	}
	s.closeTo(-1, s.at)
}
