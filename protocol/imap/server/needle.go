package server

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// needle is a text that is looked for.
type needle struct {
	text  []byte // folded
	found bool

	// A short text is looked for by that of its bytes which mail has least often.
	rarest int

	// A long one is looked for by the algorithm of Knuth, Morris and Pratt, so that no
	// text takes more than linear time: how much of its beginning the bytes so far end
	// with, and for each such length the next shorter one.
	matched int32
	shorter []int32
}

// maxShort is how long a short text may be, in bytes: it can be compared at every
// place, and so much of what was seen before is held.
const maxShort = 32

// newNeedle folds a text that is to be found. CR counts for nothing: lines of mail
// end in LF or in CRLF, and a client cannot know.
func newNeedle(fold *casemap, text []byte) needle {
	n := needle{text: fold.appendAll(nil, withoutCR(nil, text))}
	n.rarest = rarest(n.text)
	if len(n.text) > maxShort {
		n.shorter = borders(n.text)
	}
	return n
}

// often is what folded mail has most often, the most frequent first; the bytes that
// characters of many scripts begin with are among them.
const often = " ETAOINSR\nHLDCUMFPGWYBVK=/.-0123456789<>\",:X_\xcc\xd0\xd1\xce\xd7\xd8\xd9\xe0\xe3JQZ"

// rarest is the place of the byte of a text that is seen least often.
func rarest(text []byte) int {
	best, place := -1, 0
	for i, c := range text {
		rank := strings.IndexByte(often, c)
		if rank < 0 {
			return i
		}
		if rank > best {
			best, place = rank, i
		}
	}
	return place
}

// borders is for each beginning of a text, text[:i+1], the length of the longest
// text that it both begins and ends with, besides itself.
func borders(text []byte) []int32 {
	all := make([]int32, len(text))
	k := int32(0)
	for i := 1; i < len(text); i++ {
		for k > 0 && text[k] != text[i] {
			k = all[k-1]
		}
		if text[k] == text[i] {
			k++
		}
		all[i] = k
	}
	return all
}

// begin is called where a text begins.
func (n *needle) begin() { n.matched = 0 }

// next looks at the bytes of a text that are in the window behind from. Those before
// are what it has seen last, as far as maxShort needs them.
func (n *needle) next(window []byte, from int) bool {
	if n.shorter == nil {
		n.found = n.in(window)
		return n.found
	}
	k := n.matched
	for _, c := range window[from:] {
		for k > 0 && n.text[k] != c {
			k = n.shorter[k-1]
		}
		if n.text[k] == c {
			if k++; int(k) == len(n.text) {
				n.found = true
				return true
			}
		}
	}
	n.matched = k
	return false
}

// in reports whether a short text is in a window.
func (n *needle) in(window []byte) bool {
	c, behind := n.text[n.rarest], len(n.text)-n.rarest
	for at, tries := n.rarest, 0; at+behind <= len(window); at++ {
		i := bytes.IndexByte(window[at:len(window)-behind+1], c)
		if i < 0 {
			return false
		}
		at += i
		if start := at - n.rarest; string(window[start:start+len(n.text)]) == string(n.text) {
			return true
		}
		if tries++; tries > 8+at/8 {
			// The byte is not rare here.
			return bytes.Contains(window[at-n.rarest:], n.text)
		}
	}
	return false
}

// haystack is a text that comes in pieces, in which needles are looked for. It holds
// no more of it than a piece. The zero value is ready.
type haystack struct {
	fold    casemap
	needles []*needle // of this text, those not found yet
	window  []byte    // folded: the end of what has been seen, and a piece
	rest    []byte    // an incomplete character
	lines   []byte    // room for a piece without CR
}

// maxPiece is how much is folded at a time, in bytes: it stays in the cache.
const maxPiece = 8 << 10

// begin begins a new text.
func (h *haystack) begin() {
	h.needles, h.window, h.rest = h.needles[:0], h.window[:0], h.rest[:0]
}

// add has a needle looked for in the text that has begun. The empty text is in every
// text.
func (h *haystack) add(n *needle) {
	if len(n.text) == 0 {
		n.found = true
		return
	}
	n.begin()
	h.needles = append(h.needles, n)
}

// feed looks at the next bytes of the text and reports whether needles were found.
func (h *haystack) feed(p []byte) (found bool) {
	for len(p) > 0 && len(h.needles) > 0 {
		n := min(len(p), maxPiece)
		found = h.piece(p[:n]) || found
		p = p[n:]
	}
	return found
}

func (h *haystack) piece(p []byte) bool {
	if bytes.IndexByte(p, '\r') >= 0 {
		h.lines = withoutCR(h.lines[:0], p)
		p = h.lines
	}
	before := keepEnd(h.window, maxShort-1)
	h.window = h.window[:before]
	if len(h.rest) > 0 {
		p = h.complete(p)
	}
	var rest []byte
	h.window, rest = h.fold.append(h.window, p)
	h.rest = append(h.rest, rest...)
	return h.look(before)
}

// complete folds the incomplete character that the last piece ended in, with what p
// has of it, and returns the rest of p.
func (h *haystack) complete(p []byte) []byte {
	have := len(h.rest)
	h.rest = append(h.rest, p[:min(len(p), utf8.UTFMax-have)]...)
	var rest []byte
	h.window, rest = h.fold.append(h.window, h.rest)
	taken := len(h.rest) - len(rest)
	if taken == 0 {
		return nil // it is incomplete still
	}
	h.rest = h.rest[:0]
	return p[taken-have:]
}

// end ends the text and reports whether that makes needles found.
func (h *haystack) end() bool {
	if len(h.rest) == 0 {
		return false
	}
	before := keepEnd(h.window, maxShort-1)
	h.window = append(h.window[:before], h.rest...)
	h.rest = h.rest[:0]
	return h.look(before)
}

// look looks at the bytes of the window behind before.
func (h *haystack) look(before int) bool {
	all := len(h.needles)
	h.needles = slices.DeleteFunc(h.needles, func(n *needle) bool {
		return n.next(h.window, before)
	})
	return len(h.needles) < all
}

// keepEnd moves the last n bytes of b to its beginning and returns how many there
// are.
func keepEnd(b []byte, n int) int { return copy(b, b[max(len(b)-n, 0):]) }

func withoutCR(dst, src []byte) []byte {
	for {
		i := bytes.IndexByte(src, '\r')
		if i < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		src = src[i+1:]
	}
}
