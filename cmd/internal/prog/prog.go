// Package prog is the command line of programs that are started once, by cobra,
// with help that reads alike everywhere. Package frame is what holds around it:
// exit codes, panics, descriptors.
package prog

import (
	"fmt"
	"strings"

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
	guardArgs(c)
	c.SetArgs(args)
	return c.Execute()
}

// guardArgs makes the arguments that a command or one of its subcommands does
// not take misuse, in words that name the help. What a program says of its own
// arguments stays as it is.
func guardArgs(c *cobra.Command) {
	for _, sub := range c.Commands() {
		guardArgs(sub)
	}
	if c.Args == nil {
		return
	}
	takes := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		err := takes(c, args)
		if err == nil || frame.IsUsage(err) {
			return err
		}
		return frame.Usage(fmt.Errorf("%s; see '%s --help'", misfit(c, args), c.CommandPath()))
	}
}

// misfit says what is wrong with the arguments of a command.
func misfit(c *cobra.Command, args []string) string {
	_, wants, _ := strings.Cut(c.Use, " ")
	switch {
	case c.HasSubCommands():
		return fmt.Sprintf("there is no command '%s %s'", c.CommandPath(), args[0])
	case wants == "":
		return fmt.Sprintf("'%s' takes no arguments, and %q was given", c.CommandPath(), args[0])
	}
	return fmt.Sprintf("'%s' takes %s, and %s given", c.CommandPath(), wants, counted(len(args)))
}

func counted(arguments int) string {
	switch arguments {
	case 0:
		return "no argument was"
	case 1:
		return "one argument was"
	}
	return fmt.Sprintf("%d arguments were", arguments)
}
