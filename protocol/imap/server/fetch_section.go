package server

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
)

// specifiers are the texts of a section in package message's terms.
var specifiers = [...]message.Specifier{
	imap.SectionAll:       message.Whole,
	imap.SectionHeader:    message.HEADER,
	imap.SectionFields:    message.HEADER,
	imap.SectionFieldsNot: message.HEADER,
	imap.SectionBody:      message.TEXT,
	imap.SectionMIME:      message.MIME,
}

// sections writes the sections and ends the response.
func (f *fetcher) sections() error {
	for i := range f.args.Sections {
		if i > 0 {
			f.s.w.String(" ")
		}
		if err := f.section(i); err != nil {
			return err
		}
	}
	if len(f.args.Sections) > 0 {
		f.s.w.String(")\r\n")
	}
	return nil
}

// section writes one section of the message.
func (f *fetcher) section(i int) error {
	c, x := &f.content, &f.args.Sections[i]
	if f.kept[i] && !c.cut {
		return f.sendKept(x)
	}
	r, found, err := c.locate(x.Section)
	if err != nil {
		return err
	}
	if !found {
		f.name(x)
		if x.Kind == imap.KindBinarySize {
			f.s.w.String("0")
		} else {
			f.s.w.String("NIL")
		}
		return nil
	}
	if sent := f.sendHeld(x, r); sent {
		return nil
	}
	size := r.Wire
	if size < 0 || x.Kind == imap.KindBinary || x.Kind == imap.KindBinarySize || isFields(x.Section.Text) {
		if size, err = io.Copy(io.Discard, f.stream(x, r)); err != nil {
			return err
		}
	}
	f.name(x)
	if x.Kind == imap.KindBinarySize {
		f.s.w.Int(size)
		return nil
	}
	return f.send(x, f.stream(x, r), size)
}

func isFields(t imap.SectionText) bool {
	return t == imap.SectionFields || t == imap.SectionFieldsNot
}

// name writes the item's name and the space behind it.
func (f *fetcher) name(x *imap.FetchSection) {
	f.s.w.Extend(func(b []byte) []byte { return append(x.AppendName(b), ' ') })
}

// send writes a section's literal, or a part of it. The octets must be there: they
// were counted.
func (f *fetcher) send(x *imap.FetchSection, r io.Reader, size int64) error {
	from, n := partial(x, size)
	f.s.w.Extend(func(b []byte) []byte {
		if x.Kind == imap.KindBinary {
			return imap.AppendLiteral8(b, n)
		}
		return imap.AppendLiteral(b, n)
	})
	if from > 0 {
		if _, err := io.CopyN(io.Discard, r, from); err != nil {
			return errCut
		}
	}
	w := literalWriter{s: f.s, binary: x.Kind == imap.KindBinary}
	if _, err := io.CopyN(w, r, n); err != nil {
		return errCut
	}
	return nil
}

// partial is which octets of a section are sent (RFC 9051 section 6.4.5: what is
// beyond the end is cut off).
func partial(x *imap.FetchSection, size int64) (from, n int64) {
	if x.Partial.Length == 0 {
		return 0, size
	}
	from = min(x.Partial.Offset, size)
	return from, min(x.Partial.Length, size-from)
}

// literalWriter writes a literal as it gathers, and lets it leave now and then.
type literalWriter struct {
	s      *Session
	binary bool // a literal8 may hold NUL
}

func (l literalWriter) Write(p []byte) (int, error) {
	if !l.binary && bytes.IndexByte(p, 0) >= 0 {
		// QUIRK: a literal holds no NUL (RFC 9051 section 4.3), but mail on disk may.
		// Other servers send 0x80 in its place, which keeps the length.
		p = bytes.ReplaceAll(p, []byte{0}, []byte{0x80})
	}
	l.s.w.Write(p)
	if l.s.w.Buffered() > flushAbove {
		return len(p), l.s.w.Flush()
	}
	return len(p), nil
}

// locate finds where a section lies, without a scan or a read of the whole message
// where none is needed.
func (c *content) locate(x imap.Section) (r message.Range, found bool, err error) {
	if len(x.Part) > 0 {
		t, err := c.structure()
		if err != nil {
			return r, false, err
		}
		r, found = t.Section(x.Part, specifiers[x.Text])
		return r, found, nil
	}
	if x.Text == imap.SectionAll || x.Text == imap.SectionBody {
		if err := c.open(); err != nil {
			return r, false, err
		}
	}
	if x.Text == imap.SectionAll {
		return c.all(), true, nil
	}
	header, err := c.headerRange()
	if x.Text == imap.SectionBody {
		return message.Range{Offset: header.Size, Size: c.size - header.Size, Wire: -1}, true, err
	}
	return header, true, err
}

