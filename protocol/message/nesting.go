package message

import "bytes"

// begin opens a part at s.at, within the innermost open one. A message has the
// fields of RFC 5322.
func (s *Scanner) begin(isMessage bool) {
	t := &s.tree
	i := int32(len(t.Parts))
	p := Part{Parent: -1, FirstChild: -1, Next: -1, envelope: -1}
	if len(s.open) > 0 {
		up := &s.open[len(s.open)-1]
		p.Parent = up.part
		if up.lastChild < 0 {
			t.Parts[up.part].FirstChild = i
		} else {
			t.Parts[up.lastChild].Next = i
		}
		up.lastChild = i
	}
	if isMessage {
		p.envelope = int32(len(t.envelopes))
		t.envelopes = append(t.envelopes, [envelopeFields]span{})
	}
	t.Parts = append(t.Parts, p)
	s.open = append(s.open, frame{part: i, lastChild: -1, start: s.at})
	s.header.reset()
	s.inHeader = true
	if len(t.Parts) == MaxParts {
		s.full = true
		s.boundaries.keep(0)
	}
}

// field keeps the value of a field, if it is the first of a known name.
func (s *Scanner) field(f Field) {
	name, ok := known(f.Name)
	if !ok {
		return
	}
	p := &s.tree.Parts[len(s.tree.Parts)-1]
	switch {
	case name < mimeFields:
		s.keep(&p.mime[name], f.Value)
	case p.envelope >= 0:
		s.keep(&s.tree.envelopes[p.envelope][name-mimeFields], f.Value)
	}
}

func (s *Scanner) keep(to *span, value []byte) {
	t := &s.tree
	if !to.absent() || len(t.text)+len(value) > MaxText {
		return
	}
	*to = span{uint32(len(t.text)), uint32(len(value))}
	t.text = append(t.text, value...)
}

// endHeader ends the header of the innermost part at s.at. If the part is a
// message within, the header of that begins there.
func (s *Scanner) endHeader() {
	s.header.Close()
	s.inHeader = false
	f := &s.open[len(s.open)-1]
	f.body = s.at
	p := &s.tree.Parts[f.part]
	p.Header = f.start.to(f.body)
	if s.headerOnly {
		return
	}
	s.classify(f, p)
	if p.Kind == Message {
		s.begin(true)
	}
}

// classify finds out what the body of a part is (rule 10 and 11).
func (s *Scanner) classify(f *frame, p *Part) {
	t := &s.tree
	value := t.bytes(p.mime[ContentType])
	container := Leaf
	if p.mime[ContentType].absent() {
		if s.inDigest(p) {
			container = Message
		}
	} else if m, ok := parseMediaType(value); ok {
		start := p.mime[ContentType].offset
		p.mediaType = span{start + uint32(m.typeStart), uint32(m.typeEnd - m.typeStart)}
		p.subtype = span{start + uint32(m.subtypeStart), uint32(m.subtypeEnd - m.subtypeStart)}
		container = containerOf(t.bytes(p.mediaType), t.bytes(p.subtype))
	}
	switch {
	case container == Leaf:
	case len(s.open) >= MaxDepth || s.full || container == Message && len(t.Parts)+1 >= MaxParts:
		p.opaque = true // so the last part begins at a delimiter, which is then the last one
	case container == Message || s.boundaries.add(len(s.open)-1, value):
		p.Kind = container
	default:
		p.beText()
	}
}

func (s *Scanner) inDigest(p *Part) bool {
	return p.Parent >= 0 && s.tree.Parts[p.Parent].Kind == Multipart &&
		bytes.EqualFold(s.tree.bytes(s.tree.Parts[p.Parent].subtype), []byte("digest"))
}

func containerOf(mediaType, subtype []byte) Kind {
	switch {
	case bytes.EqualFold(mediaType, []byte("multipart")):
		return Multipart
	case !bytes.EqualFold(mediaType, []byte("message")):
	case bytes.EqualFold(subtype, []byte("rfc822")), bytes.EqualFold(subtype, []byte("global")):
		return Message
	}
	return Leaf
}

// beText makes a part a leaf of the default type.
func (p *Part) beText() {
	p.Kind = Leaf
	p.mediaType, p.subtype = span{}, span{}
}

// delimit ends what is open within the multipart of boundary k, before the
// delimiter that begins at s.at.
func (s *Scanner) delimit(k int) {
	frame, end := s.boundaries.list[k].frame, s.before
	if s.inHeader {
		for s.inHeader {
			s.endHeader()
		}
		end = s.at
	} else if end.offset < s.open[len(s.open)-1].body.offset {
		end = s.at
	}
	s.closeTo(frame, end)
}

// follow goes on behind a delimiter of boundary k.
func (s *Scanner) follow(k int, last bool) {
	if last {
		s.boundaries.keep(k)
		return
	}
	s.boundaries.keep(k + 1)
	s.begin(false)
}

// closeTo ends all open parts within that of a frame.
func (s *Scanner) closeTo(frame int, end mark) {
	for len(s.open)-1 > frame {
		f := &s.open[len(s.open)-1]
		p := &s.tree.Parts[f.part]
		p.Body = f.body.to(end)
		p.Lines = end.lines - f.body.lines
		if p.Kind == Multipart && p.FirstChild < 0 {
			p.beText()
		}
		s.open = s.open[:len(s.open)-1]
	}
}
