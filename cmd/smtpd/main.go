// Smtpd receives mail on standard input and output: SMTP for anybody, message
// submission for those who log in, LMTP for other mail systems. See
// rohrpost-smtpd(8).
//
// Start reading at run; accept.go judges senders, recipients and messages.
package main

import (
	"github.com/spf13/pflag"

	"rohrpost/cmd/internal/cmdline"
	"rohrpost/cmd/internal/frame"
)

// options are the flags, and the words behind --.
type options struct {
	etc, queue, mail string
	filter           string
	submission       bool
	lmtp             bool
	plaintextLogin   bool
	auth             []string // a checkpassword program and its arguments
}

const usage = `smtpd speaks SMTP with the client on standard input and output and puts what it
accepts into the queue. It says yes to a message once that survives a power cut.

AUTH is a checkpassword program for clients that log in. With --submission they
must. With --lmtp messages go to deliver at once, and no queue is used.

Usage:
  smtpd [flags] [-- AUTH [ARG...]]

Examples:
  tcpserver -v 0 25 smtpd
  tcpserver -v 0 587 smtpd --submission -- checkpw
  smtpd --queue /tmp/queue < session
`

func main() {
	var o options
	c := cmdline.Command{Name: "smtpd", Help: usage, Flags: o.bind, Run: func(f *pflag.FlagSet) error {
		if err := checkArgs(f.ArgsLenAtDash(), f.Args()); err != nil {
			return cmdline.Misuse("smtpd", err)
		}
		o.auth = f.Args()
		return run(o)
	}}
	frame.Program{Name: c.Name, Codes: frame.Server, Conversation: true, Do: c.Do}.Main()
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVar(&o.etc, "etc", "", "configuration directory")
	f.StringVar(&o.queue, "queue", "", "queue directory")
	f.StringVar(&o.mail, "mail", "", "directory of homes")
	f.StringVar(&o.filter, "filter", "", "program and arguments that judge each message")
	f.BoolVar(&o.submission, "submission", false, "require login, bind senders, complete headers")
	f.BoolVar(&o.lmtp, "lmtp", false, "speak LMTP and hand messages to deliver")
	f.BoolVar(&o.plaintextLogin, "plaintext-login", false, "allow login without TLS from other hosts")
}
