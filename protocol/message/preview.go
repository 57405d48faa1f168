package message

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"
)

// MaxPreview is the length of a preview in characters (RFC 8970 section 3.1: at
// most 256, 200 recommended).
const MaxPreview = 200

// previewSources is how much of a part's decoded text is looked at for its
// preview, in bytes: as much as suffices nearly always, and if it does not, as
// much as the style may take that HTML begins with.
var previewSources = [...]int64{4 << 10, maxPreviewSource}

const maxPreviewSource = 128 << 10

// AppendPreview appends the PREVIEW of a message (RFC 8970): the beginning of
// the first part that is text, is no attachment and has some, in UTF-8, with
// one space for each run of white space, at most MaxPreview characters and no
// control characters. Plain text is preferred to HTML, of which the text is
// taken. r is the stored message that t was scanned from. The text is empty if
// the message has none. Text that decode (nil: BasicCharset) cannot turn into
// UTF-8 is taken as far as it is that. The error is that of r.
func (t *Tree) AppendPreview(dst []byte, r io.ReaderAt, decode Charset) ([]byte, error) {
	if decode == nil {
		decode = BasicCharset
	}
	for _, subtype := range [...]string{"plain", "html"} {
		for i := range t.Parts {
			if !t.isPreviewable(i, subtype) {
				continue
			}
			n := len(dst)
			var err error
			if dst, err = t.appendPreviewOf(dst, i, r, decode, subtype == "html"); err != nil || len(dst) > n {
				return dst, err
			}
		}
	}
	return dst, nil
}

func (t *Tree) isPreviewable(part int, subtype string) bool {
	mediaType, sub := t.Type(part)
	if t.Parts[part].Kind != Leaf || !bytes.EqualFold(mediaType, []byte("text")) || !bytes.EqualFold(sub, []byte(subtype)) {
		return false
	}
	d, _ := t.Value(part, ContentDisposition)
	return !bytes.EqualFold(mechanism(d), []byte("attachment"))
}

// appendPreviewOf appends the preview of one part.
func (t *Tree) appendPreviewOf(dst []byte, part int, r io.ReaderAt, decode Charset, html bool) ([]byte, error) {
	start := len(dst)
	for _, limit := range previewSources {
		text, err := t.previewText(part, r, limit, decode)
		if err != nil {
			return dst[:start], err
		}
		var full bool
		if dst, full = appendVisible(dst[:start], text, html); full || t.Parts[part].Body.Size <= limit {
			break
		}
	}
	return dst, nil
}

// previewText returns the beginning of a part's body in UTF-8.
func (t *Tree) previewText(part int, r io.ReaderAt, limit int64, decode Charset) ([]byte, error) {
	body := t.Parts[part].Body
	t.decoder.Reset(io.NewSectionReader(r, body.Offset, body.Size), t.Encoding(part))
	t.scratch = slices.Grow(t.scratch[:0], int(min(limit, body.Size)))
	text := t.scratch[:min(limit, body.Size)]
	n, err := io.ReadFull(&t.decoder, text)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	// A character may be cut in two at the end, so what does not fit is given
	// up byte by byte.
	charset := t.AppendCharset(nil, part)
	for cut := range min(4, n+1) {
		if out, err := decode(nil, charset, text[:n-cut]); err == nil {
			return out, nil
		}
	}
	return text[:n], nil
}

// appendVisible appends the first MaxPreview characters of a text, and reports
// whether there are as many.
func appendVisible(dst, text []byte, html bool) (out []byte, full bool) {
	h := htmlText{rest: text}
	start, n, blank := len(dst), 0, false
	for n < MaxPreview {
		var c rune
		if html {
			c = h.next()
		} else {
			c = h.character()
		}
		switch {
		case c < 0:
			return dst, false
		case c <= ' ' || c == 0xa0 || c == utf8.RuneError || isControl(c):
			blank = len(dst) > start
			continue
		}
		if blank {
			dst, blank = append(dst, ' '), false
			if n++; n == MaxPreview {
				return dst[:len(dst)-1], true
			}
		}
		dst = utf8.AppendRune(dst, c)
		n++
	}
	return dst, true
}

// isControl finds what shows nothing or turns the writing around: controls,
// joiners that newsletters pad their previews with, marks of direction.
func isControl(c rune) bool {
	return c >= 0x7f && c < 0xa0 || c == 0xad || c == 0x34f || c == 0x61c || c >= 0x200b && c <= 0x200f ||
		c >= 0x2028 && c <= 0x202e || c >= 0x2060 && c <= 0x206f || c == 0xfeff
}
