package imap

import "time"

// A FETCH response is appended piece by piece: AppendFetch, the items, and
// AppendFetchEnd. Each item leaves a space behind itself, which the end takes back.
// Items that have no function here are written as AppendName, a space, the value, a
// space. Nothing here allocates.

// AppendFetch begins a FETCH response.
func AppendFetch(b []byte, seq SeqNum) []byte {
	b = AppendNumber(append(b, "* "...), seq)
	return append(b, " FETCH ("...)
}

// AppendFetchEnd ends it.
func AppendFetchEnd(b []byte) []byte {
	if n := len(b) - 1; n >= 0 && b[n] == ' ' {
		b = b[:n]
	}
	return append(b, ")\r\n"...)
}

// AppendFetchUID appends UID.
func AppendFetchUID(b []byte, uid UID) []byte {
	return append(AppendNumber(append(b, "UID "...), uid), ' ')
}

// AppendFetchFlags appends FLAGS.
func AppendFetchFlags(b []byte, flags []Flag) []byte {
	return append(AppendFlags(append(b, "FLAGS "...), flags), ' ')
}

// AppendFetchSize appends RFC822.SIZE, of the message with CRLF line ends.
func AppendFetchSize(b []byte, size int64) []byte {
	return append(AppendNumber(append(b, "RFC822.SIZE "...), size), ' ')
}

// AppendFetchDate appends INTERNALDATE.
func AppendFetchDate(b []byte, t time.Time) []byte {
	return append(AppendDateTime(append(b, "INTERNALDATE "...), t), ' ')
}

// AppendFetchSaveDate appends SAVEDATE (RFC 8514 section 4.2); a zero time is NIL: the
// mailbox has none.
func AppendFetchSaveDate(b []byte, t time.Time) []byte {
	b = append(b, "SAVEDATE "...)
	if t.IsZero() {
		return append(AppendNIL(b), ' ')
	}
	return append(AppendDateTime(b, t), ' ')
}

// AppendFetchModSeq appends MODSEQ.
func AppendFetchModSeq(b []byte, modSeq int64) []byte {
	return append(AppendNumber(append(b, "MODSEQ ("...), modSeq), ") "...)
}

// AppendFetchObjectID appends EMAILID or THREADID (RFC 8474 section 5); an empty id is
// NIL, which only THREADID can be.
func AppendFetchObjectID(b []byte, name, id string) []byte {
	b = append(append(b, name...), ' ')
	if id == "" {
		return append(AppendNIL(b), ' ')
	}
	b = append(append(b, '('), id...)
	return append(b, ") "...)
}
