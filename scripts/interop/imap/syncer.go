package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rohrpost/scripts/interop/corpus"
)

// A syncer is a client that keeps Maildirs of its own like the server's, both ways:
// INBOX and the other folders are side by side below local.
type syncer struct {
	*visit
	local string
	run   func() error
}

// syncs lets both sides change by turns, with a run of the client after each.
func (s *syncer) syncs() error {
	turns := []struct {
		when   string
		change func() error
	}{
		{"after the first run", func() error { return nil }},
		{"after changes here", s.changesHere},
		{"after changes there", s.changesThere},
		{"after changes on both sides", s.changesOnBothSides},
	}
	for _, turn := range turns {
		err := turn.change()
		if err == nil {
			err = s.run()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", turn.when, err)
		}
		s.asExpected(turn.when)
		s.asExpectedHere(turn.when)
	}
	return s.rests()
}

// asExpectedHere checks that the client's Maildirs are what is expected by now.
func (s *syncer) asExpectedHere(when string) {
	found, wrong := s.read(s.foldersHere())
	if wrong == "" {
		wrong = found.differs(s.expects)
	}
	s.check("its own Maildirs "+when, wrong)
}

func (s *syncer) foldersHere() map[string]string {
	dirs := map[string]string{}
	for folder := range s.expects {
		dirs[folder] = filepath.Join(s.local, folder)
	}
	return dirs
}

// find returns the file of a message in a Maildir.
func (s *syncer) find(dir, name string) (string, error) {
	for _, path := range messageFiles(dir) {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if nameOf(text, s.sent) == name {
			return path, nil
		}
	}
	return "", fmt.Errorf("%q is not in %s", name, dir)
}

// setFlags renames the file of a message into cur, with these flags.
func (s *syncer) setFlags(dir, name, flags string) error {
	path, err := s.find(dir, name)
	if err != nil {
		return err
	}
	base, _, _ := strings.Cut(filepath.Base(path), ":2,")
	return os.Rename(path, filepath.Join(dir, "cur", base+":2,"+flags))
}

// here is a directory of the client's.
func (s *syncer) here(folder string) string { return filepath.Join(s.local, folder) }

// changesHere flags, deletes, moves and adds on the client's side.
func (s *syncer) changesHere() error {
	if err := s.setFlags(s.here("INBOX"), "dots", "FS"); err != nil {
		return err
	}
	s.expects["INBOX"]["dots"] = "FS"
	if err := s.removes(s.here("INBOX"), "only blank lines"); err != nil {
		return err
	}
	if err := s.moves(s.here("INBOX"), s.here(archive), "empty body"); err != nil {
		return err
	}
	s.expects[umlaut]["saved here"] = "DS"
	return s.put(s.here(umlaut), s.extra("saved here"), "DS")
}

// moves moves a message from an INBOX to an Archive as a mail reader does: under a new
// name, so that no UID in the name goes with it.
func (s *syncer) moves(inbox, to, name string) error {
	path, err := s.find(inbox, name)
	if err != nil {
		return err
	}
	s.expects.move(name, "INBOX", archive)
	return os.Rename(path, filepath.Join(to, "cur", "1136214245.M1P1."+strings.ReplaceAll(name, " ", "-")+":2,"))
}

// removes removes the file of a message from an INBOX.
func (s *syncer) removes(inbox, name string) error {
	path, err := s.find(inbox, name)
	if err != nil {
		return err
	}
	delete(s.expects["INBOX"], name)
	return os.Remove(path)
}

func (s *syncer) put(dir string, m corpus.Message, flags string) error {
	return os.WriteFile(filepath.Join(dir, "cur", "1136214246.M2P2.put:2,"+flags), m.Text, 0o600)
}

// changesThere flags, deletes, moves and delivers in the account, as programs do that
// work on the Maildir itself.
func (s *syncer) changesThere() error {
	if err := s.setFlags(s.folder("INBOX"), "plain", "RS"); err != nil {
		return err
	}
	s.expects["INBOX"]["plain"] = "RS"
	if err := s.removes(s.folder("INBOX"), "ends with dot"); err != nil {
		return err
	}
	if err := s.moves(s.folder("INBOX"), s.folder(archive), "multipart"); err != nil {
		return err
	}
	// While the times of its directories are those of now, nobody can know that a
	// message is gone and not just being renamed.
	defer time.Sleep(100 * time.Millisecond)
	s.expects["INBOX"]["came meanwhile"] = ""
	return s.deliver(s.extra("came meanwhile"))
}

// changesOnBothSides makes a folder on each side, and sets two flags of one message.
func (s *syncer) changesOnBothSides() error {
	for name, dir := range map[string]string{"MadeThere": s.folder("MadeThere"), "MadeHere": s.here("MadeHere")} {
		if err := makeFolder(dir); err != nil {
			return err
		}
		if err := s.put(dir, s.extra("in "+name), "S"); err != nil {
			return err
		}
		s.expects[name] = map[string]string{"in " + name: "S"}
	}
	if err := s.setFlags(s.here("INBOX"), "100 KB", "F"); err != nil {
		return err
	}
	s.expects["INBOX"]["100 KB"] = "F"
	if err := s.setFlags(s.folder("INBOX"), "8-bit body", "S"); err != nil {
		return err
	}
	s.expects["INBOX"]["8-bit body"] = "S"
	return nil
}

// rests checks that one more run has nothing to do.
func (s *syncer) rests() error {
	before := s.names()
	err := s.run()
	if after := s.names(); !slices.Equal(before, after) {
		s.check("a run with nothing to do", fmt.Sprintf("the files were\n%q\n    and are\n%q", before, after))
	}
	return s.does("a run with nothing to do", err)
}

// names are the names of all files of messages on both sides.
func (s *syncer) names() (all []string) {
	for _, dirs := range []map[string]string{s.folders(), s.foldersHere()} {
		for _, dir := range dirs {
			all = append(all, messageFiles(dir)...)
		}
	}
	slices.Sort(all)
	return all
}
