package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// scene is what Dovecot is told for the fixture, in %s a number of bytes that change
// nothing.
var scene = []string{
	`CREATE Lists.golang`,
	`CREATE "Entw&APw-rfe"`,
	`SUBSCRIBE Lists.golang`,
	`SUBSCRIBE "Entw&APw-rfe"`,
	`SUBSCRIBE INBOX`,
	`SELECT INBOX`,
	`UID STORE 1 +FLAGS (\Answered Work)`,
	`UID STORE 3 +FLAGS (\Deleted)`,
	`UID STORE 4 +FLAGS (\Flagged later)`,
	`EXPUNGE`,
}

// fixture has Dovecot write a Maildir and copies it to a directory, with what Dovecot
// says of it in want.
func (h *host) fixture(to string) error {
	s, err := h.session()
	if err != nil {
		return err
	}
	defer s.close()
	for i, flags := range []string{`\Seen $MDNSent`, ``, ``, `\Draft`} {
		if err := s.append("INBOX", flags, fmt.Sprintf("message %d", i+1)); err != nil {
			return err
		}
	}
	for _, command := range scene {
		if _, err := s.do("%s", command); err != nil {
			return err
		}
	}
	v, err := s.look("INBOX")
	if err != nil {
		return err
	}
	var want strings.Builder
	fmt.Fprintf(&want, "UIDVALIDITY %d\nUIDNEXT %d\n", v.validity, v.next)
	var uids []uint32
	for uid := range v.messages {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	for _, uid := range uids {
		fmt.Fprintf(&want, "%d %s\n", uid, v.messages[uid].flags)
	}
	if err := copyTree(filepath.Join(h.dir, "Maildir"), to); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "want"), []byte(want.String()), 0o644)
}

// copyTree copies what is not Dovecot's own index, and keeps empty directories.
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
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
}
