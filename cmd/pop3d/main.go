// Pop3d serves one Maildir by POP3 on standard input and output
// (rohrpost-pop3d(8)).
package main

import (
	"fmt"
	"time"

	"rohrpost/cmd/internal/cmdline"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	"rohrpost/protocol/pop3"

	"github.com/spf13/pflag"
)

// flags are the flags as given. They are handed on to the second half as they
// are.
type flags struct {
	etc       string
	uidl      string
	plaintext bool
	apop      bool
	keepFlags bool
	create    bool
	timeout   time.Duration
}

// server is one connection.
type server struct {
	flags  flags
	ids    pop3.Format
	client *login.Client
}

const usage = `pop3d speaks POP3 on descriptors 0 and 1.

Without "--" it serves MAILDIR (default: $MAILDIR, then $HOME/Maildir) to whoever
started it. With "--" it asks the client for a password first, lets the
checkpassword program AUTH judge it, and serves the mailbox of that account.

Usage:
  pop3d [flags] [MAILDIR]
  pop3d [flags] -- AUTH [ARG...]

Examples:
  tcpserver -H -R 0 110 pop3d -- checkpw
  ssh mx.example.org rohrpost pop3d
  pop3d --uidl dovecot ~/Maildir
`

func main() {
	var f flags
	c := cmdline.Command{Name: "pop3d", Help: usage, Flags: f.bind,
		Run: func(fs *pflag.FlagSet) error { return run(f, fs.ArgsLenAtDash(), fs.Args()) }}
	frame.Program{Name: c.Name, Codes: frame.Server, Conversation: true, Do: c.Do}.Main()
}

func (f *flags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.etc, "etc", "", "configuration `directory` (default $ROHRPOST_ETC, then /etc/rohrpost)")
	fs.StringVar(&f.uidl, "uidl", "name", "`format` of unique-ids: name, dovecot, courier, or a template of %u %v %f %g")
	fs.BoolVar(&f.plaintext, "plaintext-login", false, "take passwords without TLS from other hosts too")
	fs.BoolVar(&f.apop, "apop", false, "offer APOP")
	fs.BoolVar(&f.keepFlags, "keep-flags", false, "do not flag messages as seen")
	fs.BoolVar(&f.create, "create", false, "make MAILDIR if it does not exist")
	fs.DurationVar(&f.timeout, "timeout", 10*time.Minute, "end the session when the client is silent for so long")
}

// run serves the half of the session that the command line asks for.
func run(f flags, dash int, args []string) error {
	s, err := newServer(f)
	if err != nil {
		return err
	}
	return login.Halves("pop3d", dash, args, s.authorize, s.transact)
}

func newServer(f flags) (*server, error) {
	ids, err := pop3.ParseFormat(f.uidl)
	if err != nil {
		return nil, frame.Usage(err)
	}
	if f.timeout <= 0 {
		return nil, frame.Usage(fmt.Errorf("timeout %s is no time to wait; RFC 1939 asks for 10m at least", f.timeout))
	}
	return &server{
		flags:  f,
		ids:    ids,
		client: login.NewClient("pop3d", f.timeout),
	}, nil
}
