package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/corpus"
	"rohrpost/scripts/interop/host"
)

//go:embed send.py
var sendPy string

//go:embed read.py
var readPy string

// A sender is a client that sends all messages to the user of its name.
type sender struct {
	user, program string
	login         bool // over submission, as this user
	send          func(s sending) error
	// adds is what the client itself puts at the end of every message.
	adds string
	// exact says that a last line without an end arrives like that: only BDAT
	// can do it.
	exact bool
}

// sending is what a sender needs: the messages as files in three forms.
type sending struct {
	*host.Host
	from, to, user, addr string
	dir                  string
	messages             []corpus.Message
}

var senders = []sender{
	{user: "smtplib", program: "python3", send: bySmtplib("data")},
	{user: "bdat", program: "python3", send: bySmtplib("bdat"), exact: true},
	{user: "submit", program: "python3", login: true, send: bySmtplib("data")},
	{user: "swaks", program: "swaks", send: sending.bySwaks},
	{user: "swakslogin", program: "swaks", login: true, send: sending.bySwaks},
	{user: "source", program: "smtp-source", send: sending.bySource, adds: "\n"},
	{user: "curl", program: "curl", send: sending.byCurl},
	{user: "curllogin", program: "curl", login: true, send: sending.byCurl},
}

// A reader is a client that reads a mailbox and leaves it as it is.
type reader struct {
	name, program string
	read          func(r reading) error // into files below r.dir
}

type reading struct {
	*host.Host
	user, dir string
	unended   int // messages whose last line has no end
}

var readers = []reader{
	{"poplib", "python3", func(r reading) error { return r.byPoplib("keep") }},
	{"mpop", "mpop", reading.byMpop},
	{"fetchmail with deliver", "fetchmail", reading.byFetchmailDeliver},
	{"fetchmail with a file", "fetchmail", reading.byFetchmailFile},
	{"curl", "curl", reading.byCurl},
}

// packages are those of Debian that hold the programs.
var packages = map[string]string{"python3": "python3", "swaks": "swaks", "smtp-source": "postfix", "curl": "curl", "mpop": "mpop", "fetchmail": "fetchmail"}

// there is an error that names the remedy if a program is missing.
func there(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s is missing: apt-get install --no-install-recommends %s", program, packages[program])
	}
	return nil
}

