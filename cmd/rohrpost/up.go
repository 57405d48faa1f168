package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/route"
)

var log = maillog.New("rohrpost")

func upCommand() *cobra.Command {
	home, host := "", ""
	addresses := map[string]*string{}
	c := &cobra.Command{
		Use:   "up",
		Short: "run a mail host in the foreground, under one directory",
		Long: `up runs a whole mail host in the foreground: it makes the directory on first
use, starts listen for each service and relay, starts again what dies, and stops
all of it on SIGINT and SIGTERM. It needs no root and no set-up.

Each service listens at host:port, at unix:path, or not at all (off). On stdout
there is one line for each service once it listens, with the real port if 0 was
given, and then "rohrpost: ready". All else is on stderr.

If there are no users yet, up makes the user demo and prints the password once.`,
		Example: `  rohrpost up
  rohrpost up --home /srv/mail --host mx.example.org --smtp 0.0.0.0:25 --lmtp unix:/run/lmtp
  rohrpost up --smtp 127.0.0.1:0 --submission off --pop3 127.0.0.1:0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return up(home, host, func(name string) (string, bool) { return *addresses[name], c.Flags().Changed(name) })
		},
	}
	c.Flags().StringVar(&home, "home", defaultHome, "keep configuration, mail and queue in `DIR`")
	c.Flags().StringVar(&host, "host", "", "this host is `NAME` (default: the file me, else the system's name)")
	for _, s := range services {
		addresses[s.name] = c.Flags().String(s.name, s.address, s.about+" at `ADDRESS`")
	}
	c.Flags().SortFlags = false
	return c
}

// up is the whole life of the host.
func up(home, host string, address func(service string) (addr string, asked bool)) error {
	home, err := filepath.Abs(home)
	if err != nil {
		return err
	}
	unlock, err := lockHome(home)
	if err != nil {
		return err
	}
	defer unlock()
	if err := makeHome(home, host); err != nil {
		return err
	}
	etc := control.Dir{Path: filepath.Join(home, "etc")}
	listening, err := bindAll(address)
	if err != nil {
		return err
	}
	defer closeAll(listening)
	jobs, err := plan(etc, listening)
	if err != nil {
		return err
	}
	if err := settle(etc); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM)
	return supervise(jobs, stop, func() { announce(listening) })
}

// settle does what a host needs before its first connection. A configuration
// that no program could use stops us here.
func settle(etc control.Dir) error {
	if _, err := route.Load(etc, ""); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		log.Event("as-root", "warning", "every program runs as root; that is for trying out, see rohrpost(1)")
	}
	if err := makeDemo(etc); err != nil {
		return fmt.Errorf("make the user demo: %w", err)
	}
	return nil
}

// announce tells who started us that all services listen.
func announce(listening []*socket) {
	for _, s := range listening {
		say(fmt.Sprintf("rohrpost: ready service=%s addr=%s\n", s.service.name, s.addr))
	}
	say("rohrpost: ready\n")
}

// say writes to stdout at once, past os.Stdout, whose broken pipe would kill us.
func say(s string) { unix.Write(1, []byte(s)) }
