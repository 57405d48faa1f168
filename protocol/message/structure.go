package message

import (
	"bytes"
	"strconv"
)

// AppendStructure appends the BODYSTRUCTURE of the message, or with extended
// false its BODY (RFC 9051 section 7.5.2). utf8 is as for AppendEnvelope.
//
// Words and values are as they were sent, defaults in lower case. Sizes are
// octets on the wire. Parameter values that go on over several sections are
// joined (RFC 2231 section 6: IMAP servers should), and not decoded further: a
// value of which any section is percent-encoded is so as a whole, and its name
// ends in a star. Sections behind a hole stay apart. Of two parameters of one
// name the first is told, and of one field the first 100.
func (t *Tree) AppendStructure(dst []byte, extended, utf8 bool) []byte {
	w := imapWriter{tree: t, utf8: utf8, extended: extended, addresses: maxAddresses}
	return w.structure(dst, 0)
}

// structure recurses as deep as MaxDepth.
func (w *imapWriter) structure(dst []byte, part int) []byte {
	dst = append(dst, '(')
	if w.tree.Parts[part].Kind == Multipart {
		dst = w.multipart(dst, part)
	} else {
		dst = w.singlePart(dst, part)
	}
	return append(dst, ')')
}

func (w *imapWriter) multipart(dst []byte, part int) []byte {
	t := w.tree
	for i := t.Parts[part].FirstChild; i >= 0; i = t.Parts[i].Next {
		dst = w.structure(dst, int(i))
	}
	_, subtype := t.Type(part)
	dst = append(dst, ' ')
	dst = appendString(dst, subtype, w.utf8)
	if !w.extended {
		return dst
	}
	dst = append(dst, ' ')
	dst = w.contentParameters(dst, part)
	return w.extension(dst, part)
}

func (w *imapWriter) singlePart(dst []byte, part int) []byte {
	t, p := w.tree, &w.tree.Parts[part]
	mediaType, subtype := t.Type(part)
	dst = appendString(dst, mediaType, w.utf8)
	dst = append(dst, ' ')
	dst = appendString(dst, subtype, w.utf8)
	dst = append(dst, ' ')
	dst = w.contentParameters(dst, part)
	dst = append(dst, ' ')
	dst = w.value(dst, part, ContentID)
	dst = append(dst, ' ')
	dst = w.value(dst, part, ContentDescription)
	dst = append(dst, ' ')
	dst = w.encoding(dst, part)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, p.Body.Wire, 10)
	if p.Kind == Message {
		message := int(p.FirstChild)
		dst = append(dst, ' ')
		dst = w.envelope(dst, message)
		dst = append(dst, ' ')
		dst = w.structure(dst, message)
	}
	if p.Kind == Message || bytes.EqualFold(mediaType, []byte("text")) {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, p.Lines, 10)
	}
	if !w.extended {
		return dst
	}
	dst = append(dst, ' ')
	dst = w.value(dst, part, ContentMD5)
	return w.extension(dst, part)
}

// encoding appends the name of the transfer encoding; 7bit if there is none (RFC
// 2045 section 6.1).
func (w *imapWriter) encoding(dst []byte, part int) []byte {
	v, _ := w.tree.Value(part, ContentTransferEncoding)
	if name := mechanism(v); len(name) > 0 {
		return appendString(dst, name, w.utf8)
	}
	return append(dst, `"7bit"`...)
}

// extension appends what BODYSTRUCTURE has more than BODY, from the disposition
// on.
func (w *imapWriter) extension(dst []byte, part int) []byte {
	dst = append(dst, ' ')
	dst = w.disposition(dst, part)
	dst = append(dst, ' ')
	dst = w.languages(dst, part)
	dst = append(dst, ' ')
	return w.value(dst, part, ContentLocation)
}

// contentParameters appends those of the Content-Type. Text without a Content-Type
// of its own is US-ASCII (RFC 2045 section 5.2).
func (w *imapWriter) contentParameters(dst []byte, part int) []byte {
	p := &w.tree.Parts[part]
	switch {
	case p.mediaType.absent() && p.Kind == Leaf && !p.opaque:
		return append(dst, `("charset" "us-ascii")`...)
	case p.mediaType.absent() || p.opaque:
		return append(dst, "NIL"...)
	}
	v, _ := w.tree.Value(part, ContentType)
	return w.parameterList(dst, v)
}

