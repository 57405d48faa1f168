package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
)

func explainCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "explain ADDRESS...",
		Short: "say where mail for an address would go, and by which rule",
		Long: `explain says where mail for each ADDRESS would go, and each rule that leads
there with the file and line where it stands. An address without a domain is
one of this host. It asks the same code as smtpd, relay and deliver do.

It exits 100 if one of the addresses is nobody's.`,
		Example: "  rohrpost explain bob sales@shop.example",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			etc, err := p.must()
			if err != nil {
				return err
			}
			table, err := route.Load(etc, "")
			if err != nil {
				return err
			}
			out := &sure{w: c.OutOrStdout()}
			return out.or(explainAll(out, table, args))
		},
	}
	p.flags(c)
	return c
}

// explainAll explains the addresses that are some, and complains of the others
// in the end.
func explainAll(w io.Writer, table *route.Table, args []string) error {
	var result, wrong error
	for _, arg := range args {
		a, err := parseAddress(arg)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("address %q: %w", arg, err))
			continue
		}
		target, err := table.Resolve(a)
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
		explain(w, target)
		if target.Kind == route.Unknown {
			result = frame.Exit(frame.Server.Permanent)
		}
	}
	if wrong != nil {
		return frame.Usage(wrong)
	}
	return result
}

// parseAddress reads local@domain, or a local part alone.
func parseAddress(s string) (address.Address, error) {
	if a, err := address.Parse(s+"@localhost", true); err == nil {
		a.Domain = ""
		return a, nil
	}
	return address.Parse(s, true)
}

func explain(w io.Writer, t route.Target) {
	fmt.Fprintf(w, "%s: %s\n", t.Address, verdict(t))
	for _, m := range t.Members {
		fmt.Fprintf(w, "  to %s\n", m)
	}
	if t.Owner != "" {
		fmt.Fprintf(w, "  sender becomes %s\n", t.Owner)
	}
	for _, rule := range t.Why {
		fmt.Fprintf(w, "  because %s\n", rule)
	}
}

func verdict(t route.Target) string {
	switch t.Kind {
	case route.Mailbox:
		s := "mailbox " + t.User.Maildir()
		if t.Ext != "" {
			s += ", extension " + t.Ext
		}
		return s
	case route.Alias:
		return fmt.Sprintf("alias of %d", len(t.Members))
	case route.Remote:
		if t.Relay {
			return "another host; anybody may send there through this one"
		}
		return "another host; only who may relay can send there through this one"
	}
	return "nobody here has this name; smtpd refuses it"
}