// stream reads a section as it is sent.
func (f *fetcher) stream(x *imap.FetchSection, r message.Range) io.Reader {
	c := &f.content
	var src io.Reader = c.section(r)
	if isFields(x.Section.Text) {
		c.filter.Reset(src, f.setOf(x), x.Section.Text == imap.SectionFieldsNot)
		src = &c.filter
	}
	c.wire.Reset(src)
	if x.Kind != imap.KindBinary && x.Kind != imap.KindBinarySize {
		return &c.wire
	}
	c.decoder.Reset(&c.wire, c.encoding(x.Section))
	return &c.decoder
}

// encoding is the transfer encoding that BINARY takes off.
func (c *content) encoding(x imap.Section) message.Encoding {
	if len(x.Part) == 0 {
		return message.Identity // BINARY[] is the message (RFC 3516 section 4.2)
	}
	if part, ok := c.tree.Part(x.Part); ok {
		return c.tree.Encoding(part)
	}
	return message.Identity
}

// isKept reports whether the fields that are kept have all that is asked for.
func isKept(x *imap.FetchSection) bool {
	if x.Section.Text != imap.SectionFields || len(x.Section.Part) > 0 || x.Kind != imap.KindBody {
		return false
	}
	for _, name := range x.Section.Fields {
		if _, ok := keptFields[strings.ToLower(name)]; !ok {
			return false
		}
	}
	return true
}

// sendKept writes HEADER.FIELDS from the fields that are kept.
func (f *fetcher) sendKept(x *imap.FetchSection) error {
	fields, err := f.content.kept()
	if err != nil {
		return err
	}
	f.fields = appendFields(f.fields[:0], fields, x.Section.Fields)
	if f.sendWhole(x, f.fields) {
		return nil
	}
	f.name(x)
	f.octets.Reset(f.fields)
	return f.send(x, &f.octets, int64(len(f.fields)))
}

// sendHeld writes a section of a message that is in memory, if nothing has to be done
// to it but to make CRLF of its line ends.
func (f *fetcher) sendHeld(x *imap.FetchSection, r message.Range) bool {
	if x.Kind != imap.KindBody || isFields(x.Section.Text) {
		return false
	}
	held, ok := f.content.held(r)
	return ok && f.sendWhole(x, held)
}

// maxWhole is the longest text that is written in one piece, in bytes.
const maxWhole = small

// sendWhole writes a text as a section's literal, with CRLF for line ends, unless it is
// long, only a part of it is wanted, or it has bytes that no literal holds.
func (f *fetcher) sendWhole(x *imap.FetchSection, text []byte) bool {
	if len(text) > maxWhole || x.Partial.Length > 0 || bytes.IndexByte(text, 0) >= 0 {
		return false
	}
	size := wireSize(text)
	f.s.w.Extend(func(b []byte) []byte {
		b = imap.AppendLiteral(append(x.AppendName(b), ' '), int64(size))
		return appendWire(slices.Grow(b, size), text)
	})
	return true
}

// wireSize is the size of a text as appendWire has it.
func wireSize(text []byte) int {
	return len(text) + bytes.Count(text, []byte{'\n'}) - bytes.Count(text, []byte("\r\n"))
}

// appendFields appends the fields of some names as they go over the wire, and the empty
// line behind them. All lines of fields are of fields that are kept.
func appendFields(b, fields []byte, names []string) []byte {
	for len(fields) > 0 {
		var field []byte
		if field, fields, _ = cutField(fields, false); isEmptyLine(field) || isOneOf(field, names) {
			b = appendWire(b, field)
		}
	}
	return b
}

func isEmptyLine(line []byte) bool { return string(line) == "\n" || string(line) == "\r\n" }

func isOneOf(field []byte, names []string) bool {
	for _, name := range names {
		if isNamed(field, name) {
			return true
		}
	}
	return false
}

// appendWire appends text with CRLF for each LF that has no CR before it.
func appendWire(b, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(b, text...)
		}
		b = append(b, text[:i]...)
		if i == 0 || text[i-1] != '\r' {
			b = append(b, '\r')
		}
		b = append(b, '\n')
		text = text[i+1:]
	}
}

// setOf is the names of the fields that a section asks for.
func (f *fetcher) setOf(x *imap.FetchSection) message.FieldSet {
	for i := range f.args.Sections {
		if &f.args.Sections[i] == x {
			return f.sets[i]
		}
	}
	return nil
}
