// Listen accepts connections and starts one process for each
// (rohrpost-listen(8)): the socket is its descriptors 0 and 1, and who is at the
// other end stands in its environment, in the way of UCSPI.
//
// Start reading at server in server.go.
package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/maillog"
	"rohrpost/cmd/internal/prog"
)

// options are the flags.
type options struct {
	limits     limits
	perProcess int
	protocol   string
	proxyFrom  []string
	user       string
	notify     int
	grace      time.Duration
	mode       string
	metrics    string
	verbose    bool
}

func main() {
	prog.Program{Command: command(), Codes: frame.Server}.Main()
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "listen [flags] ADDR... -- PROGRAM [ARGUMENT...]",
		Short: "Start a program for each connection",
		Long: `Listen accepts connections at each ADDR and starts PROGRAM for each of them, with
the connection as its standard input and output and its peer in the environment
(TCPREMOTEIP and its sisters). It limits connections in total and for each host,
and refuses the others politely.

An ADDR is host:port, :port (all addresses), [v6]:port, unix:/path, or fd:N for a
socket that is open already. Sockets passed by systemd need no ADDR.
PROGRAM without a slash is one of rohrpost's programs, or found in PATH.`,
		Example: `  listen :25 --user mail -- smtpd
  listen 192.0.2.1:110 '[2001:db8::1]:110' -- pop3d -- checkpw
  listen unix:/run/rohrpost/lmtp -- smtpd --lmtp`,
		RunE: func(c *cobra.Command, args []string) error {
			dash := c.ArgsLenAtDash()
			if dash < 0 || dash == len(args) {
				return frame.Usage(errors.New("no program given; write it after --, as in 'listen :25 -- smtpd'"))
			}
			return o.run(args[:dash], args[dash:])
		},
	}
	f := c.Flags()
	f.DurationVar(&o.grace, "grace", 30*time.Second, "how long sessions may go on after SIGTERM")
	f.IntVar(&o.limits.total, "max", 200, "most connections at once")
	f.IntVar(&o.limits.host, "max-per-host", 20, "most connections at once from one host")
	f.IntVar(&o.limits.bits4, "host4", 32, "bits of an IPv4 address that make one host")
	f.IntVar(&o.limits.bits6, "host6", 64, "bits of an IPv6 address that make one host")
	f.IntVar(&o.perProcess, "per-process", 1, "most connections that one process serves, one after the other")
	f.StringVar(&o.metrics, "metrics", "", "file for counters, in the text format of Prometheus")
	f.StringVar(&o.mode, "mode", "0660", "mode of Unix sockets")
	f.IntVar(&o.notify, "notify", -1, "descriptor to write the addresses and a newline to when ready")
	f.StringVar(&o.protocol, "protocol", "", "protocol of refusals: smtp, lmtp, pop3, imap, sieve or none (default: by PROGRAM's name)")
	f.StringSliceVar(&o.proxyFrom, "proxy-from", nil, "addresses and prefixes whose connections begin with a PROXY header")
	f.StringVar(&o.user, "user", "", "user to become once the sockets are open: NAME or UID:GID")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log each connection and its end")
	return c
}

// run opens the sockets, becomes the user, says that it is ready and serves
// until a signal ends it.
func (o *options) run(addrs, argv []string) error {
	if o.grace < 0 {
		return frame.Usage(fmt.Errorf("--grace %v: it is a time to wait, 0s or more", o.grace))
	}
	s, err := o.server(argv)
	if err != nil {
		return err
	}
	all, err := o.sockets(addrs)
	if err != nil {
		return err
	}
	defer closeAll(all)
	if err := o.become(all); err != nil {
		return err
	}
	if s.path, err = find(argv[0]); err != nil {
		return err
	}
	if err := s.spare.hold(); err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	startThreads()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	if err := tellReady(o.notify, all); err != nil {
		return err
	}
	for _, l := range all {
		s.log.Event("listening", "addr", l.addr, "program", s.path)
	}
	return o.serve(s, all, signals)
}

