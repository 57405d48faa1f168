package imap

import "strconv"

// SectionText is which text of a message or of a part a section means.
type SectionText uint8

// What may stand behind the part in a section.
const (
	SectionAll       SectionText = iota // nothing: all of it
	SectionHeader                       // HEADER
	SectionFields                       // HEADER.FIELDS (...)
	SectionFieldsNot                    // HEADER.FIELDS.NOT (...)
	SectionBody                         // TEXT
	SectionMIME                         // MIME, of a part only
)

var sectionNames = [...]string{
	SectionHeader: "HEADER", SectionFields: "HEADER.FIELDS", SectionFieldsNot: "HEADER.FIELDS.NOT",
	SectionBody: "TEXT", SectionMIME: "MIME",
}

// maxPart is how deep a part can be named. The scanner of messages goes no deeper.
const maxPart = 100

// Section is a section of a message (RFC 9051 section 6.4.5).
type Section struct {
	Part   []uint32 // 4.1.2 as 4, 1, 2; empty: the message; at most 100
	Text   SectionText
	Fields []string // as the client wrote them: any astring, also what no field is called
}

// section reads a section in its brackets. With binary it is a section-binary, which
// has a part only.
func (d *Decoder) section(binary bool) Section {
	var s Section
	d.expect('[', "[ expected")
	for isDigit(d.peek()) {
		s.Part = append(s.Part, d.NZNumber())
		if len(s.Part) > maxPart {
			d.fail("no part lies so deep")
		}
		if !d.accept('.') {
			d.expect(']', "] expected")
			return s
		}
	}
	if d.peek() == ']' && len(s.Part) > 0 || binary && d.peek() != ']' {
		d.fail("part number expected")
	}
	if d.peek() != ']' {
		s.Text = d.sectionText(len(s.Part) > 0)
	}
	if s.Text == SectionFields || s.Text == SectionFieldsNot {
		d.SP()
		d.list(func() { s.Fields = append(s.Fields, d.AString()) })
	}
	d.expect(']', "] expected")
	return s
}

func (d *Decoder) sectionText(ofPart bool) SectionText {
	name := d.word("section")
	for t, n := range sectionNames {
		if n != "" && equalFold(name, n) && (ofPart || SectionText(t) != SectionMIME) {
			return SectionText(t)
		}
	}
	d.fail("unknown section")
	return SectionAll
}

// Append appends the section in its brackets, as the response repeats it.
func (s Section) Append(b []byte) []byte {
	b = append(b, '[')
	for i, n := range s.Part {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	if s.Text != SectionAll && len(s.Part) > 0 {
		b = append(b, '.')
	}
	b = append(b, sectionNames[s.Text]...)
	if s.Text == SectionFields || s.Text == SectionFieldsNot {
		b = append(b, ' ', '(')
		for i, f := range s.Fields {
			if i > 0 {
				b = append(b, ' ')
			}
			b = AppendAString(b, f, false)
		}
		b = append(b, ')')
	}
	return append(b, ']')
}

// Partial is the part of a section that FETCH asks for: <Offset.Length>.
type Partial struct {
	Offset int64 // bytes
	Length int64 // bytes, never 0 if there is a Partial at all
}

// partial reads a partial, if one follows.
func (d *Decoder) partial() (p Partial) {
	if !d.accept('<') {
		return p
	}
	p.Offset = d.Number64()
	d.expect('.', ". expected")
	p.Length = d.NZNumber64()
	d.expect('>', "> expected")
	return p
}
