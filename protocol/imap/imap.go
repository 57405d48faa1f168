// Package imap is the wire of IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) as a
// server sees it: commands are read into values, responses are appended to a
// buffer. The session, its states and its mailboxes are in package server below.
//
// A Decoder reads one command after the other. For each command with arguments
// there is a function, ParseFetch for FETCH, that takes them from the Decoder and
// returns a value. It has then read the whole command to its CRLF, or returns an
// error and the command does nothing. Only APPEND streams: see ParseAppend.
//
// Literals may be non-synchronizing (LITERAL+ and LITERAL-, RFC 7888) or literal8
// (RFC 3516). What the client must have enabled or what must have been announced
// for an argument to be allowed, sequence numbers above the last message, charsets
// and the mapping of mailbox names to directories are the session's business, not
// looked at here.
//
// Invariants:
//  1. A line ends in CRLF. Up to the next CRLF all is one command, so what
//     somebody smuggled into an argument is never a command of its own.
//  2. After an error the Decoder stands at the next command: the bytes of literals
//     that the client had sent without asking are skipped, never run. Where that
//     would be too much, the session ends (Bye).
//  3. What is read is bounded by Limits before it is allocated, and each byte is
//     looked at a bounded number of times.
//
// Start reading at Decoder, and at ParseFetch for a command.
package imap

// UID is a unique identifier of a message in a mailbox. It is never 0.
type UID uint32

// SeqNum is a message sequence number: 1 is the first message of the mailbox.
type SeqNum uint32

// equalFold compares a word from the wire with one in capital letters.
func equalFold[T string | []byte](word T, name string) bool {
	if len(word) != len(name) {
		return false
	}
	for i := range len(name) {
		if upper(word[i]) != name[i] {
			return false
		}
	}
	return true
}

// upperString copies a word from the wire in capital letters; those of ASCII, which
// are all that a word has.
func upperString[T string | []byte](word T) string {
	var short [32]byte // spares a short word a second allocation
	b := append(short[:0], word...)
	for i, c := range b {
		b[i] = upper(c)
	}
	return string(b)
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
