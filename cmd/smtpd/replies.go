package main

import "rohrpost/protocol/smtp"

// What smtpd says beyond what every SMTP server says. Senders find these texts
// in their bounces.
var (
	replyClosed     = smtp.Reply{Code: 421, Enhanced: "4.3.0", Text: "cannot serve you now, try again later"}
	replyLater      = smtp.Reply{Code: 451, Enhanced: "4.3.0", Text: "cannot handle this now, try again later"}
	replyNoStorage  = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "cannot store the message now, try again later"}
	replyNoUser     = smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user here"}
	replyNoRelay    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "not a domain of ours, and no relaying for you"}
	replyBadSender  = smtp.Reply{Code: 553, Enhanced: "5.7.1", Text: "mail from this sender is not accepted"}
	replyNotYours   = smtp.Reply{Code: 553, Enhanced: "5.7.1", Text: "this login may not use this sender address"}
	replyRefused    = smtp.Reply{Code: 554, Enhanced: "5.7.1", Text: "message refused"}
	replyFailed     = smtp.Reply{Code: 554, Enhanced: "5.3.0", Text: "message cannot be accepted"}
	replyHops       = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "too many hops, this message is looping"}
	replyLoop       = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "this message has been delivered here before, it is looping"}
	replyRcptNo     = smtp.Reply{Code: 553, Enhanced: "5.7.1", Text: "recipient refused"}
	replyRcptFailed = smtp.Reply{Code: 421, Enhanced: "4.3.0", Text: "recipient cannot be checked now, try again later"}
)
