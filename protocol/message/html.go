package message

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// htmlText reads the characters that a reader of an HTML text would see, roughly:
// without tags, comments and what is in elements that show nothing, and with
// the commonest character references replaced. It goes through the text once and
// never fails.
type htmlText struct {
	rest []byte
}

// next returns the next character, -1 at the end. A tag is a space.
func (h *htmlText) next() rune {
	if len(h.rest) == 0 {
		return -1
	}
	switch h.rest[0] {
	case '<':
		if h.markup() {
			return ' '
		}
	case '&':
		if c, n := reference(h.rest); n > 0 {
			h.rest = h.rest[n:]
			return c
		}
	}
	return h.character()
}

// character returns the next character as it is written, -1 at the end.
func (h *htmlText) character() rune {
	if len(h.rest) == 0 {
		return -1
	}
	c, n := utf8.DecodeRune(h.rest)
	h.rest = h.rest[n:]
	return c
}

// silent are the elements of which the content is not shown.
var silent = [...]string{"style", "script", "head", "title"}

// markup skips a tag, a comment, or a silent element with all in it; what is not
// closed goes on to the end. A "<" that begins none of them is text.
func (h *htmlText) markup() bool {
	if after, ok := bytes.CutPrefix(h.rest, []byte("<!--")); ok {
		h.rest = behind(after, "-->")
		return true
	}
	if len(h.rest) < 2 || !isTagStart(h.rest[1]) {
		return false
	}
	name := tagName(h.rest[1:])
	h.rest = behind(h.rest, ">")
	for _, s := range silent {
		if bytes.EqualFold(name, []byte(s)) {
			h.skipElement(s)
		}
	}
	return true
}

func isTagStart(c byte) bool {
	return c == '/' || c == '!' || c == '?' || isLetter(c)
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func tagName(s []byte) []byte {
	n := 0
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	return s[:n]
}

// behind returns what stands behind the first mark in s, nothing without one.
func behind(s []byte, mark string) []byte {
	_, rest, _ := bytes.Cut(s, []byte(mark))
	return rest
}

// skipElement skips through the closing tag of an element.
func (h *htmlText) skipElement(name string) {
	for {
		h.rest = behind(h.rest, "</")
		if len(h.rest) == 0 {
			return
		}
		if bytes.EqualFold(tagName(h.rest), []byte(name)) {
			h.rest = behind(h.rest, ">")
			return
		}
	}
}

// maxReference is the longest character reference that is looked at, in bytes.
const maxReference = 10

var entities = map[string]rune{
	"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\'', "nbsp": ' ',
	"auml": 'ä', "ouml": 'ö', "uuml": 'ü', "Auml": 'Ä', "Ouml": 'Ö', "Uuml": 'Ü', "szlig": 'ß',
	"eacute": 'é', "egrave": 'è', "agrave": 'à', "ccedil": 'ç', "euro": '€', "copy": '©', "reg": '®',
	"ndash": '–', "mdash": '—', "lsquo": '‘', "rsquo": '’', "ldquo": '“', "rdquo": '”', "hellip": '…',
	"zwnj": ' ', "zwj": ' ', "shy": ' ',
}

// reference reads the character reference that s begins with, and its length; 0
// if there is none.
func reference(s []byte) (c rune, n int) {
	end := bytes.IndexByte(s[:min(len(s), maxReference)], ';')
	if end < 2 {
		return 0, 0
	}
	name := s[1:end]
	if name[0] != '#' {
		if c, ok := entities[string(name)]; ok {
			return c, end + 1
		}
		return 0, 0
	}
	base, digits := 10, string(name[1:])
	if len(digits) > 0 && digits[0]|0x20 == 'x' {
		base, digits = 16, digits[1:]
	}
	v, err := strconv.ParseUint(digits, base, 21)
	if err != nil || !utf8.ValidRune(rune(v)) {
		return 0, 0
	}
	return rune(v), end + 1
}
