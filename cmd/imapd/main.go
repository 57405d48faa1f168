// Imapd serves one Maildir and its folders by IMAP on standard input and output
// (rohrpost-imapd(8)).
package main

import (
	"fmt"
	"time"

	"rohrpost/cmd/internal/cmdline"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"

	"github.com/spf13/pflag"
)

// flags are the flags as given. They are handed on to the second half as they
// are.
type flags struct {
	etc          string
	plaintext    bool
	create       bool
	timeout      time.Duration
	loginTimeout time.Duration
}

// server is one connection.
type server struct {
	flags  flags
	client *login.Client
}

const usage = `imapd speaks IMAP on descriptors 0 and 1.

Without "--" it serves MAILDIR (default: $MAILDIR, then $HOME/Maildir) and its
folders to whoever started it. With "--" it asks the client for a password first,
lets the checkpassword program AUTH judge it, and serves that account's mailboxes.

Usage:
  imapd [flags] [MAILDIR]
  imapd [flags] -- AUTH [ARG...]

Examples:
  tcpserver -H -R 0 143 imapd -- checkpw
  ssh mx.example.org rohrpost imapd
  imapd ~/Maildir
`

func main() {
	var f flags
	c := cmdline.Command{Name: "imapd", Help: usage, Flags: f.bind,
		Run: func(fs *pflag.FlagSet) error { return run(f, fs.ArgsLenAtDash(), fs.Args()) }}
	frame.Program{Name: c.Name, Codes: frame.Server, Conversation: true, Do: c.Do}.Main()
}

func (f *flags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.etc, "etc", "", "configuration `directory` (default $ROHRPOST_ETC, then /etc/rohrpost)")
	fs.BoolVar(&f.plaintext, "plaintext-login", false, "take passwords without TLS from other hosts too")
	fs.BoolVar(&f.create, "create", false, "make MAILDIR if it does not exist")
	fs.DurationVar(&f.timeout, "timeout", 30*time.Minute, "end the session when the client is silent for so long")
	fs.DurationVar(&f.loginTimeout, "login-timeout", time.Minute, "how long a client may take to log in")
}

// run serves the half of the session that the command line asks for.
func run(f flags, dash int, args []string) error {
	s, err := newServer(f)
	if err != nil {
		return err
	}
	return login.Halves("imapd", dash, args, s.authorize, s.serve)
}

func newServer(f flags) (*server, error) {
	if f.timeout <= 0 || f.loginTimeout <= 0 {
		return nil, frame.Usage(fmt.Errorf("--timeout %s and --login-timeout %s: each is a time to wait, such as 30m", f.timeout, f.loginTimeout))
	}
	return &server{
		flags:  f,
		client: login.NewClient("imapd", f.timeout),
	}, nil
}
