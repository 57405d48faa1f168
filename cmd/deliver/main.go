// Deliver stores mail in Maildirs: one message from standard input, or with
// --lmtp many over one conversation. See rohrpost-deliver(8).
//
// Start reading at single.deliver; lmtp.go is the other way in.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/prog"
	"rohrpost/cmd/internal/users"
)

// options are the flags.
type options struct {
	sender, recipient       string
	senderSet, recipientSet bool
	size                    int64
	follow                  bool
	dryRun                  bool
	lmtp                    bool
	etc, mail               string
	quota                   string
	overQuota               string
}

// check refuses values of flags that mean nothing, and writes the quota as
// maildirsize has it.
func (o *options) check() (err error) {
	if o.overQuota != "wait" && o.overQuota != "bounce" {
		return fmt.Errorf("--over-quota %s: it is wait or bounce", o.overQuota)
	}
	if o.quota != "" {
		if o.quota, err = users.ParseQuota(o.quota); err != nil {
			return fmt.Errorf("--quota: %w; write it as storage=1G:messages=10000", err)
		}
	}
	return nil
}

// over is the verdict on a message for which there is no room.
func (o options) over() verdict {
	if o.overQuota == "bounce" {
		return mailboxFullForGood
	}
	return mailboxFull
}

func main() {
	prog.Program{
		Command: command(),
		Codes:   prog.Delivery,
		// The caller of a single delivery reads our complaints on descriptor
		// 2, which may well be the socket that is also 0 and 1.
		Conversation: slices.Contains(os.Args[1:], "--lmtp"),
	}.Main()
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "deliver [flags] [MAILDIR]",
		Short: "store a message in a Maildir",
		Long: `deliver stores the message on standard input in MAILDIR, by default $MAILDIR or
$HOME/Maildir, and exits 0 once it survives a power cut. It exits 75 if the
caller should try again later and 100 if that cannot help.`,
		Example: `  deliver < message
  deliver -f sender@example.org -a joe+work@example.net ~/Maildir < message`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.senderSet = c.Flags().Changed("sender")
			o.recipientSet = c.Flags().Changed("recipient")
			if err := o.check(); err != nil {
				return prog.Usage(err)
			}
			if o.lmtp {
				return report(serveLMTP(o))
			}
			runtime.GOMAXPROCS(1) // one message needs no second thread to wait for it
			var arg string
			if len(args) > 0 {
				arg = args[0]
			}
			return report(deliverOne(o, arg))
		},
	}
	f := c.Flags()
	f.StringVarP(&o.sender, "sender", "f", "", "envelope sender; <> for none")
	f.StringVarP(&o.recipient, "recipient", "a", "", "envelope recipient")
	f.Int64Var(&o.size, "size", -1, "size of the message in bytes; 75 if it differs")
	f.BoolVar(&o.lmtp, "lmtp", false, "speak LMTP on standard input and output; recipients are users(5)")
	f.StringVar(&o.etc, "etc", "", "directory of the configuration, for --lmtp")
	f.StringVar(&o.mail, "mail", "", "directory of the users' homes, for --lmtp")
	f.StringVar(&o.quota, "quota", "", "quota of the Maildir, as storage=1G; without it maildirsize says")
	f.StringVar(&o.overQuota, "over-quota", "wait", "a message beyond the quota is to wait or to bounce")
	f.BoolVar(&o.follow, "follow", false, "MAILDIR may be a symbolic link")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "say where the message would go and why; store nothing")
	return c
}

// report says on descriptor 2 what went wrong: an enhanced status code first,
// where Postfix and others look for it, agreeing with the exit code.
func report(err error) error {
	var said prog.Exit
	if err == nil || errors.As(err, &said) {
		return err
	}
	r := judge(err)
	unix.Write(2, append([]byte(clean(r.Error())), '\n'))
	return exitOf(r)
}

// exitOf is the exit code that agrees with the verdict.
func exitOf(r *refusal) prog.Exit {
	if r.permanent() {
		return prog.Exit(prog.Delivery.Permanent)
	}
	return prog.Exit(prog.Delivery.Temporary)
}
