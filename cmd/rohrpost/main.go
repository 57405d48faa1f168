// Command rohrpost is the front door: it starts a small mail host, keeps its
// users, and shows and checks what the other programs do (rohrpost(1)).
package main

import (
	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/prog"
)

func main() {
	prog.Program{Command: command(), Codes: frame.Server}.Main()
}

func command() *cobra.Command {
	c := &cobra.Command{
		Use:   "rohrpost COMMAND [ARGUMENT...]",
		Short: "the front door of rohrpost, a mail system of small programs",
		Long: `rohrpost starts a small mail host, keeps its users, and shows and checks what
the other programs do.

The configuration is a directory of small files, rohrpost-control(5). It is,
in this order: --etc DIR, --home DIR (then DIR/etc), the environment variable
ROHRPOST_ETC, ./rohrpost/etc if there is one, /etc/rohrpost.

Any other COMMAND is a program of rohrpost, run with the arguments given:
'rohrpost deliver -n Maildir' is deliver with these arguments.`,
		Example: `  rohrpost up                          a mail host in ./rohrpost, in the foreground
  rohrpost user add bob                a mailbox for bob, who can log in at once
  rohrpost explain bob+lists@localhost where would that go, and why
  rohrpost queue list                  what waits, and for what
  rohrpost check                       is anything wrong with the configuration?`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return other(c, args)
		},
	}
	c.Flags().SetInterspersed(false)
	c.AddCommand(upCommand(), userCommand(), queueCommand(), explainCommand(), sweepCommand(), checkCommand())
	return c
}
