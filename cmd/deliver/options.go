package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"rohrpost/cmd/internal/cmdline"
	"rohrpost/cmd/internal/users"
)

// options are the flags and the argument.
type options struct {
	maildir                 string
	sender, recipient       string
	senderSet, recipientSet bool
	size                    int64
	follow                  bool
	dryRun                  bool
	quota                   string // as maildirsize has it
	overQuota               string
	lmtp                    bool
	etc, mail               string
}

const usage = `deliver stores the message on standard input in MAILDIR, by default $MAILDIR or
$HOME/Maildir, and exits 0 once it survives a power cut. It exits 75 if the
caller should try again later and 100 if that cannot help.

Usage:
  deliver [flags] [MAILDIR]
  deliver --lmtp [flags]

Examples:
  deliver < message
  deliver -n -a joe+work@example.net < message
  deliver -f sender@example.org -a joe@example.net --quota storage=1G ~/Maildir < message
`

func command() cmdline.Command {
	var o options
	return cmdline.Command{
		Name: "deliver", Help: usage, Flags: o.bind,
		Run: func(f *pflag.FlagSet) error {
			if err := o.check(f); err != nil {
				return cmdline.Misuse("deliver", err)
			}
			return run(o)
		},
	}
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVarP(&o.sender, "sender", "f", "", "envelope sender; <> for none")
	f.StringVarP(&o.recipient, "recipient", "a", "", "envelope recipient")
	f.Int64Var(&o.size, "size", -1, "size of the message in `bytes`; 75 if it has another")
	f.BoolVar(&o.follow, "follow", false, "MAILDIR may be a symbolic link")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "say where the message would go and why; store nothing")
	f.StringVar(&o.quota, "quota", "", "quota of the Maildir, as storage=1G; without it maildirsize says")
	f.StringVar(&o.overQuota, "over-quota", "wait", "a message beyond the quota is to wait or to bounce")
	f.BoolVar(&o.lmtp, "lmtp", false, "speak LMTP on standard input and output; recipients are those of rohrpost-users(5)")
	f.StringVar(&o.etc, "etc", "", "directory of the configuration, for --lmtp")
	f.StringVar(&o.mail, "mail", "", "directory of the users' homes, for --lmtp")
}

// check completes the options. Values that mean nothing are refused.
func (o *options) check(f *pflag.FlagSet) (err error) {
	o.senderSet, o.recipientSet = f.Changed("sender"), f.Changed("recipient")
	o.maildir = f.Arg(0)
	switch {
	case f.NArg() > 1:
		return errors.New("more than one MAILDIR is given")
	case f.NArg() == 1 && o.maildir == "":
		return errors.New("MAILDIR is empty: a variable that is not set?")
	case f.NArg() == 1 && o.lmtp:
		return errors.New("--lmtp takes no MAILDIR: rohrpost-users(5) says where mail goes")
	case f.Changed("size") && o.size < 0:
		return fmt.Errorf("--size %d: it is a number of bytes", o.size)
	case o.overQuota != "wait" && o.overQuota != "bounce":
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
