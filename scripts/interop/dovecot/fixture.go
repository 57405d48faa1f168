package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scene is what a server is told for a tree. %[1]s is what its names begin with.
var scene = []string{
	`CREATE %[1]sLists.golang`,
	`CREATE "%[1]sEntw&APw-rfe"`,
	`SUBSCRIBE %[1]sLists.golang`,
	`SUBSCRIBE "%[1]sEntw&APw-rfe"`,
	`SUBSCRIBE INBOX`,
	`SELECT INBOX`,
	`UID STORE 1 +FLAGS (\Answered Work)`,
	`UID STORE 3 +FLAGS (\Deleted)`,
	`UID STORE 4 +FLAGS (\Flagged later)`,
	`UID COPY 2,4 %[1]sLists.golang`,
	`EXPUNGE`,
}

// play has one server alone write a tree.
func (s *session) play(prefix string) error {
	for i, flags := range []string{`\Seen $MDNSent`, ``, ``, `\Draft`} {
		text := message(fmt.Sprintf("message %d", i+1))
		date := time.Unix(1600000000+int64(i)*100000, 0).UTC().Format("_2-Jan-2006 15:04:05 -0700")
		if _, err := s.do("APPEND INBOX (%s) \"%s\" {%d}\r\n%s", flags, date, len(text), text); err != nil {
			return err
		}
	}
	for _, command := range scene {
		if strings.Contains(command, "%") {
			command = fmt.Sprintf(command, prefix)
		}
		if _, err := s.do("%s", command); err != nil {
			return err
		}
	}
	return nil
}

// played are the mailboxes of the scene, as all but Courier name them.
var played = []string{inbox, "Lists.golang", "Entw&APw-rfe"}

// fixture has a server write a Maildir and copies it to a directory, with what it
// tells of each mailbox in want.
func (p *place) fixture(to string) error {
	h, err := p.host("fixture")
	if err != nil {
		return err
	}
	server, prefix := dovecot, ""
	if p.courier != "" {
		server, prefix = courier, "INBOX."
	}
	s, err := h.session(server)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.play(prefix); err != nil {
		return err
	}
	for i, name := range played {
		if i > 0 {
			name = prefix + name
		}
		v, err := s.look(name)
		if err != nil {
			return err
		}
		if server == courier { // whose keywords nobody takes over
			v.dropKeywords()
		}
		err = os.WriteFile(filepath.Join(h.folder(played[i]), "want"), []byte(v.text()), 0o644)
		if err != nil && !os.IsNotExist(err) { // Courier has UTF-8 in names of directories
			return err
		}
	}
	return copyTree(h.maildir(), to)
}

// copyTree copies what is not Dovecot's own index, with the times of files.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if strings.HasPrefix(d.Name(), "dovecot.") {
			return nil
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(to, b, st.Mode().Perm()), os.Chtimes(to, st.ModTime(), st.ModTime()))
}
