package server

import "rohrpost/protocol/smtp"

// Everything the engine ever says by itself. The texts end up in people's
// bounces: they name the fault and nothing of ours.
var (
	replyOK       = smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "ok"}
	replyMailOK   = smtp.Reply{Code: 250, Enhanced: "2.1.0", Text: "sender ok"}
	replyRcptOK   = smtp.Reply{Code: 250, Enhanced: "2.1.5", Text: "recipient ok"}
	replyData     = smtp.Reply{Code: 354, Text: "end the message with a dot on a line by itself"}
	replyBye      = smtp.Reply{Code: 221, Enhanced: "2.0.0", Text: "bye"}
	replyVerify   = smtp.Reply{Code: 252, Enhanced: "2.1.5", Text: "not verified, but mail will be tried"}
	replyHelp     = smtp.Reply{Code: 214, Enhanced: "2.0.0", Text: "this server follows RFC 5321"}
	replyLoggedIn = smtp.Reply{Code: 235, Enhanced: "2.7.0", Text: "logged in"}

	replyTimeout         = smtp.Reply{Code: 421, Enhanced: "4.4.2", Text: "timeout, closing connection"}
	replyTooSlow         = smtp.Reply{Code: 421, Enhanced: "4.4.2", Text: "message comes too slowly, closing connection"}
	replyShutdown        = smtp.Reply{Code: 421, Enhanced: "4.3.2", Text: "service is being stopped, try again later"}
	replyTooManyErrors   = smtp.Reply{Code: 421, Enhanced: "4.7.0", Text: "too many errors, closing connection"}
	replyTooMuchJunk     = smtp.Reply{Code: 421, Enhanced: "4.7.0", Text: "too many commands without mail, closing connection"}
	replyTooManyTries    = smtp.Reply{Code: 421, Enhanced: "4.7.0", Text: "too many failed logins, closing connection"}
	replyTooManyMessages = smtp.Reply{Code: 421, Enhanced: "4.5.3", Text: "too many messages in one session, connect again"}
	replyNotSMTP         = smtp.Reply{Code: 421, Enhanced: "4.7.0", Text: "protocol error, closing connection"}
	replyTooManyRcpts    = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: "too many recipients, send the rest in another message"}
	replyLoginUnknown    = smtp.Reply{Code: 454, Enhanced: "4.7.0", Text: "login cannot be checked now, try again later"}

	replyLineTooLong = smtp.Reply{Code: 500, Enhanced: "5.5.2", Text: "line too long"}
	replyAuthTooLong = smtp.Reply{Code: 500, Enhanced: "5.5.6", Text: "line too long"}
	replyBareLF      = smtp.Reply{Code: 500, Enhanced: "5.5.2", Text: "lines must end in CRLF"}
	replyControl     = smtp.Reply{Code: 500, Enhanced: "5.5.2", Text: "control character in command"}
	replyUnknown     = smtp.Reply{Code: 500, Enhanced: "5.5.1", Text: "command not known"}
	replySyntax      = smtp.Reply{Code: 501, Enhanced: "5.5.4", Text: "syntax error in parameters"}
	replyNoParams    = smtp.Reply{Code: 501, Enhanced: "5.5.4", Text: "command takes no parameters"}
	replyHeloName    = smtp.Reply{Code: 501, Enhanced: "5.5.4", Text: "give a domain name or an address literal"}
	replyBadSender   = smtp.Reply{Code: 501, Enhanced: "5.1.7", Text: "sender address is malformed"}
	replyBadRcpt     = smtp.Reply{Code: 501, Enhanced: "5.1.3", Text: "recipient address is malformed"}
	replyChunkSize   = smtp.Reply{Code: 501, Enhanced: "5.5.4", Text: "chunk size is malformed, closing connection"}
	replyAuthAborted = smtp.Reply{Code: 501, Enhanced: "5.7.0", Text: "login cancelled"}
	replyAuthSyntax  = smtp.Reply{Code: 501, Enhanced: "5.5.2", Text: "malformed login"}
	replyNoAuth      = smtp.Reply{Code: 502, Enhanced: "5.5.1", Text: "no login here"}
	replyHeloFirst   = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "greet first"}
	replyNeedMail    = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "MAIL first"}
	replyNested      = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "a message is under way already"}
	replyChunksBegun = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "BDAT has begun, DATA cannot follow"}
	replyNotNow      = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "not at this point of the session"}
	replyNeedsChunks = smtp.Reply{Code: 503, Enhanced: "5.5.1", Text: "BINARYMIME needs BDAT"}
	replyMechanism   = smtp.Reply{Code: 504, Enhanced: "5.5.4", Text: "mechanism not known"}
	replyLoginFirst  = smtp.Reply{Code: 530, Enhanced: "5.7.0", Text: "login required"}
	replyDenied      = smtp.Reply{Code: 535, Enhanced: "5.7.8", Text: "login or password is not right"}
	replyNeedTLS     = smtp.Reply{Code: 538, Enhanced: "5.7.11", Text: "login needs encryption"}
	replyTooBig      = smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: "message is too large"}
	replyNeedUTF8    = smtp.Reply{Code: 553, Enhanced: "5.6.7", Text: "address needs SMTPUTF8"}
	replyNoRcpts     = smtp.Reply{Code: 554, Enhanced: "5.5.1", Text: "no valid recipients"}
	replyEarly       = smtp.Reply{Code: 554, Enhanced: "5.5.0", Text: "wait for the greeting"}
	replyMessageLF   = smtp.Reply{Code: 554, Enhanced: "5.6.0", Text: "message has a bare LF; lines must end in CRLF"}
	replyMessageCR   = smtp.Reply{Code: 554, Enhanced: "5.6.0", Text: "message has a bare CR; lines must end in CRLF"}
	replyMessageNUL  = smtp.Reply{Code: 554, Enhanced: "5.6.0", Text: "message has a NUL byte"}
	replyParam       = smtp.Reply{Code: 555, Enhanced: "5.5.4", Text: "parameter not known"}
)
