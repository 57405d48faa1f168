package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/users"
)

func userCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "user COMMAND",
		Short: "add, change, remove and list users",
		Long: `user keeps the file users, rohrpost-users(5). It is replaced whole and durably,
so a program that reads it meanwhile sees the old file or the new one. A user is
NAME, of this host's own domains, or NAME@DOMAIN, of a virtual domain.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error { return c.Help() },
	}
	p.flags(c)
	c.AddCommand(userAdd(&p), userPasswd(&p), userDel(&p), userList(&p))
	return c
}

func userAdd(p *place) *cobra.Command {
	var n newUser
	var made bool
	c := &cobra.Command{
		Use:   "add NAME[@DOMAIN]",
		Short: "add a user, who can receive mail and log in at once",
		Long: `add adds a user and makes the Maildir. The password is asked for at a terminal,
twice and without echo, and read as one line of stdin otherwise. A DOMAIN that
is not served yet is added to virtualdomains.`,
		Example: `  rohrpost user add bob
  rohrpost user add --generate ann@shop.example
  pwgen 20 1 | rohrpost user add carl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := openBook(p)
			if err != nil {
				return err
			}
			if n.name, err = b.canonical(args[0]); err != nil {
				return err
			}
			if n.password, err = newPassword(c, n.name, made); err != nil {
				return err
			}
			u, err := b.add(n, c.ErrOrStderr())
			if err != nil {
				return fmt.Errorf("add %s: %w", n.name, advise(err))
			}
			fmt.Fprintf(c.ErrOrStderr(), "added %s, mail in %s\n", u.Name, u.Maildir())
			return tell(c, u.Name, n.password, made)
		},
	}
	c.Flags().BoolVar(&made, "generate", false, "make a password and print it")
	c.Flags().StringVar(&n.dir, "dir", "", "home `DIR` of the user, the Maildir is in it (default: below the mail directory)")
	c.Flags().StringVar(&n.quota, "quota", "", "quota `RULE`, like storage=1G or storage=1G:messages=10000")
	c.Flags().IntVar(&n.uid, "uid", users.None, "uid of the mail (default: the mail uid)")
	c.Flags().IntVar(&n.gid, "gid", users.None, "gid of the mail")
	return c
}

func userPasswd(p *place) *cobra.Command {
	var made bool
	c := &cobra.Command{
		Use:   "passwd NAME[@DOMAIN]",
		Short: "give a user another password",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, u, err := findUser(p, args[0])
			if err != nil {
				return err
			}
			password, err := newPassword(c, u.Name, made)
			if err != nil {
				return err
			}
			if err := b.passwd(u.Name, password); err != nil {
				return fmt.Errorf("change the password of %s: %w", u.Name, advise(err))
			}
			return tell(c, u.Name, password, made)
		},
	}
	c.Flags().BoolVar(&made, "generate", false, "make a password and print it")
	return c
}

func userDel(p *place) *cobra.Command {
	var mail bool
	c := &cobra.Command{
		Use:   "del NAME[@DOMAIN]",
		Short: "remove a user, but not the mail",
		Long: `del removes a user. The mail stays where it is, and del says where that is;
with --mail the user's Maildir is removed too, for good.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, u, err := findUser(p, args[0])
			if err != nil {
				return err
			}
			if err := b.table.Delete(b.etc, u.Name); err != nil {
				return fmt.Errorf("delete %s: %w", u.Name, advise(err))
			}
			if domain, last := b.lastOf(u.Name); last {
				fmt.Fprintf(c.ErrOrStderr(), "nobody is left in %s, which stays in %s\n", domain, b.etc.File("virtualdomains"))
			}
			if !mail {
				fmt.Fprintf(c.ErrOrStderr(), "removed %s; the mail is still in %s\n", u.Name, u.Maildir())
				return nil
			}
			if err := os.RemoveAll(u.Maildir()); err != nil {
				return err
			}
			os.Remove(u.Home) // only if nothing else is in it
			fmt.Fprintf(c.ErrOrStderr(), "removed %s and %s\n", u.Name, u.Maildir())
			return nil
		},
	}
	c.Flags().BoolVar(&mail, "mail", false, "remove the user's Maildir too")
	return c
}

func userList(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list users with home, password scheme and quota",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			b, err := openBook(p)
			if err != nil {
				return err
			}
			return listUsers(c.OutOrStdout(), b.table)
		},
	}
}

func listUsers(w io.Writer, t *users.Table) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tHOME\tSCHEME\tQUOTA")
	err := t.Each(func(u users.User, err error) error {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", u.Name, u.Home, u.Scheme(), orDash(u.Quota))
		return err
	})
	return errors.Join(err, out.Flush())
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// findUser opens the book at a user that must exist.
func findUser(p *place, arg string) (*book, users.User, error) {
	b, err := openBook(p)
	if err != nil {
		return nil, users.User{}, err
	}
	name, err := b.canonical(arg)
	if err != nil {
		return nil, users.User{}, err
	}
	u, which, err := b.table.First(name)
	if err == nil && which < 0 {
		err = frame.Fail(fmt.Errorf("%s: %w in %s; see 'rohrpost user list'", name, users.ErrMissing, b.etc.File(users.FileName)))
	}
	return b, u, err
}

// newPassword asks for a password, or makes one.
func newPassword(c *cobra.Command, name string, made bool) (string, error) {
	if made {
		return generate(), nil
	}
	s, err := readPassword(os.Stdin, c.ErrOrStderr(), name)
	if err != nil {
		return "", frame.Fail(err)
	}
	return s, nil
}

// tell prints a password that was made, once it is the user's.
func tell(c *cobra.Command, name, password string, made bool) error {
	if !made {
		return nil
	}
	if _, err := fmt.Fprintln(c.OutOrStdout(), password); err != nil {
		return fmt.Errorf("%s has a new password, but printing it failed: %w; set it again with 'rohrpost user passwd %s'", name, err, name)
	}
	return nil
}

// advise adds what to do about a file system that takes no change.
func advise(err error) error {
	for cause, remedy := range map[error]string{
		unix.ENOSPC: "make room there, then do it again",
		unix.EDQUOT: "make room there, then do it again",
		unix.EROFS:  "mount it for writing, then do it again",
		unix.EACCES: "do it as root or as the owner of the directory",
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w; %s", err, remedy)
		}
	}
	return err
}
