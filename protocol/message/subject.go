package message

import "bytes"

// AppendBaseSubject appends the base subject of a Subject's value, which SORT and
// THREAD compare (RFC 5256 section 2.1), and reports whether what was taken off
// says that the message is a reply or a forward. Encoded words are decoded; the
// letters' case is left as it is.
func AppendBaseSubject(dst, value []byte, decode Charset) (out []byte, reply bool) {
	start := len(dst)
	dst = AppendDecodedWords(dst, value, decode)
	s := closeUpBlanks(dst[start:])
	for {
		var again, re bool
		s, again = trimSubject(s)
		reply = reply || again
		s, re = trimLeaders(s)
		reply = reply || re
		if s, again = unwrapForward(s); !again {
			return dst[:start+copy(dst[start:], s)], reply
		}
		reply = true
	}
}

// closeUpBlanks makes one space of each run of blanks, in place (step 1).
func closeUpBlanks(s []byte) []byte {
	out := s[:0]
	for _, c := range s {
		if c == '\t' || c == '\r' || c == '\n' {
			c = ' '
		}
		if c == ' ' && len(out) > 0 && out[len(out)-1] == ' ' {
			continue
		}
		out = append(out, c)
	}
	return out
}

// trimSubject takes off what RFC 5256 calls subj-trailer (step 2).
func trimSubject(s []byte) (rest []byte, forward bool) {
	for {
		s = bytes.TrimRight(s, " ")
		n := len(s) - len("(fwd)")
		if n < 0 || !bytes.EqualFold(s[n:], []byte("(fwd)")) {
			return s, forward
		}
		s, forward = s[:n], true
	}
}

// trimLeaders takes off each subj-leader, and subj-blobs as long as something is
// left (steps 3 to 5). Blobs are looked at once, however many there are: those
// before a "re:" go with it, and without one they go by step 4.
func trimLeaders(s []byte) (rest []byte, reply bool) {
	for {
		s = bytes.TrimLeft(s, " ")
		behind, last := skipBlobs(s)
		if n := leaderLength(behind); n > 0 {
			s, reply = behind[n:], true
			continue
		}
		if len(behind) == 0 {
			return last, reply
		}
		return behind, reply
	}
}

// skipBlobs returns what stands behind the subj-blobs that s begins with, and
// where the last of them begins.
func skipBlobs(s []byte) (behind, last []byte) {
	behind, last = s, s
	for {
		n := blobLength(behind)
		if n == 0 {
			return behind, last
		}
		last, behind = behind, behind[n:]
	}
}

// blobLength is that of the subj-blob which s begins with, and of the blanks
// behind it.
func blobLength(s []byte) int {
	if len(s) == 0 || s[0] != '[' {
		return 0
	}
	end := bytes.IndexAny(s[1:], "[]") + 1
	if end == 0 || s[end] == '[' {
		return 0
	}
	return len(s) - len(bytes.TrimLeft(s[end+1:], " "))
}

// leaderLength is that of the subj-refwd which s begins with.
func leaderLength(s []byte) int {
	for _, word := range [...]string{"re", "fwd", "fw"} {
		if len(s) < len(word) || !bytes.EqualFold(s[:len(word)], []byte(word)) {
			continue
		}
		rest := bytes.TrimLeft(s[len(word):], " ")
		rest = rest[blobLength(rest):]
		if len(rest) > 0 && rest[0] == ':' {
			return len(s) - len(rest) + 1
		}
	}
	return 0
}

// unwrapForward takes off "[fwd:" and the bracket at the end (step 6).
func unwrapForward(s []byte) ([]byte, bool) {
	const head = "[fwd:"
	if len(s) <= len(head) || !bytes.EqualFold(s[:len(head)], []byte(head)) || s[len(s)-1] != ']' {
		return s, false
	}
	return s[len(head) : len(s)-1], true
}
