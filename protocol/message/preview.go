package message

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// MaxPreview is the length of a preview in characters (RFC 8970 section 3.1: at
// most 256, 200 recommended).
const MaxPreview = 200

// maxPreviewSource is how much of a part's decoded text is looked at for its
// preview, in bytes. HTML often begins with as much style.
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
			text, err := t.previewText(i, r, decode)
			if err != nil {
				return dst, err
			}
			n := len(dst)
			if dst = appendPreviewOf(dst, text, subtype == "html"); len(dst) > n {
				return dst, nil
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

// previewText returns the beginning of a part's body in UTF-8.
func (t *Tree) previewText(part int, r io.ReaderAt, decode Charset) ([]byte, error) {
	body := t.Parts[part].Body
	var d Decoder
	d.Reset(io.NewSectionReader(r, body.Offset, body.Size), t.Encoding(part))
	text := make([]byte, min(maxPreviewSource, body.Size))
	n, err := io.ReadFull(&d, text)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
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

// appendPreviewOf appends the first MaxPreview characters of a text.
func appendPreviewOf(dst, text []byte, html bool) []byte {
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
			return dst
		case c <= ' ' || c == 0xa0 || c == utf8.RuneError || isControl(c):
			blank = len(dst) > start
			continue
		}
		if blank {
			dst, blank = append(dst, ' '), false
			if n++; n == MaxPreview {
				return dst[:len(dst)-1]
			}
		}
		dst = utf8.AppendRune(dst, c)
		n++
	}
	return dst
}

// isControl finds what shows nothing or turns the writing around: controls,
// joiners that newsletters pad their previews with, marks of direction.
func isControl(c rune) bool {
	return c >= 0x7f && c < 0xa0 || c == 0xad || c == 0x34f || c == 0x61c || c >= 0x200b && c <= 0x200f ||
		c >= 0x2028 && c <= 0x202e || c >= 0x2060 && c <= 0x206f || c == 0xfeff
}
