package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
	"rohrpost/protocol/auth"
)

// minRate is the least rate, in bytes per second, at which a message must come
// (DESIGN section 8).
const minRate = 1024

// settings is all that the configuration says. It is read before the greeting,
// so that a mistake stops the program instead of half the mail.
type settings struct {
	options
	etcDir control.Dir
	table  *route.Table

	me            string
	greeting      string
	databytes     int64
	maxRecipients int
	hopLimit      int
	timeout       time.Duration
	greetDelay    time.Duration
	childLimit    time.Duration // for a program that judges
	badSenders    patterns
	senders       map[string]patterns // by login
	loginOK       string              // path of login-ok
	filter        []string
	queuePath     string
	queueProgram  string // QMAILQUEUE

	relayClient *string // RELAYCLIENT, if set
	rcptCheck   string  // RCPTCHECK
	listed      string  // RBLSMTPD, if it is not empty
}

func load(o options) (*settings, error) {
	s := &settings{options: o, etcDir: control.Open(o.etc), filter: strings.Fields(o.filter), childLimit: childLimit}
	s.loadEnvironment()
	if err := s.check(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{s.loadValues, s.loadNumbers, s.loadTables, s.loadPrograms} {
		if err := step(); control.Wrong(err) {
			return nil, frame.Fail(err)
		} else if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// loadEnvironment takes what tcpserver's rules and others say of this client.
func (s *settings) loadEnvironment() {
	if v, ok := os.LookupEnv("RELAYCLIENT"); ok {
		s.relayClient = &v
	}
	s.rcptCheck = os.Getenv("RCPTCHECK")
	s.listed = os.Getenv("RBLSMTPD")
	s.queueProgram = os.Getenv("QMAILQUEUE")
}

// check refuses what cannot work together.
func (s *settings) check() error {
	switch {
	case s.submission && s.lmtp:
		return frame.Usage(fmt.Errorf("--submission and --lmtp exclude each other"))
	case s.submission && len(s.auth) == 0:
		return frame.Usage(fmt.Errorf("--submission needs a checkpassword program behind --"))
	case s.lmtp && len(s.auth) > 0:
		return frame.Usage(fmt.Errorf("--lmtp knows no login; drop what is behind --"))
	case s.lmtp && s.options.filter != "":
		return frame.Usage(fmt.Errorf("--lmtp and --filter exclude each other"))
	case s.options.filter != "" && len(s.filter) == 0:
		return frame.Usage(fmt.Errorf("--filter names no program"))
	}
	return nil
}

func (s *settings) loadValues() (err error) {
	if s.me, err = s.etcDir.Me(); err != nil {
		return err
	}
	if _, err := address.ParseDomain(s.me, true); err != nil {
		return &control.Error{File: s.etcDir.File("me"), What: fmt.Sprintf("%q is no domain name", s.me), Remedy: "give this host's name"}
	}
	if s.greeting, err = s.etcDir.Value("smtpgreeting", s.me); err != nil {
		return err
	}
	for i := 0; i < len(s.greeting); i++ {
		if c := s.greeting[i]; c < ' ' || c >= 0x7f {
			return &control.Error{File: s.etcDir.File("smtpgreeting"), What: "holds a character that is not printable ASCII", Remedy: "write it anew"}
		}
	}
	return nil
}

func (s *settings) loadNumbers() (err error) {
	if s.databytes, err = s.etcDir.Int("DATABYTES", "databytes", 52428800); err != nil {
		return err
	}
	if s.timeout, err = s.seconds("TIMEOUTSMTPD", "timeoutsmtpd", 300*time.Second, time.Second); err != nil {
		return err
	}
	if s.greetDelay, err = s.seconds("GREETDELAY", "greetdelay", 0, 0); err != nil {
		return err
	}
	if s.maxRecipients, err = s.count("maxrecipients", 1000); err != nil {
		return err
	}
	s.hopLimit, err = s.count("hoplimit", 50)
	return err
}

// seconds is a time from least to an hour: a client waits no longer for anything.
func (s *settings) seconds(env, name string, def, least time.Duration) (time.Duration, error) {
	d, err := s.etcDir.Seconds(env, name, def)
	if err == nil && (d < least || d > time.Hour) {
		err = &control.Error{File: s.etcDir.File(name), What: fmt.Sprintf("%d is out of range", d/time.Second),
			Remedy: fmt.Sprintf("give a number of seconds from %d to 3600", least/time.Second)}
	}
	return d, err
}

// count is a number of at least 1.
func (s *settings) count(name string, def int64) (int, error) {
	n, err := s.etcDir.Int("", name, def)
	if err == nil && (n < 1 || n > 1<<20) {
		err = &control.Error{File: s.etcDir.File(name), What: fmt.Sprintf("%d is out of range", n), Remedy: "give a number from 1 to 1048576"}
	}
	return int(n), err
}

func (s *settings) loadTables() (err error) {
	if s.table, err = route.Load(s.etcDir, s.mail); err != nil {
		return err
	}
	if s.badSenders, err = loadBadSenders(s.etcDir); err != nil {
		return err
	}
	if len(s.auth) > 0 {
		s.senders, err = loadSenders(s.etcDir)
	}
	return err
}

func (s *settings) loadPrograms() (err error) {
	if len(s.auth) > 0 {
		if err := auth.Find(s.auth[0]); err != nil {
			return fmt.Errorf("checkpassword program %s: %w; give the path of one behind --", s.auth[0], err)
		}
		if s.loginOK, err = frame.Libexec("login-ok"); err != nil {
			return err
		}
	}
	if len(s.filter) > 0 {
		if _, err := exec.LookPath(s.filter[0]); err != nil {
			return fmt.Errorf("filter: %w; give the path of a program", err)
		}
	}
	if !s.lmtp && s.queueProgram == "" {
		s.queuePath, err = s.etcDir.Queue(s.queue)
	}
	return err
}
