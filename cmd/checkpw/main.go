// Checkpw is the checkpassword program (cr.yp.to/checkpwd/interface.html) over
// the file users, and over the system's accounts if asked: it reads a login and
// a password on descriptor 3 and, if they are right, runs a program as that user
// (rohrpost-checkpw(8)).
//
// Start reading at run; account.go finds the account, identity.go takes it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/prog"
)

// codes are those of the checkpassword interface.
var codes = frame.Codes{Temporary: 111, Permanent: 1, Usage: 2}

// refused is the exit code for a login or password that is not right.
const refused = frame.Exit(1)

var log = maillog.New("checkpw")

// options are the flags.
type options struct {
	etc, mail string
	system    bool
}

func main() {
	prog.Program{Command: command(), Codes: codes}.Main()
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "checkpw [flags] PROGRAM [ARGUMENT...]",
		Short: "Check a password and run a program as its user",
		Long: `Checkpw reads login, password and a timestamp, each ended by NUL, on descriptor 3.
If the password is that of the login in the file users, checkpw takes the user's
identity, home and environment and runs PROGRAM. Otherwise it exits 1.

It is made for other programs to call: 'pop3d -- checkpw' does.`,
		Example: `  pop3d -- checkpw
  smtpd --submission -- checkpw --etc /etc/rohrpost
  printf 'bob\0secret\0\0' | checkpw sh -c 'id; pwd' 3<&0`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return frame.Usage(errors.New("no program given to run after a right password; 'checkpw id' shows what it does"))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return o.run(args) },
	}
	f := c.Flags()
	f.SetInterspersed(false)
	f.StringVar(&o.etc, "etc", "", "configuration directory")
	f.StringVar(&o.mail, "mail", "", "directory of homes that users leaves empty")
	f.BoolVar(&o.system, "system", false, "take logins that are not in users as accounts of the system")
	return c
}

// run checks the login and becomes the program. It returns only if it did not.
func (o *options) run(argv []string) error {
	r, err := readRecord(recordFd)
	if err != nil {
		return err
	}
	unix.Close(recordFd)
	books, err := o.open()
	if err != nil {
		return err
	}
	a, err := check(books, r)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("program %s: %w; give its path", argv[0], err)
	}
	if err := a.take(); err != nil {
		return fmt.Errorf("user %s: %w", a.name, err)
	}
	return fmt.Errorf("run %s: %w", path, unix.Exec(path, argv, os.Environ()))
}
