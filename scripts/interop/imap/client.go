package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/corpus"
	"rohrpost/scripts/interop/host"
)

// A client is a mail program and what it does on its visit.
type client struct {
	name     string
	programs []string
	gui      bool // slow, and wants a display
	run      func(v *visit) error
}

var clients = []client{
	{name: "curl", programs: []string{"curl"}, run: (*visit).curl},
	{name: "imaplib", programs: []string{"python3"}, run: (*visit).imaplib},
	{name: "mbsync", programs: []string{"mbsync"}, run: mbsync(mbsyncPassword)},
	{name: "mbsync by tunnel", programs: []string{"mbsync"}, run: mbsync(mbsyncTunnel)},
	{name: "offlineimap", programs: []string{"offlineimap"}, run: (*visit).offlineimap},
	{name: "imapflow", programs: []string{"node", "npm"}, run: (*visit).imapflow},
	{name: "go-imap", programs: []string{"go"}, run: (*visit).goimap},
	{name: "aerc", programs: []string{"aerc", "tmux"}, run: (*visit).aerc},
	{name: "mutt", programs: []string{"mutt", "tmux"}, run: mutt("mutt", (*visit).muttPassword)},
	{name: "mutt by tunnel", programs: []string{"mutt", "tmux"}, run: mutt("mutt", (*visit).muttTunnel)},
	{name: "neomutt", programs: []string{"neomutt", "tmux"}, run: mutt("neomutt", (*visit).muttPassword)},
	{name: "neomutt by tunnel", programs: []string{"neomutt", "tmux"}, run: mutt("neomutt", (*visit).muttTunnel)},
	{name: "thunderbird", programs: []string{"thunderbird", "Xvfb", "import"}, gui: true, run: (*visit).thunderbird},
}

// packages are those of Debian that hold the programs.
var packages = map[string]string{
	"mbsync": "isync", "offlineimap": "offlineimap3", "node": "nodejs", "import": "imagemagick", "Xvfb": "xvfb",
}

// there is an error that names the remedy if a program is missing.
func (c client) there() error {
	for _, p := range c.programs {
		if _, err := exec.LookPath(p); err != nil {
			name := packages[p]
			if name == "" {
				name = p
			}
			return fmt.Errorf("%s is missing: apt-get install --no-install-recommends %s", p, name)
		}
	}
	return nil
}

// A visit is one client at work on an account of its own.
type visit struct {
	*host.Host
	tally   *tally
	name    string
	user    string
	dir     string // the client's home
	sent    []corpus.Message
	expects shelf
	// clean takes away what the client itself does to a message; nil: nothing.
	clean func([]byte) []byte
}

// visit runs one client.
func (t *tally) visit(c client, h *host.Host, scratch string, skip bool) {
	if err := c.there(); err != nil {
		if skip {
			t.skip(c.name, err)
			return
		}
		t.check(c.name, err.Error())
		return
	}
	v := &visit{Host: h, tally: t, name: c.name, user: strings.ReplaceAll(c.name, " ", "-")}
	v.dir = filepath.Join(scratch, v.user)
	err := v.prepare()
	if err == nil {
		err = c.run(v)
	}
	v.check("comes to its end", errText(err))
}

// prepare makes the account, with every kind of message in its INBOX and two empty
// folders.
func (v *visit) prepare() error {
	if err := os.Mkdir(v.dir, 0o700); err != nil {
		return err
	}
	if err := v.AddUser(v.user); err != nil {
		return err
	}
	me := v.user + "@" + host.Name
	v.sent = corpus.Messages(v.user, "friend@example.net", me)
	for _, folder := range []string{"INBOX", archive, umlaut} {
		if err := makeFolder(v.folder(folder)); err != nil {
			return err
		}
	}
	for _, m := range v.sent {
		if err := v.deliver(m); err != nil {
			return err
		}
	}
	v.expects = v.seeded()
	return nil
}

// Two folders that every account has; the second is Entwürfe on disk and in IMAP4rev1.
const (
	archive = "Archive"
	umlaut  = "Entw&APw-rfe"
)

// folder is the directory of a folder.
func (v *visit) folder(name string) string {
	if name == "INBOX" {
		return v.Maildir(v.user)
	}
	return filepath.Join(v.Maildir(v.user), "."+name)
}

// makeFolder makes a Maildir.
func makeFolder(dir string) error {
	for _, d := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// deliver puts a message into INBOX by our deliver.
func (v *visit) deliver(m corpus.Message) error {
	c := exec.Command(filepath.Join(v.Bin, "deliver"), v.Maildir(v.user))
	c.Stdin = strings.NewReader(string(m.Text))
	c.Env = append(os.Environ(), "HOME="+v.dir)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("deliver %s: %w\n%s", m.Name, err, out)
	}
	return nil
}

// extra is a message that comes while a client works.
func (v *visit) extra(name string) corpus.Message {
	text := "From: <friend@example.net>\nTo: <" + v.user + "@" + host.Name + ">\nDate: Tue, 03 Jan 2006 15:04:05 +0000\n" +
		"Message-ID: <" + strings.ReplaceAll(name, " ", ".") + "@client.example.org>\nSubject: " + name + "\n\n" + name + "\n"
	return corpus.Message{Name: name, Text: []byte(text)}
}

// check counts one result of this client.
func (v *visit) check(what, wrong string) { v.tally.check(v.name+", "+what, wrong) }

// does counts one result of this client, if it is good; if not, it is the client's end.
func (v *visit) does(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	v.check(what, "")
	return nil
}

// port is where imapd listens.
func (v *visit) port() string {
	addr := v.Addr["imap"]
	return addr[strings.LastIndexByte(addr, ':')+1:]
}
