// Relay works the queue: it hands mail for mailboxes of this host to deliver,
// keeps what has to wait, and reports what failed. See rohrpost-relay(8).
//
// Start reading at relay.run in relay.go, then job.run in job.go.
package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/prog"
)

// options are the flags.
type options struct {
	etc, queue, mail string
	once             bool
}

func main() {
	prog.Program{Command: command(), Codes: frame.Server}.Main()
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "relay [flags]",
		Short: "work the queue",
		Long: `relay takes each entry of the queue to where it goes: mail for this host to one
long-lived deliver --lmtp, aliases to their members. What fails for now is tried
again on a schedule, what fails for good is reported to its sender. It runs until
SIGTERM; SIGALRM makes it try everything now, SIGHUP reread its configuration.`,
		Example: `  relay
  relay --once --queue /tmp/queue`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return frame.Usage(fmt.Errorf("%q: relay takes no arguments; see 'relay --help'", args[0]))
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			r, err := open(o)
			if err != nil {
				return control.Open(o.etc).Within(err)
			}
			defer r.close()
			return r.run()
		},
	}
	f := c.Flags()
	f.StringVar(&o.etc, "etc", "", "configuration directory (default $ROHRPOST_ETC or /etc/rohrpost)")
	f.StringVar(&o.queue, "queue", "", "queue directory (default $ROHRPOST_QUEUE, then what etc/queue says)")
	f.StringVar(&o.mail, "mail", "", "directory of mail (default $ROHRPOST_MAIL, then what etc/mail says)")
	f.BoolVar(&o.once, "once", false, "try everything that is there once, then exit")
	watch := f.Bool("watch", true, "stay and handle new entries as they come")
	c.PreRunE = func(*cobra.Command, []string) error {
		if o.once && *watch && f.Changed("watch") {
			return frame.Usage(errors.New("--once and --watch exclude each other; see 'relay --help'"))
		}
		o.once = o.once || !*watch
		return nil
	}
	return c
}