// command runs a client to its end, at most a minute; what it prints is part of
// its error.
func command(dir, name string, args ...string) error {
	c := exec.Command("timeout", append([]string{"60", name}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HOME="+dir, "FETCHMAILHOME="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		if len(out) > 2000 {
			out = out[len(out)-2000:]
		}
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// put writes each message in the form that a client wants and returns the files.
func (s sending) put(form func(corpus.Message) []byte) ([]string, error) {
	var paths []string
	for n, m := range s.messages {
		path := filepath.Join(s.dir, fmt.Sprintf("%02d", n))
		if err := os.WriteFile(path, form(m), 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func asText(m corpus.Message) []byte { return m.Text }

func withCRLF(m corpus.Message) []byte { return bytes.ReplaceAll(m.Text, []byte("\n"), []byte("\r\n")) }

func bySmtplib(how string) func(sending) error {
	return func(s sending) error {
		paths, err := s.put(asText)
		if err != nil {
			return err
		}
		args := []string{"-c", sendPy, s.addr, s.from, s.to, how, s.user, host.Password}
		return command(s.dir, "python3", append(args, paths...)...)
	}
}

// each sends message by message with a client that knows only one at a time.
func (s sending) each(form func(corpus.Message) []byte, name string, args func(path string) []string) error {
	paths, err := s.put(form)
	for i := 0; i < len(paths) && err == nil; i++ {
		if err = command(s.dir, name, args(paths[i])...); err != nil {
			err = fmt.Errorf("%s: %w", s.messages[i].Name, err)
		}
	}
	return err
}

func (s sending) bySwaks() error {
	server, port, _ := strings.Cut(s.addr, ":")
	return s.each(corpus.Message.OnWire, "swaks", func(path string) []string {
		args := []string{"--server", server, "--port", port, "--helo", "client.example.org", "--from", s.from, "--to", s.to,
			"--data", "@" + path, "--no-data-fixup", "--hide-all"}
		if s.user != "" {
			args = append(args, "--auth", "PLAIN", "--auth-user", s.user, "--auth-password", host.Password)
		}
		return args
	})
}

func (s sending) bySource() error {
	return s.each(asText, "smtp-source", func(path string) []string {
		return []string{"-f", s.from, "-t", s.to, "-m", "1", "-F", path, s.addr}
	})
}

func (s sending) byCurl() error {
	return s.each(withCRLF, "curl", func(path string) []string {
		args := []string{"-sS", "smtp://" + s.addr + "/client.example.org", "--mail-from", s.from, "--mail-rcpt", s.to, "--upload-file", path}
		if s.user != "" {
			args = append(args, "--user", s.user+":"+host.Password, "--login-options", "AUTH=LOGIN")
		}
		return args
	})
}

func (r reading) addr() string { return r.Addr["pop3"] }

func (r reading) port() string { return r.addr()[strings.LastIndexByte(r.addr(), ':')+1:] }

func (r reading) byPoplib(after string) error {
	return command(r.dir, "python3", "-c", readPy, r.addr(), r.user, host.Password, r.dir, after, fmt.Sprint(r.unended))
}

// emptyMaildir makes a Maildir for a client to deliver to. Its own files, such
// as lists of what was seen, lie outside.
func (r reading) emptyMaildir() (string, error) {
	box := filepath.Join(r.dir, "Maildir")
	for _, d := range []string{"", "tmp", "new", "cur"} {
		if err := os.Mkdir(filepath.Join(box, d), 0o700); err != nil {
			return "", err
		}
	}
	return box, nil
}

func (r reading) byMpop() error {
	box, err := r.emptyMaildir()
	if err != nil {
		return err
	}
	seen := r.dir + ".uidls"
	return command(r.dir, "mpop", "--host=127.0.0.1", "--port="+r.port(), "--auth=plain", "--user="+r.user,
		"--passwordeval=echo "+host.Password, "--tls=off", "--keep=on", "--only-new=off", "--received-header=off",
		"--uidls-file="+seen, "--delivery=maildir,"+box, "--quiet")
}

func (r reading) byFetchmailDeliver() error {
	box, err := r.emptyMaildir()
	if err != nil {
		return err
	}
	return r.byFetchmail(filepath.Join(r.Bin, "deliver") + " " + box)
}

func (r reading) byFetchmailFile() error {
	box, err := r.emptyMaildir()
	if err != nil {
		return err
	}
	script := r.dir + ".sh"
	text := "#!/bin/sh\nexec cat > \"$(mktemp " + filepath.Join(box, "new") + "/XXXXXXXX)\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		return err
	}
	return r.byFetchmail(script)
}

// byFetchmail fetches with an MDA, and tells fetchmail to leave messages alone.
func (r reading) byFetchmail(mda string) error {
	rc := r.dir + ".fetchmailrc"
	text := fmt.Sprintf("set invisible\nset no bouncemail\npoll 127.0.0.1 protocol POP3 port %s auth password no dns\n"+
		"  user %q password %q sslproto \"\" keep fetchall no rewrite pass8bits mda %q\n", r.port(), r.user, host.Password, mda)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		return err
	}
	return command(r.dir, "fetchmail", "--nosyslog", "--pidfile", r.dir+".pid", "-f", rc)
}

func (r reading) byCurl() error {
	list := r.dir + ".list"
	if err := command(r.dir, "curl", "-sS", "--user", r.user+":"+host.Password, "-o", list, "pop3://"+r.addr()+"/"); err != nil {
		return err
	}
	b, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	all := fmt.Sprintf("pop3://%s/[1-%d]", r.addr(), bytes.Count(b, []byte("\n")))
	return command(r.dir, "curl", "-sS", "--user", r.user+":"+host.Password, "-o", filepath.Join(r.dir, "#1"), all)
}
