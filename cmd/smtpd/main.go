// Smtpd receives mail on standard input and output: SMTP for anybody, message
// submission for those who log in, LMTP for other mail systems. See
// rohrpost-smtpd(8).
//
// Start reading at run; accept.go judges senders, recipients and messages.
package main

import (
	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/prog"
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

func main() {
	prog.Program{Command: command(), Codes: prog.Server, Conversation: true}.Main()
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "smtpd [flags] [-- AUTH [ARG...]]",
		Short: "receive mail by SMTP on standard input and output",
		Long: `smtpd speaks SMTP with the client on standard input and output and puts what it
accepts into the queue. It says yes to a message once that survives a power cut.

AUTH is a checkpassword program for clients that log in. With --submission they
must. With --lmtp messages go to deliver at once, and no queue is used.`,
		Example: `  tcpserver -v 0 25 smtpd
  tcpserver -v 0 587 smtpd --submission -- checkpw
  smtpd --queue /tmp/queue < session`,
		Args: func(c *cobra.Command, args []string) error { return checkArgs(c.ArgsLenAtDash(), args) },
		RunE: func(_ *cobra.Command, args []string) error {
			o.auth = args
			return run(o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.etc, "etc", "", "configuration directory")
	f.StringVar(&o.queue, "queue", "", "queue directory")
	f.StringVar(&o.mail, "mail", "", "directory of homes")
	f.StringVar(&o.filter, "filter", "", "program and arguments that judge each message")
	f.BoolVar(&o.submission, "submission", false, "require login, bind senders, complete headers")
	f.BoolVar(&o.lmtp, "lmtp", false, "speak LMTP and hand messages to deliver")
	f.BoolVar(&o.plaintextLogin, "plaintext-login", false, "allow login without TLS from other hosts")
	return c
}
