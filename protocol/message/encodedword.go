package message

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// Charset appends src, which is in the charset of this name, to dst as UTF-8. It
// returns an error, and dst as it was, if it does not know the charset or src is
// none of it. The name is as sent, in any case. Package charset has one that
// knows all; a nil Charset is BasicCharset where one is needed.
type Charset func(dst, name, src []byte) ([]byte, error)

// ErrCharset is what a Charset returns.
var ErrCharset = errors.New("charset is not known, or text is not in it")

// BasicCharset knows UTF-8, US-ASCII and ISO-8859-1, which need no tables.
func BasicCharset(dst, name, src []byte) ([]byte, error) {
	switch {
	case bytes.EqualFold(name, []byte("utf-8")), bytes.EqualFold(name, []byte("us-ascii")):
		if utf8.Valid(src) {
			return append(dst, src...), nil
		}
	case bytes.EqualFold(name, []byte("iso-8859-1")):
		for _, c := range src {
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst, nil
	}
	return dst, ErrCharset
}

// encodedWord is one of RFC 2047 section 2, =?charset?encoding?text?=.
type encodedWord struct {
	charset, text []byte
	base64        bool
}

// AppendDecodedWords appends the value of a field with its encoded words turned
// into UTF-8, and without the blanks between them. Words that follow one another
// in one charset are decoded as one, since senders cut characters in two. What
// cannot be decoded, and what is no encoded word, stays as it was sent, 8-bit
// text too.
//
// QUIRK: an encoded word may be of any length, stand within other text, and hold
// blanks.
func AppendDecodedWords(dst, value []byte, decode Charset) []byte {
	if decode == nil {
		decode = BasicCharset
	}
	for {
		i := bytes.Index(value, []byte("=?"))
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(dst, value[:i]...)
		value = value[i:]
		w, n := cutEncodedWord(value)
		if n == 0 {
			dst = append(dst, "=?"...)
			value = value[2:]
			continue
		}
		dst, value = appendWords(dst, value, w, n, decode)
	}
}

// appendWords appends the run of encoded words that value begins with, the first
// of which is w and n bytes long, and returns what is left.
func appendWords(dst, value []byte, w encodedWord, n int, decode Charset) (out, rest []byte) {
	var blanks []byte // between the word before and these
	for n > 0 {
		start, charset := len(dst), w.charset
		end, next := 0, 0 // of the words of this charset, and behind the blanks there
		for n > 0 && bytes.EqualFold(w.charset, charset) {
			dst = w.append(dst)
			end = next + n
			next = end + leadingBlanks(value[end:])
			w, n = cutEncodedWord(value[next:])
		}
		var ok bool
		switch dst, ok = recode(dst, start, charset, decode); {
		case !ok: // then it is text, with blanks around it
			dst = append(append(dst, blanks...), value[:next]...)
			blanks, end = nil, next
		case n > 0:
			blanks, end = value[end:next], next
		}
		value = value[end:]
	}
	return dst, value
}

// recode turns what is behind start in b into UTF-8, or takes it away.
func recode(b []byte, start int, charset []byte, decode Charset) ([]byte, bool) {
	end := len(b)
	out, err := decode(b, charset, b[start:end:end])
	if err != nil {
		return b[:start], false
	}
	return out[:start+copy(out[start:], out[end:])], true
}

func leadingBlanks(s []byte) int {
	return len(s) - len(bytes.TrimLeft(s, " \t\r\n"))
}

// cutEncodedWord reads the encoded word that s begins with and returns its
// length, 0 if there is none. It looks no further than to the fourth question
// mark.
func cutEncodedWord(s []byte) (w encodedWord, n int) {
	rest, ok := bytes.CutPrefix(s, []byte("=?"))
	if !ok {
		return w, 0
	}
	charset, rest, ok := bytes.Cut(rest, []byte("?"))
	if !ok || len(charset) == 0 || len(rest) < 2 || rest[1] != '?' {
		return w, 0
	}
	charset, _, _ = bytes.Cut(charset, []byte("*")) // RFC 2231 section 5: a language
	switch rest[0] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, 0
	}
	text, rest, ok := bytes.Cut(rest[2:], []byte("?"))
	if !ok || len(rest) == 0 || rest[0] != '=' {
		return w, 0
	}
	w.charset, w.text = charset, text
	return w, len(s) - len(rest) + 1
}

func (w encodedWord) append(dst []byte) []byte {
	if w.base64 {
		return appendBase64(dst, w.text)
	}
	return appendQ(dst, w.text)
}

// appendQ decodes the Q encoding of RFC 2047 section 4.2.
func appendQ(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '_':
			dst = append(dst, ' ')
			continue
		case c == '=' && i+2 < len(text):
			if b, ok := hexByte(text[i+1], text[i+2]); ok {
				dst = append(dst, b)
				i += 2
				continue
			}
		}
		dst = append(dst, text[i])
	}
	return dst
}
