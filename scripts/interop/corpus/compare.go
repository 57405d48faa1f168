package corpus

import (
	"bytes"
	"fmt"
	"strings"
)

// added are the header lines that rohrpost puts on top of a message on its way,
// and nothing else may be changed.
var added = []string{"Return-Path:", "Delivered-To:", "Received:"}

// Strip takes off the header lines that were added on top.
func Strip(text []byte) []byte {
	for {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if !isAdded(line) {
			return text
		}
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			_, rest, _ = bytes.Cut(rest, []byte("\n"))
		}
		text = rest
	}
}

func isAdded(line []byte) bool {
	for _, a := range added {
		if bytes.HasPrefix(line, []byte(a)) {
			return true
		}
	}
	return false
}

// Compare says for each message sent what is wrong with it among those read; ""
// if it came back unchanged, once. extra is what nobody sent.
func Compare(sent []Message, read [][]byte) (wrong []string, extra int) {
	left := map[string]int{}
	for _, r := range read {
		left[string(ended(Strip(r)))]++
	}
	wrong = make([]string, len(sent))
	var missing []int
	for i, m := range sent {
		if text := string(m.AsRead()); left[text] > 0 {
			left[text]--
		} else {
			missing = append(missing, i)
		}
	}
	for _, i := range missing {
		wrong[i] = nearest(sent[i].AsRead(), left)
	}
	for _, n := range left {
		extra += n
	}
	return wrong, extra
}

// nearest shows the first difference to the message left that is most alike.
func nearest(want []byte, left map[string]int) string {
	best, at := "", -1
	for text, n := range left {
		if p := samePrefix(want, text); n > 0 && p > at {
			best, at = text, p
		}
	}
	if at < 0 {
		return "did not come"
	}
	left[best]--
	return fmt.Sprintf("differs at byte %d:\n    sent %s\n    read %s", at, around(string(want), at), around(best, at))
}

func samePrefix(a []byte, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// around quotes a text near a place in it.
func around(s string, at int) string {
	from, to := max(at-30, 0), min(at+40, len(s))
	return strings.Repeat("…", min(from, 1)) + fmt.Sprintf("%q", s[from:to]) + strings.Repeat("…", min(len(s)-to, 1))
}
