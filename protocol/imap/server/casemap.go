package server

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// casemap folds UTF-8 as the collation i;unicode-casemap does, which SEARCH, SORT
// and THREAD compare by (RFC 5256 section 7, RFC 5051 section 2): each character
// becomes its titlecase, and that its decomposition, fully. So letters of either
// case are the same, a letter is found in the same letter with an accent, and the
// order of the folded bytes is that of SORT. What is no UTF-8 stays as it is.
//
// A character folds by itself: texts can be folded in pieces that end between two.
//
// What characters beyond ASCII fold to is looked up once and then kept, at most
// 512 KB. The zero value is ready.
type casemap struct {
	blocks [1 << 16 / blockRunes]*[blockRunes]folded
}

const blockRunes = 64

// folded is what a character folds to, unless that is longer than it has room.
type folded struct {
	size uint8
	text [7]byte
}

// tooLong is the size of what does not fit in a folded.
const tooLong = 0xff

// append appends src, folded, to dst. A character that is not complete at the end of
// src is returned.
func (c *casemap) append(dst, src []byte) (out, rest []byte) {
	for len(src) > 0 {
		n := len(dst)
		dst = slices.Grow(dst, len(src))
		ascii := upperASCII(dst[n:n+len(src)], src)
		dst, src = dst[:n+ascii], src[ascii:]
		for len(src) > 0 && src[0] >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(src)
			if r == utf8.RuneError && size == 1 {
				if !utf8.FullRune(src) {
					return dst, src
				}
				dst = append(dst, src[0])
			} else {
				dst = c.appendRune(dst, r)
			}
			src = src[size:]
		}
	}
	return dst, nil
}

// appendAll appends all of a text that ends with src.
func (c *casemap) appendAll(dst, src []byte) []byte {
	dst, rest := c.append(dst, src)
	return append(dst, rest...)
}

// upperASCII copies the ASCII that src begins with to dst, in capital letters, and
// returns its length.
func upperASCII(dst, src []byte) int {
	const ones = 0x0101010101010101
	s, d := src, dst
	for len(s) >= 8 && len(d) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		if w&(0x80*ones) != 0 {
			break
		}
		// The highest bit of each byte says whether it is a to z, and that is worth a
		// space's bit, 0x20.
		small := (w + (0x80-'a')*ones) &^ (w + (0x80-'z'-1)*ones) & (0x80 * ones)
		binary.LittleEndian.PutUint64(d, w-small>>2)
		s, d = s[8:], d[8:]
	}
	i := len(src) - len(s)
	for ; i < len(src) && src[i] < utf8.RuneSelf; i++ {
		b := src[i]
		if 'a' <= b && b <= 'z' {
			b -= 'a' - 'A'
		}
		dst[i] = b
	}
	return i
}

func (c *casemap) appendRune(dst []byte, r rune) []byte {
	if r >= 1<<16 {
		return appendFolded(dst, r)
	}
	block := c.blocks[r/blockRunes]
	if block == nil {
		block = foldBlock(r &^ (blockRunes - 1))
		c.blocks[r/blockRunes] = block
	}
	f := &block[r%blockRunes]
	if f.size == tooLong {
		return appendFolded(dst, r)
	}
	return append(dst, f.text[:f.size]...)
}

func foldBlock(first rune) *[blockRunes]folded {
	block := new([blockRunes]folded)
	var room [64]byte
	for i := range block {
		text := appendFolded(room[:0], first+rune(i))
		block[i].size = tooLong
		if copy(block[i].text[:], text) == len(text) {
			block[i].size = uint8(len(text))
		}
	}
	return block
}

// appendFolded appends what a character folds to.
func appendFolded(dst []byte, r rune) []byte {
	n := len(dst)
	dst = utf8.AppendRune(dst, unicode.ToTitle(r))
	if hangul := unicode.ToTitle(r) - hangulFirst; 0 <= hangul && hangul < hangulSyllables {
		return appendJamo(dst[:n], hangul)
	}
	if d := norm.NFKD.Properties(dst[n:]).Decomposition(); d != nil {
		return append(dst[:n], d...)
	}
	return dst
}

// Hangul syllables decompose by arithmetic (Unicode section 3.12): they are all
// combinations of a leading consonant, a vowel and a trailing consonant, or none.
const (
	hangulFirst     = 0xac00
	hangulSyllables = 19 * vowels * trailing
	vowels          = 21
	trailing        = 28
)

func appendJamo(dst []byte, syllable rune) []byte {
	dst = utf8.AppendRune(dst, 0x1100+syllable/(vowels*trailing))
	dst = utf8.AppendRune(dst, 0x1161+syllable/trailing%vowels)
	if t := syllable % trailing; t != 0 {
		dst = utf8.AppendRune(dst, 0x11a7+t)
	}
	return dst
}
