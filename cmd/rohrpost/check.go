package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/route"
)

// inspection is one run of check.
type inspection struct {
	etc    control.Dir
	out    io.Writer
	said   map[string]bool // several checks may come upon the same
	errors int
	table  *route.Table // nil if the lists of domains are wrong
}

// checks are what check looks at, in this order.
var checks = []func(*inspection){
	(*inspection).directory,
	(*inspection).files,
	(*inspection).access,
	(*inspection).domains,
	(*inspection).users,
	(*inspection).aliases,
	(*inspection).senders,
	(*inspection).queue,
	(*inspection).mail,
	(*inspection).programs,
	(*inspection).system,
}

func checkCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "check",
		Short: "read the whole configuration and say what is wrong with it",
		Long: `check reads every control file, users and aliases with all that they include,
and looks at queue, mail, programs and system. Each finding is one line with
file, line and remedy on stdout; those that begin with "warning:" do no harm yet.
It exits 100 if there is another one, and 0 if there is none.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			etc, err := p.named()
			if err != nil {
				return err
			}
			out := &sure{w: c.OutOrStdout()}
			i := &inspection{etc: etc, out: out, said: map[string]bool{}}
			for _, check := range checks {
				check(i)
			}
			if i.errors > 0 {
				return out.or(frame.Exit(frame.Server.Permanent))
			}
			fmt.Fprintf(i.out, "%s: all is well\n", i.etc.Path)
			return out.or(nil)
		},
	}
	p.flags(c)
	return c
}

// wrong reports a finding.
func (i *inspection) wrong(err error) {
	if err == nil {
		return
	}
	i.errors++
	i.say(printable(err.Error()))
}

// warn reports what does no harm yet.
func (i *inspection) warn(err error) {
	i.say("warning: " + printable(err.Error()))
}

// say prints a line once.
func (i *inspection) say(line string) {
	if !i.said[line] {
		i.said[line] = true
		fmt.Fprintln(i.out, line)
	}
}

func finding(file string, line int, remedy, format string, args ...any) error {
	return &control.Error{File: file, Line: line, What: fmt.Sprintf(format, args...), Remedy: remedy}
}

// directory looks at the configuration directory itself.
func (i *inspection) directory() {
	st, err := os.Stat(i.etc.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		i.warn(finding(i.etc.Path, 0, "every setting has its default; 'rohrpost up' makes one", "there is no such directory"))
	case err != nil:
		i.wrong(err)
	case !st.IsDir():
		i.wrong(finding(i.etc.Path, 0, "name a directory", "is not a directory"))
	case st.Mode().Perm()&0o002 != 0:
		i.wrong(finding(i.etc.Path, 0, "chmod o-w "+i.etc.Path, "everybody may write into it"))
	}
}
