package imap

// Limits bound what a client can make the server read and hold for one command.
type Limits struct {
	Line    int   // bytes of a line without its CRLF; the line.Reader's buffer must be 2 larger
	Literal int   // bytes in all literals of a command together, without those of APPEND
	Plus    int64 // bytes of one non-synchronizing literal; 4096 is LITERAL- (RFC 7888 section 5)
	Args    int   // words, strings, numbers and list items of a command
	Depth   int   // parentheses and NOTs within each other
	Skip    int64 // bytes of a refused command that are read for the sake of the next one
}

// BeforeLogin is for a client that nobody knows yet.
var BeforeLogin = Limits{
	Line:    8 << 10,
	Literal: 4 << 10,
	Plus:    4096,
	Args:    64,
	Depth:   4,
	Skip:    64 << 10,
}

// AfterLogin is for a client that has logged in. A refused message of 64 MB is
// still read to its end, so that the client can be told why it was refused.
var AfterLogin = Limits{
	Line:    64 << 10,
	Literal: 64 << 10,
	Plus:    1<<63 - 1,
	Args:    10_000,
	Depth:   32,
	Skip:    64 << 20,
}