// serve runs one accept loop for each socket until a signal comes or one of
// them fails.
func (o *options) serve(s *server, all []*listener, signals chan os.Signal) error {
	go s.reap()
	name := filepath.Base(s.argv[0])
	if o.metrics != "" {
		tick := time.NewTicker(metricsEvery)
		defer tick.Stop()
		go s.keepMetrics(o.metrics, name, tick.C)
	}
	failed := make(chan error, len(all))
	var loops sync.WaitGroup
	for _, l := range all {
		loops.Go(func() {
			if err := s.serve(l); err != nil {
				failed <- err
			}
		})
	}
	var err error
	select {
	case <-signals:
	case err = <-failed:
	}
	s.stop(all, o.grace, signals)
	loops.Wait()
	if o.metrics != "" {
		if e := s.writeMetrics(o.metrics, name); e != nil {
			s.log.Event("metrics-failed", "err", e)
		}
	}
	s.log.Event("stopped", "sessions", s.sessions())
	return err
}

// server checks the flags that concern connections.
func (o *options) server(argv []string) (*server, error) {
	l := o.limits
	if l.total < 1 || l.host < 1 || l.bits4 < 0 || l.bits4 > 32 || l.bits6 < 0 || l.bits6 > 128 {
		return nil, frame.Usage(errors.New("--max and --max-per-host are 1 or more, --host4 0 to 32, --host6 0 to 128"))
	}
	if o.perProcess < 1 {
		return nil, frame.Usage(fmt.Errorf("--per-process %d: a process serves 1 connection or more", o.perProcess))
	}
	w, err := wordsFor(o.protocol, argv)
	if err != nil {
		return nil, frame.Usage(fmt.Errorf("--protocol: %w", err))
	}
	t, err := parseTrusted(o.proxyFrom)
	if err != nil {
		return nil, frame.Usage(err)
	}
	s := &server{
		log: maillog.New("listen"), argv: argv, env: cleanEnviron(os.Environ()),
		words: w, limits: l, perProcess: o.perProcess, proxy: t, quiet: &pace{now: time.Now}, now: time.Now, accept: o.verbose,
		hosts: map[netip.Prefix]int{}, running: map[int]*worker{},
	}
	s.changed = sync.NewCond(&s.mu)
	return s, nil
}

// sockets opens all sockets, those passed by a supervisor first.
func (o *options) sockets(addrs []string) ([]*listener, error) {
	var mode uint32
	if _, err := fmt.Sscanf(o.mode, "%o", &mode); err != nil || mode > 0o777 {
		return nil, frame.Usage(fmt.Errorf("--mode %q is not an octal mode such as 0660", o.mode))
	}
	all, err := passed()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		more, err := open(a, mode)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, more...)
	}
	if len(all) == 0 {
		return nil, frame.Usage(errors.New("no address given, and no socket was passed; give one, as in 'listen :25 -- smtpd'"))
	}
	// Nothing but 0, 1 and 2 is for the programs.
	unix.CloseRange(firstPassed, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	return all, nil
}

// become takes the identity of --user, and hands it the Unix sockets.
func (o *options) become(all []*listener) error {
	if o.user == "" {
		return nil
	}
	id, err := parseIdentity(o.user)
	if err != nil {
		return frame.Usage(err)
	}
	for _, l := range all {
		if l.path != "" && os.Geteuid() == 0 {
			if err := os.Lchown(l.path, id.uid, id.gid); err != nil {
				return fmt.Errorf("socket %s: %w", l.path, err)
			}
		}
	}
	return id.take()
}

// find is the program's file: as given if that is a path, else one of ours, else
// in PATH.
func find(name string) (string, error) {
	if !strings.Contains(name, "/") {
		if path, err := frame.Libexec(name); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("program %s: %w; give its path, or set ROHRPOST_LIBEXEC", name, err)
	}
	return path, nil
}
