// Package prog is the command line of programs that are started once, by cobra,
// with help that reads alike everywhere. Package frame is what holds around it:
// exit codes, panics, descriptors.
package prog

import (
	"fmt"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
)

// Program is how one program starts.
type Program struct {
	Command *cobra.Command
	Codes   frame.Codes
	// Conversation says that descriptors 0 and 1 are a peer's, so descriptor 2
	// must not be: under inetd and systemd it may be the same socket.
	Conversation bool
}

// Main runs the program and exits. Nothing returns from it.
func (p Program) Main() { p.frame().Main() }

// Run runs the program with these arguments and returns the exit code.
func (p Program) Run(args []string) (code int) { return p.frame().Run(args) }

func (p Program) frame() frame.Program {
	return frame.Program{Name: p.Command.Name(), Codes: p.Codes, Conversation: p.Conversation, Do: p.execute}
}

// execute hands the arguments to cobra.
func (p Program) execute(args []string) error {
	c := p.Command
	c.Version = frame.Version
	c.SetVersionTemplate("{{.Name}} (rohrpost) {{.Version}}\n")
	c.SilenceErrors, c.SilenceUsage = true, true
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return frame.Usage(fmt.Errorf("%w; see '%s --help'", err, c.CommandPath()))
	})
	c.SetArgs(args)
	return c.Execute()
}
