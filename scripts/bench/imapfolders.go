package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// folder is the name that a contender knows a folder by.
func (s *server) folder(name string) string { return s.prefix + name }

// makeFolder makes an empty folder of a Maildir.
func makeFolder(box, name string) error {
	dir := filepath.Join(box, "."+name)
	for _, d := range []string{dir, dir + "/tmp", dir + "/new", dir + "/cur"} {
		if err := errors.Join(os.Mkdir(d, 0o700), os.Chown(d, mailUID, mailUID)); err != nil {
			return err
		}
	}
	return os.WriteFile(dir+"/maildirfolder", nil, 0o644)
}

// folderNames are n folders, fifty to a parent, which is the first of them.
func folderNames(n int) []string {
	var names []string
	for i := range n {
		name := fmt.Sprintf("Project%02d", i/50)
		if i%50 > 0 {
			name += fmt.Sprintf(".Task%02d", i%50)
		}
		names = append(names, name)
	}
	return names
}

// folders measures LIST of many folders.
func (m *imapBench) folders() error {
	names := folderNames(m.scale(2000))
	for _, s := range m.servers {
		for _, name := range names {
			if err := makeFolder(s.maildirs[foldersUser], name); err != nil {
				return err
			}
		}
	}
	const first, again = ", first", ", again"
	got, err := m.measure(m.rounds, func(s *server, put func(string, float64)) error {
		if err := forgetAll(s.maildirs[foldersUser], everything); err != nil {
			return err
		}
		for _, figure := range []string{first, again} {
			c, err := imapConnect(s, foldersUser)
			if err != nil {
				return err
			}
			put(figure, c.changed(`LIST "" "*"`, len(names)+1)) // and INBOX
			if err := c.quit(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("LIST of %d folders", len(names))
	m.table.add(what+first, "ms", got[first], ahead(0.1)...)
	m.table.add(what+again, "ms", got[again], ahead(1)...)
	return nil
}

// statusRows are what a client asks of every folder, and how much of Dovecot's
// time the answer may take on first sight.
var statusRows = []struct {
	attributes string
	first      float64
}{
	{"(MESSAGES UNSEEN)", 0.3},
	{"(MESSAGES UIDNEXT UNSEEN)", 1},
}

// statuses measures STATUS of many folders, asked in one go.
func (m *imapBench) statuses() error {
	const each = 20 // messages in a folder
	names := folderNames(m.scale(200))
	for _, s := range m.servers {
		for i, name := range names {
			box := s.maildirs[statusUser]
			if err := errors.Join(makeFolder(box, name), m.mail.link(filepath.Join(box, "."+name), i*each, each)); err != nil {
				return err
			}
		}
	}
	for _, row := range statusRows {
		const first, again = ", first", ", again"
		got, err := m.measure(m.rounds, func(s *server, put func(string, float64)) error {
			if err := forgetAll(s.maildirs[statusUser], everything); err != nil {
				return err
			}
			for _, figure := range []string{first, again} {
				took, err := statusRound(s, names, row.attributes, each*len(names))
				if err != nil {
					return err
				}
				put(figure, took)
			}
			return nil
		})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("STATUS of %d folders %s", len(names), row.attributes)
		m.table.add(what+first, "ms", got[first], ahead(row.first)...)
		m.table.add(what+again, "ms", got[again], ahead(1)...)
	}
	return nil
}

// statusRound is how long one session takes to tell of all folders, in ms.
func statusRound(s *server, names []string, attributes string, messages int) (float64, error) {
	c, err := imapConnect(s, statusUser)
	if err != nil {
		return 0, err
	}
	var commands []string
	for _, name := range names {
		commands = append(commands, "STATUS "+s.folder(name)+" "+attributes)
	}
	var got answer
	took := elapsed(func() {
		c.send(commands...)
		for range commands {
			a := c.hear()
			got.found += a.found
			got.exists += a.exists
		}
	})
	if c.err == nil && (got.found != len(names) || got.exists != messages) {
		c.err = fmt.Errorf("STATUS of %d folders with %d messages, right is %d with %d", got.found, got.exists, len(names), messages)
	}
	return took, c.quit()
}
