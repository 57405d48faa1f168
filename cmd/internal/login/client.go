package login

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/auth"
	"rohrpost/protocol/ucspi"
)

// Client is the peer of a server that may begin with a stranger.
type Client struct {
	Conn *ucspi.Conn
	Peer ucspi.Peer
	Log  *maillog.Logger

	timeout time.Duration
}

// NewClient is the peer on descriptors 0 and 1, who may be silent for a time.
func NewClient(program string, timeout time.Duration) *Client {
	c := &Client{Peer: ucspi.PeerOf(os.Getenv, 0), timeout: timeout}
	// Both halves are one process, so its number is the connection's name.
	c.Log = maillog.New(program).With("c", strconv.Itoa(os.Getpid()))
	c.connect()
	return c
}

func (c *Client) connect() {
	c.Conn = ucspi.Stdio()
	c.Conn.ReadTimeout, c.Conn.WriteTimeout = c.timeout, c.timeout
}

// StartTLS lets the wrapper start TLS. Conn then is the connection through it.
func (c *Client) StartTLS(offer ucspi.Offer) error {
	if err := offer.Start(); err != nil {
		return err
	}
	deadline := c.Conn.Deadline
	c.connect()
	c.Conn.Deadline = deadline
	c.Peer.TLS = true
	return nil
}

// Authenticator is the AUTH program that judges a stranger.
type Authenticator struct {
	ID auth.Identity // of who has logged in

	client  *Client
	argv    []string
	loginOK string
}

// Authenticator finds the program and what it is to run.
func (c *Client) Authenticator(argv []string) (*Authenticator, error) {
	if err := auth.Find(argv[0]); err != nil {
		return nil, fmt.Errorf("AUTH program %s: %w; give the path of one behind --", argv[0], err)
	}
	loginOK, err := frame.Libexec("login-ok")
	return &Authenticator{client: c, argv: argv, loginOK: loginOK}, err
}

// Check asks whether a login is right, and logs the answer.
func (a *Authenticator) Check(mechanism, name, password, stamp string) (err error) {
	a.ID, err = auth.Check(a.argv, a.loginOK, name, password, stamp, a.client.Environ())
	a.client.Report(mechanism, name, err)
	return err
}

// Halves runs the half of a session that the command line asks for: the one for
// strangers if there are words behind --, else the one for the owner of a Maildir.
func Halves(program string, dash int, args []string, stranger func(argv []string) error, owner func(path string) error) error {
	switch {
	case dash == 0 && len(args) > 0:
		return stranger(args)
	case dash == 0:
		return frame.Usage(errors.New("no AUTH program behind --"))
	case dash > 0 || len(args) > 1:
		return frame.Usage(fmt.Errorf("one MAILDIR, or -- and an AUTH program; see '%s --help'", program))
	case len(args) == 1:
		return owner(args[0])
	}
	return owner("")
}

// Environ is our environment, with the peer in UCSPI's words where inetd or systemd
// has not put it so.
func (c *Client) Environ() []string {
	if os.Getenv("PROTO") != "" {
		return os.Environ()
	}
	return append(os.Environ(), c.Peer.Environ()...)
}

// Plaintext reports whether a password may be read as it comes: nobody can listen,
// or the administrator has allowed it.
func (c *Client) Plaintext(allowed bool) bool { return allowed || c.Peer.TLS || c.Peer.IsLocal() }

// Report logs how a login went.
func (c *Client) Report(mechanism, name string, err error) {
	tls := ""
	if c.Peer.TLS {
		tls = "yes"
	}
	pairs := []any{"user", name, "peer", c.Peer.RemoteIP(), "mech", mechanism, "tls", tls}
	switch {
	case err == nil:
		c.Log.Event("login", pairs...)
	case errors.Is(err, auth.ErrRefused):
		c.Log.Event("login-refused", pairs...)
	default:
		c.Log.Event("login-failed", append(pairs, "err", err)...)
	}
}

// Over logs why a session ended before login.
func (c *Client) Over(err error) {
	if err == nil {
		c.Log.Event("quit", "peer", c.Peer.RemoteIP())
	} else {
		c.Log.Event("gone", "peer", c.Peer.RemoteIP(), "err", err)
	}
}

// OpenMaildir opens the mailbox at path, or if that is empty the one that MAILDIR or
// HOME names, for whoever started us. With create it is made if it is not there: a
// user who never got mail has none, and that is no reason to turn him away.
func OpenMaildir(path string, create bool) (*maildir.Maildir, error) {
	if path == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("find the Maildir: %w", err)
		}
		if os.Getenv("MAILDIR") == "" && os.Getenv("HOME") == "" {
			return nil, frame.Usage(errors.New("no MAILDIR given, and neither MAILDIR nor HOME is set"))
		}
		path = Maildir(os.Environ(), dir)
	}
	if create {
		return maildir.Create(path, disk.OS)
	}
	box, err := maildir.Open(path, disk.OS)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; is the path right? --create makes it", err)
	}
	return box, err
}
