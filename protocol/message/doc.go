// Package message reads Internet messages (RFC 5322) and their MIME structure
// (RFC 2045 and 2046) as they stream by: linear in time, bounded in memory, and
// with one answer to what a header field and what a part is, for all programs.
//
// The rule of the header, for honest and for hostile messages alike:
//
//  1. The header ends at the first empty line, or with the message or part.
//     Nothing else ends it.
//  2. A field is a line whose name is one or more bytes from '!' to '~' without
//     colon, then blanks if any (RFC 5322 section 4.5.8 had senders write
//     them), then a colon. A name longer than MaxName is none.
//  3. Lines that begin with a space or a tab continue the line before,
//     whatever that was, and however little else is in them.
//  4. Any other line (no colon, an empty name, a name with a blank inside or
//     with 8-bit bytes) stays where it is, counts as part of the header, and
//     is no field.
//  5. A line ends at LF; one CR before it belongs to the line end. Any other
//     CR is a byte like others.
//  6. Of several fields of one name the first counts, and of several
//     parameters of one name the first.
//
// The rule of the parts:
//
//  7. A part is a header and a body. A multipart's body holds parts between
//     the lines that delimit it (RFC 2046 section 5.1.1); the body of
//     message/rfc822 and message/global is a message.
//  8. A line delimits an open multipart if it is "--", the boundary, "--" again
//     if no part is to follow, and blanks. Blanks at the end of a boundary do
//     not count, letters' case does. Of the open multiparts that it fits the
//     innermost has it; all within that one end there, header or body. The line
//     end before it belongs to it, unless that line end belongs to a header.
//     DEVIATION: RFC 2046 lets anything follow the boundary. Mail is sent whose
//     boundaries begin with one another.
//  9. Behind its last delimiter a multipart is open no longer, so what follows is
//     nobody's part. A part that nothing ends goes on to the end of the message.
//  10. A part without a Content-Type is text/plain, in a multipart/digest
//     message/rfc822. One whose Content-Type cannot be read is text/plain
//     (RFC 2045 section 5.2), and so is a multipart without a boundary, or whose
//     boundary is longer than MaxBoundary, or in which no part begins: what the
//     sender wrote is to be seen.
//  11. A multipart or message at depth MaxDepth is not looked into, it is
//     application/octet-stream. The part with the number MaxParts goes on to
//     the end of the whole message.
//
// Invariants of a Tree:
//
//  1. Parts lie in the order of their bytes, a parent before its children.
//  2. A header is followed by its body. Children lie within the body of their
//     parent and do not overlap.
//  3. Part 0 is the message and covers all of it.
//  4. Sizes on the wire count every LF without a CR as CRLF.
//
// What it does not do: hold a message, change one, or judge one. Charsets are
// decoded by the caller's function (package charset has one with all tables),
// so a program that needs none does not link them.
//
// Start reading at Scanner.Scan; Header.Write is the header alone.
package message