func (w *imapWriter) disposition(dst []byte, part int) []byte {
	v, _ := w.tree.Value(part, ContentDisposition)
	name := mechanism(v)
	if len(name) == 0 {
		return append(dst, "NIL"...)
	}
	dst = append(dst, '(')
	dst = appendString(dst, name, w.utf8)
	dst = append(dst, ' ')
	dst = w.parameterList(dst, v)
	return append(dst, ')')
}

// languages appends the tags of a Content-Language (RFC 3282): NIL, one, or a
// list of several.
func (w *imapWriter) languages(dst []byte, part int) []byte {
	v, _ := w.tree.Value(part, ContentLanguage)
	l := lexer{s: v}
	start, n := len(dst), 0
	dst = append(dst, '(')
	for l.skipBlanks(); !l.done(); l.skipBlanks() {
		from, to := l.token()
		if from == to {
			l.i++
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ' ')
		}
		dst = appendString(dst, v[from:to], w.utf8)
	}
	switch n {
	case 0:
		return append(dst[:start], "NIL"...)
	case 1:
		return append(dst[:start], dst[start+1:]...)
	}
	return append(dst, ')')
}

// parameterList appends the parameters of a field, NIL for none.
func (w *imapWriter) parameterList(dst, value []byte) []byte {
	ps := &w.tree.parameters
	ps.parse(value)
	ps.markJoined()
	start := len(dst)
	for i := range ps.list[:ps.n] {
		p := &ps.list[i]
		if p.joined && p.section > 0 || p.section < 0 && ps.repeats(i) {
			continue
		}
		dst = append(dst, ' ')
		if p.joined {
			dst = w.joined(dst, ps, i)
			continue
		}
		w.tree.scratch = p.appendValue(w.tree.scratch[:0])
		dst = w.pair(dst, p.sent)
	}
	if len(dst) == start {
		return append(dst, "NIL"...)
	}
	dst[start] = '('
	return append(dst, ')')
}

// repeats reports whether a parameter before this one bears its name.
func (ps *parameters) repeats(i int) bool {
	for k := range ps.list[:i] {
		if p := &ps.list[k]; bytes.EqualFold(p.sent, ps.list[i].sent) {
			return true
		}
	}
	return false
}

// markJoined marks the sections that make up a parameter: from the first section 0
// of a name to the last before a hole.
func (ps *parameters) markJoined() {
	for i := range ps.list[:ps.n] {
		if p := &ps.list[i]; p.section != 0 || p.joined || ps.find(p.name, 0) != i {
			continue
		}
		for k := i; k >= 0; k = ps.next(k) {
			ps.list[k].joined = true
		}
	}
}

// joined appends a parameter in sections as one (RFC 2231 section 3 and 4).
func (w *imapWriter) joined(dst []byte, ps *parameters, first int) []byte {
	extended := false
	for i := first; i >= 0; i = ps.next(i) {
		extended = extended || ps.list[i].extended
	}
	value := w.tree.scratch[:0]
	for i := first; i >= 0; i = ps.next(i) {
		start := len(value)
		value = ps.list[i].appendValue(value)
		if extended && !ps.list[i].extended {
			value = percentEncodeFrom(value, start)
		}
	}
	w.tree.scratch = value
	p := &ps.list[first]
	name := p.sent[:len(p.name)]
	if extended {
		name = p.sent[:len(p.name)+1] // what follows the name of a section is a star
	}
	return w.pair(dst, name)
}

// pair appends a name and the value in w.tree.scratch.
func (w *imapWriter) pair(dst, name []byte) []byte {
	dst = appendString(dst, name, w.utf8)
	dst = append(dst, ' ')
	return appendString(dst, w.tree.scratch, w.utf8)
}

// percentEncodeFrom encodes what is behind start in b, but for the bytes that RFC
// 2231 section 7 lets stand (attribute-char).
func percentEncodeFrom(b []byte, start int) []byte {
	const hex = "0123456789ABCDEF"
	plain := bytes.Clone(b[start:])
	b = b[:start]
	for _, c := range plain {
		if isToken(c) && c < 0x80 && c != '*' && c != '\'' && c != '%' {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
