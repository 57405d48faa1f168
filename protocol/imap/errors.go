package imap

// SyntaxError is a command that is not understood. The session answers it with
// BAD and goes on with the next command.
type SyntaxError struct {
	Tag  string // of the command; "" if it had none that could be read: answer "*"
	Code Code   // the response code to give, or ""
	Text string // for people
}

func (e *SyntaxError) Error() string { return e.Text }

// Bye is input after which no next command can be found, or not at a bearable
// price. The session says BYE and ends.
type Bye struct {
	Code Code // the response code to give, or ""
	Text string
}

func (e *Bye) Error() string { return e.Text }
